"""Launches and host synchronizations of one training step and of evaluation, counted on a simulated CUDA device.

`python -m bench.step [KIND...]`, with python/, test/ and test/python/ on PYTHONPATH, prints a table, and the lines that
wait for the device or launch most. A launch is an operator that queues at least one kernel or copy.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from fakecuda import Counts, FakeCuda, fake_cuda
from helpers import make_spec, run_context, small_dataset
from test_trial import REFERENCE

from cliprpn.arithmetic import fix_arithmetic, use_deterministic
from cliprpn.contract.generated import ClipRpnSpec
from cliprpn.features.frozen import open_data
from cliprpn.inference import predict
from cliprpn.inference.build import build_model
from cliprpn.inference.predict import predict_split
from cliprpn.models import ClipRPN
from cliprpn.seeding import seed_everything
from cliprpn.trials import finite, training
from cliprpn.trials.cuda_graphs import NUM_WARM_UP_STEPS
from cliprpn.trials.step_data import TrainingData
from cliprpn.trials.training import train_model

DEVICE = torch.device("cuda:0")
BATCH_SIZE = 4
# Steps or expressions of two runs, whose counts are subtracted.
SHORT, LONG = 1, 2

# Settings by what a step does; the sizes of the model and of the batch do not change the counts.
KINDS: dict[str, dict[str, Any]] = {
    "default": {},
    "default, fp32": {"training": {"precision": "fp32"}},
    "reference": {**REFERENCE, "training": {**REFERENCE["training"], "precision": "fp32"}},
    "reference, bf16": {**REFERENCE, "training": {**REFERENCE["training"], "precision": "bf16"}},
    "negatives": {"rpn": {"negatives_loss_weight": 1}, "resize": "letterbox"},
    "views": {"training": {"views": 1}},
    "default, CUDA graphs": {"training": {"cuda_graphs": True}},
    "reference, CUDA graphs": {**REFERENCE, "training": {**REFERENCE["training"], "cuda_graphs": True}},
}
READ = "steps whose losses are read together, additionally"
EVALUATION = "evaluation of a batch, of any size"


@dataclass(frozen=True)
class Difference:
    """Counts of one step or expression."""

    launches: float
    syncs: float
    launch_places: Counter[str]
    sync_places: Counter[str]


def count_step(kind: str, folder: Path, cuda: FakeCuda) -> Difference:
    """Counts of one training step, without val, in the second epoch (with `views`, the first augmented one).

    Args:
        folder: for the dataset and the features of all kinds.
    """
    assert finite.STEPS_PER_READ["cuda"] >= LONG
    run = _make_training(kind, folder, cuda)
    return _difference(run(SHORT), run(LONG), LONG - SHORT)


def count_read(folder: Path, cuda: FakeCuda) -> Difference:
    """What some steps cost additionally, however many they are: preparing their data, and reading their losses."""
    run = _make_training("default", folder, cuda)
    together = run(LONG)
    with mock.patch.dict(finite.STEPS_PER_READ, cuda=LONG // 2):
        return _difference(together, run(LONG), 1)


def _make_training(kind: str, folder: Path, cuda: FakeCuda) -> Callable[[int], Counts]:
    """Returns a function that counts an epoch of so many steps."""
    spec = _spec(kind, folder)
    model, data = _open(spec)

    def run(num_steps: int) -> Counts:
        seed_everything(0, 1)
        part = TrainingData(
            data.index, data.features, data.train_rows[: BATCH_SIZE * num_steps], data.val_rows[:1]
        )
        context = run_context(folder, device=DEVICE)
        with mock.patch.object(training, "top1_ious", lambda *_: np.zeros(1)):
            epochs = train_model(model, part, spec.settings.training, 0, context)
            for _ in range(spec.settings.training.num_epochs - 1):
                next(epochs)
            cuda.take_counts()
            next(epochs)
        return cuda.take_counts()

    return run


def count_evaluation(folder: Path, cuda: FakeCuda) -> Difference:
    """Counts of one more batch of sentences in `predict_split`."""
    model, data = _open(_spec("default", folder))

    def run(num_batches: int, batch_size: int) -> Counts:
        cuda.take_counts()
        rows = data.val_rows[: num_batches * batch_size]
        with mock.patch.object(predict, "EVAL_BATCH_SIZE", batch_size):
            predict_split(model, data.index, data.features, rows, run_context(folder, device=DEVICE))
        return cuda.take_counts()

    run(1, 1)  # Computes what is kept.
    assert run(1, 2).launches == run(1, 4).launches
    return _difference(run(1, 2), run(2, 2), 1)


def _spec(kind: str, folder: Path) -> ClipRpnSpec:
    root = folder / "data"
    changes = dict(KINDS[kind])
    chosen = changes.get("training", {})
    # Graphs are captured in the first epochs.
    num_epochs = 1 + NUM_WARM_UP_STEPS if chosen.get("cuda_graphs") else 2
    changes["training"] = {**chosen, "num_epochs": num_epochs, "batch_size": BATCH_SIZE}
    return make_spec(root if root.exists() else small_dataset(root), folder / "cache", **changes)


def _open(spec: ClipRpnSpec) -> tuple[ClipRPN, TrainingData]:
    """A model with random weights, and its data, on the device as in a trial."""
    settings = spec.settings
    fix_arithmetic()
    use_deterministic(settings.training.deterministic, DEVICE)
    context = run_context(Path(spec.cache_dir), device=DEVICE)
    index, features = open_data(
        spec.dataset,
        spec.backbone,
        settings.image_size_px,
        settings.resize,
        context,
        settings.training.views,
    )
    sizes = (features.map_channels, features.pooled_dim, features.word_dim)
    model = build_model(settings, *sizes).to(DEVICE)
    return model, TrainingData(index, features, index.split("train"), index.split("val"))


def count(kind: str, folder: Path, cuda: FakeCuda) -> Difference:
    """The counts of a row of the table."""
    special = {READ: count_read, EVALUATION: count_evaluation}
    return special[kind](folder, cuda) if kind in special else count_step(kind, folder, cuda)


def _difference(short: Counts, long: Counts, number: int) -> Difference:
    def per_one(name: str) -> Counter[str]:
        more: Counter[str] = Counter()
        for key, value in getattr(long, name).items():
            more[key] = (value - getattr(short, name)[key]) / number
        return Counter({key: value for key, value in more.items() if value})

    return Difference(
        per_one("launches").total(),
        per_one("syncs").total(),
        per_one("launch_places"),
        per_one("sync_places"),
    )


def main(argv: list[str]) -> int:
    """Prints the table. Returns 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.step")
    parser.add_argument(
        "kinds", nargs="*", help=f"of {', '.join([*KINDS, READ, EVALUATION])}; all if none is given"
    )
    kinds = parser.parse_args(argv).kinds or [*KINDS, READ, EVALUATION]
    if unknown := [kind for kind in kinds if kind not in (*KINDS, READ, EVALUATION)]:
        parser.error(f"expected kinds of {', '.join([*KINDS, READ, EVALUATION])}, found {unknown[0]}")
    with tempfile.TemporaryDirectory() as folder, fake_cuda() as cuda:
        counts = {kind: count(kind, Path(folder), cuda) for kind in kinds}
    print("| training step | launches | synchronizations |\n|---|---|---|")
    for kind, found in counts.items():
        print(f"| {kind} | {found.launches:g} | {found.syncs:g} |")
    for kind, found in counts.items():
        for what, places in (("synchronizations", found.sync_places), ("launches", found.launch_places)):
            print(f"\n{kind}: {what}")
            print("\n".join(f"  {count:6g}  {place}" for place, count in places.most_common(12)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
