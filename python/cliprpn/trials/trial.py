"""The story of one trial: whatever it comes to, `outcome.json` says so.

`python -m cliprpn.trials.trial SPEC.json OUT` runs one with nothing else of the project.
"""

from __future__ import annotations

import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import torch
from pydantic import BaseModel

from cliprpn.contract.generated import (
    BaselineSpec,
    CompletedOutcome,
    EpochEvent,
    ErrorInfo,
    FailedOutcome,
)
from cliprpn.errors import CliprpnError, disk_is_full
from cliprpn.inference.steps import Emit, now, write_json
from cliprpn.memory import keep_freed_memory
from cliprpn.storage.specs import Spec, read_spec
from cliprpn.trials.baseline_trial import complete_baseline
from cliprpn.trials.cliprpn_trial import complete_cliprpn

Outcome = CompletedOutcome | FailedOutcome


def run_trial(spec: Spec, folder: Path, emit: Emit, should_stop: Callable[[], bool]) -> Outcome:
    """Runs the trial in its folder and writes `outcome.json` there, last and in one step.

    A failure is an outcome too. Only what says nothing about the trial is raised, and leaves none, so
    that the trial starts again from its beginning.

    Raises:
        CliprpnError: interrupted, no_space.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)
    try:
        outcome: Outcome = _complete(spec, folder, emit, should_stop)
    except CliprpnError as error:
        if error.code in ("interrupted", "no_space"):
            raise
        outcome = _failed(spec, folder, error.code, error.message)
    except torch.OutOfMemoryError:
        outcome = _failed(spec, folder, "out_of_memory", f"the device's memory is full{_way_out(spec)}")
    except MemoryError:
        outcome = _failed(spec, folder, "out_of_memory", "the machine's memory is full")
    except Exception as error:  # A trial's failure is a value.
        if disk_is_full(error):
            raise CliprpnError(
                "no_space", f"{folder}: no space is left there; make room and go on"
            ) from error
        outcome = _failed(spec, folder, "internal", f"{type(error).__name__}: {error}")
    write_json(folder / "outcome.json", outcome)
    return outcome


def _clear(folder: Path) -> None:
    """Removes what an earlier run of the trial left: its curves and answers are not this one's."""
    for pattern in ("outcome.json", "best.*", "last.*", "predictions-*", "metrics-*", "traceback.txt"):
        for path in folder.glob(pattern):
            path.unlink()
    for pattern in ("events", "evaluated-*"):
        for path in folder.glob(pattern):
            shutil.rmtree(path)


def _complete(spec: Spec, folder: Path, emit: Emit, should_stop: Callable[[], bool]) -> CompletedOutcome:
    if isinstance(spec, BaselineSpec):
        return complete_baseline(spec, folder, emit, should_stop)
    return complete_cliprpn(spec, folder, emit, should_stop)


def _way_out(spec: Spec) -> str:
    if isinstance(spec, BaselineSpec):
        return ""
    return f"; lower training.batch_size (now {spec.settings.training.batch_size})"


def _failed(spec: Spec, folder: Path, code: str, message: str) -> FailedOutcome:
    (folder / "traceback.txt").write_text(traceback.format_exc())
    return FailedOutcome(
        state="failed",
        trial_id=spec.trial_id,
        sources_sha256=spec.sources_sha256,
        finished_at=now(),
        error=ErrorInfo.model_validate({"code": code, "message": message}),
        traceback_file="traceback.txt",
    )


def main(argv: list[str]) -> int:
    """Runs SPEC.json into OUT. Returns 0, 2 for a bad spec, 3 when the trial failed."""
    if len(argv) != 2:
        print("usage: python -m cliprpn.trials.trial SPEC.json OUT", file=sys.stderr)
        return 2
    spec_file, out = Path(argv[0]), Path(argv[1])
    if out.exists() and any(out.iterdir()) and not (out / "outcome.json").is_file():
        # A trial's folder is emptied first; this one may be anybody's.
        print(f"{out}: expected a new or empty folder, or a trial's; give another", file=sys.stderr)
        return 2
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
        return 3
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
