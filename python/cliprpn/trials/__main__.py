"""Runs one trial without Node: `python -m cliprpn.trials SPEC.json OUT`."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel

from cliprpn.contract.generated import EpochEvent, FailedOutcome
from cliprpn.errors import CliprpnError
from cliprpn.memory import keep_freed_memory
from cliprpn.storage.specs import read_spec
from cliprpn.trials.trial import run_trial


def main(argv: list[str]) -> int:
    """Runs SPEC.json and writes to OUT. Returns 0, 2 for bad input, 3 if the trial failed."""
    if len(argv) != 2:
        print("usage: python -m cliprpn.trials SPEC.json OUT", file=sys.stderr)
        return 2
    spec_file, out = Path(argv[0]), Path(argv[1])
    try:
        spec = read_spec(spec_file)
    except (OSError, ValueError) as error:  # A ValidationError is a ValueError.
        print(f"{spec_file}: {error}", file=sys.stderr)
        return 2
    keep_freed_memory()
    try:
        outcome = run_trial(spec, out, _print_epoch, lambda: False)
    except CliprpnError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)
        return 2 if error.code == "bad_input" else 3
    if isinstance(outcome, FailedOutcome):
        print(f"{outcome.error.code}: {outcome.error.message}", file=sys.stderr)
        return 3
    print(outcome.metrics.model_dump_json(indent=2))
    return 0


def _print_epoch(event: BaseModel) -> None:
    if isinstance(event, EpochEvent):
        epoch = event.epoch
        print(
            f"epoch {epoch.epoch}/{epoch.num_epochs}  loss {epoch.loss:.4f}  val Acc@0.5 {epoch.val_acc_at_50:.4f}",
            file=sys.stderr,
        )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
