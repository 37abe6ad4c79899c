"""CPU time of a trial with this code and with that of another commit: `python -m bench.trial SPEC --against COMMIT`.

SPEC is a trial of `cliprpn sweep EXPERIMENT --dry-run --json`, whose data are prepared. Both sides run in turns, each
in a process of its own, after a trial of one epoch that opens or extracts the features.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Sums in another order change the last digits of weights, and training makes more of them.
METRIC_TOLERANCE = 0.03
# Runs in each side's process, whose PYTHONPATH has its code.
RUN = """
import json, resource, sys, time
from pathlib import Path
from cliprpn.arithmetic import fix_arithmetic
from cliprpn.contract.generated import ClipRpnSpec
from cliprpn.trials.trial import run_trial
fix_arithmetic()
values, folder = json.load(sys.stdin), Path(sys.argv[1])
def run(epochs, name):
    values["settings"]["training"]["num_epochs"] = epochs
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    outcome = run_trial(ClipRpnSpec.model_validate(values), folder / name, lambda event: None, lambda: False)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert outcome.state == "completed", outcome
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": cpu, "wall_s": time.perf_counter() - started, **outcome.metrics.model_dump()}
num_epochs = values["settings"]["training"]["num_epochs"]
run(1, "warm-up")
print(json.dumps(run(num_epochs, "trial")))
"""


def main(argv: list[str]) -> int:
    """Prints both sides and their ratio. Returns 1 if the metrics differ by more than the tolerance."""
    args = _arguments(argv)
    spec = json.loads(args.spec.read_text())
    if args.epochs is not None:
        spec["settings"]["training"]["num_epochs"] = args.epochs
    for split in ("train", "val"):
        if getattr(args, split) is not None:
            spec["settings"]["limits"][split] = getattr(args, split)
    with tempfile.TemporaryDirectory() as folder:
        sides = {args.against: _code_of(args.against, Path(folder)), "this code": ROOT / "python"}
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
        for number in range(args.pairs):
            for side, (name, code) in enumerate(sides.items()):
                runs[name].append(_run(_readable(spec, code), code, Path(folder) / f"{number}-{side}"))
                print(f"{name}: {json.dumps(runs[name][-1])}", file=sys.stderr, flush=True)
    return _report(args.against, runs, spec)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.trial")
    parser.add_argument("spec", type=Path)
    parser.add_argument("--against", required=True, metavar="COMMIT")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=None, help="other than the spec's")
    parser.add_argument("--train", type=int, default=None, help="limits.train")
    parser.add_argument("--val", type=int, default=None, help="limits.val")
    return parser.parse_args(argv)


def _code_of(commit: str, folder: Path) -> Path:
    """The Python code of a commit, in a folder of its own, with the lock files that identify it."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit, "python", "env"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder / "code", filter="data")
    return folder / "code" / "python"


def _readable(spec: dict[str, Any], code: Path) -> dict[str, Any]:
    """The spec with the settings that this code knows: `training.precision` was `training.amp`, without CUDA graphs."""
    training = dict(spec["settings"]["training"])
    contract = (code / "cliprpn/contract/generated.py").read_text()
    if "    amp: Annotated[" in contract:
        training["amp"] = training.pop("precision") == "auto"
    if "    cuda_graphs: " not in contract and not training["cuda_graphs"]:
        del training["cuda_graphs"]
    return {**spec, "settings": {**spec["settings"], "training": training}}


def _run(spec: dict[str, Any], code: Path, folder: Path) -> dict[str, Any]:
    """Times and metrics of a trial."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(folder)],
        input=json.dumps(spec),
        env={**os.environ, "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _report(against: str, runs: dict[str, list[dict[str, Any]]], spec: dict[str, Any]) -> int:
    old, new = runs[against], runs["this code"]
    print(
        f"{spec['preset']}, {spec['settings']['training']['num_epochs']} epochs, {len(old)} pairs of trials\n"
    )
    print(f"| time | {against} | this code | median ratio of the pairs | all |\n|---|---|---|---|---|")
    for key, title in (("cpu_s", "CPU, all threads"), ("wall_s", "wall")):
        medians = [statistics.median(run[key] for run in side) for side in (old, new)]
        ratios = sorted(b[key] / a[key] for a, b in zip(old, new, strict=True))
        print(
            f"| {title} | {medians[0]:.1f} s | {medians[1]:.1f} s | {statistics.median(ratios):.3f} | "
            f"{', '.join(f'{ratio:.3f}' for ratio in ratios)} |"
        )
    same = True
    for key in ("acc_at_50", "miou", "recall_at_100"):
        differs = abs(old[0][key] - new[0][key])
        same = same and differs <= METRIC_TOLERANCE
        print(f"\n{key}: {old[0][key]:.4f} and {new[0][key]:.4f} (tolerance {METRIC_TOLERANCE})", end="")
    print()
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
