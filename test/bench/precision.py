"""Time of a CPU's training step in float32 and in bfloat16, in turns, with features of CLIP RN50's shape.

`python -m bench.precision [STEPS]`, with python/, test/ and test/python/ on PYTHONPATH, prints a table.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import Any

import torch
from helpers import make_settings
from test_trial import REFERENCE

from cliprpn.arithmetic import fix_arithmetic, use_deterministic
from cliprpn.contract.generated import Settings
from cliprpn.inference.build import build_model
from cliprpn.seeding import seed_everything
from cliprpn.trials.optimizer import make_optimizer
from cliprpn.trials.step import StepInputs, TrainingStep

CPU = torch.device("cpu")
NUM_THREADS = 2  # The default of `num_threads`.
BATCH, WORDS = 50, 12
# map_channels, pooled_dim and word_dim of RN50; its maps have 7 x 7 cells.
SIZES = (2048, 1024, 512)
SIZE = {"image_size_px": 224, "neck_channels": 256}
PRESETS: dict[str, dict[str, Any]] = {
    "default": SIZE,
    "reference": {
        **REFERENCE,
        "image_size_px": 224,
        "rpn": {**REFERENCE["rpn"], "batch_size_per_image": 256},
    },
}


class Side:
    """A training in one precision."""

    def __init__(self, preset: str, precision: str) -> None:
        changes = PRESETS[preset]
        training = {**changes.get("training", {}), "precision": precision, "batch_size": BATCH}
        settings = Settings.model_validate(make_settings(**{**changes, "training": training}))
        seed_everything(0, NUM_THREADS)
        model = build_model(settings, *SIZES).train()
        optimizer = make_optimizer(model, settings.training, CPU)
        self._step = TrainingStep(
            model, optimizer, settings.training, torch.Generator().manual_seed(0), False
        )
        corners = torch.rand(BATCH, 2) * 300
        targets = model.targets(torch.cat([corners, corners + 40 + torch.rand(BATCH, 2) * 250], dim=1))
        mask = torch.arange(WORDS) < torch.randint(4, WORDS + 1, (BATCH, 1))
        features = (
            torch.rand(BATCH, SIZES[0], 7, 7),
            torch.randn(BATCH, WORDS, SIZES[2]),
            torch.randn(BATCH, SIZES[1]),
        )
        maps, words, pooled = (part.to(self._step.input_dtype) for part in features)
        self._inputs = StepInputs((maps, words, mask, pooled), targets, None)
        self.losses: list[float] = []

    def run(self) -> float:
        """Runs a step. Returns its time in ms."""
        started = time.perf_counter()
        self._step(self._inputs, 1e-4, lambda losses: self.losses.append(float(losses[2])))
        return (time.perf_counter() - started) * 1000


def measure(preset: str, num_steps: int) -> tuple[dict[str, float], dict[str, float]]:
    """The median time of a step in ms, and the loss of the last one, by precision."""
    sides = {precision: Side(preset, precision) for precision in ("fp32", "bf16")}
    times: dict[str, list[float]] = {precision: [] for precision in sides}
    for _ in range(1 + num_steps):
        for precision, side in sides.items():  # In turns, so that other load slows both down.
            times[precision].append(side.run())
    medians = {precision: statistics.median(values[1:]) for precision, values in times.items()}
    return medians, {precision: side.losses[-1] for precision, side in sides.items()}


def main(argv: list[str]) -> int:
    """Prints the table. Returns 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.precision")
    parser.add_argument(
        "steps", nargs="?", type=int, default=10, help="timed steps of each side; default: 10"
    )
    num_steps = parser.parse_args(argv).steps
    fix_arithmetic()
    use_deterministic(True, CPU)
    print("| preset | fp32 ms | bf16 ms | bf16 / fp32 | losses |\n|---|---|---|---|---|")
    for preset in PRESETS:
        times, losses = measure(preset, num_steps)
        ratio = times["bf16"] / times["fp32"]
        print(
            f"| {preset} | {times['fp32']:.0f} | {times['bf16']:.0f} | {ratio:.2f} "
            f"| {losses['fp32']:.4f}, {losses['bf16']:.4f} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
