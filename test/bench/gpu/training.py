"""Seconds an epoch of training takes, with the function that trials call."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from bench.gpu.cases import Case, settings_of
from bench.gpu.device import make_context, peak_memory, reset_peak_memory
from bench.gpu.features import Size, open_training_data
from bench.gpu.roofline import count_step
from bench.gpu.row import NotMeasuredError, Row
from cliprpn.arithmetic import use_deterministic
from cliprpn.contract.generated import Training
from cliprpn.inference.build import build_model
from cliprpn.inference.predict import top1_ious
from cliprpn.models import ClipRPN
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.trials.step_data import TrainingData
from cliprpn.trials.training import train_model

# Steps of the two epochs before those that are measured, in the second of which the time of a step is estimated.
WARM_UP_STEPS = 32
# Epochs of a measurement. The first is a warm-up, too: CUDA graphs are captured in it.
NUM_EPOCHS = 3
# Of a trial, whatever the machine has.
NUM_THREADS = 2


def measure_training(case: Case, size: Size, requested: str, scratch: Path, limit_s: float) -> Iterator[Row]:
    """An epoch with the pass over val that selects an epoch; extrapolated if three epochs exceed the limit.

    Raises:
        CliprpnError: device_unavailable, no_space.
        NotMeasuredError: if even a few steps do.
    """
    end = time.monotonic() + limit_s
    context = make_context(requested, scratch)
    device, settings = context.device, settings_of(case, size)
    seed_everything(0, NUM_THREADS)
    use_deterministic(settings.training.deterministic, device)
    started = time.monotonic()
    data = open_training_data(size, context)
    opening_s = time.monotonic() - started
    model = build_model(settings, *size.features).to(device)
    batch_size = settings.training.batch_size
    # Without CUDA graphs, in whose replays no operators run.
    eager = settings.training.model_copy(update={"cuda_graphs": False})
    cost = count_step(model, data, eager, context)
    reset_peak_memory(device)
    warm_up = run_epochs(model, first_steps(data, WARM_UP_STEPS, batch_size), settings.training, 2, context)
    num_all = math.ceil(len(data.train_rows) / batch_size)
    step_s = warm_up[-1] / min(WARM_UP_STEPS, num_all)
    part = first_steps(data, affordable_steps(num_all, step_s, end - time.monotonic()), batch_size)
    epochs_s = run_epochs(model, part, settings.training, NUM_EPOCHS, context)[1:]
    val_s = _time_val(model, data, context)
    share = len(part.train_rows) / len(data.train_rows)
    epoch_s = statistics.mean(epochs_s) / share
    on_device = isinstance(data.features.maps, torch.Tensor)
    figures = {
        "epoch_s": epoch_s,
        "epoch_spread_s": (max(epochs_s) - min(epochs_s)) / share,
        "val_s": val_s,
        "step_ms": 1000 * (epoch_s - val_s) / num_all,
        "first_epoch_s": warm_up[0],
        "measured_share": share,
        "num_steps": num_all,
        "num_parameters": sum(parameter.numel() for parameter in model.parameters()),
        "flops": cost.flops,
        "least_bytes": cost.least_bytes,
        "operator_bytes": cost.operator_bytes,
        "opening_s": opening_s,
        "features_on_device": float(on_device),
        **peak_memory(device),
    }
    notes = [
        *extrapolation(share),
        f"features {'on the device' if on_device else 'in the memory of the host'}",
    ]
    yield Row(case.name, f"cliprpn, {case.what}", figures, notes)


def first_steps(data: TrainingData, num_steps: int, batch_size: int) -> TrainingData:
    """The data of the first steps of an epoch, and as large a share of val."""
    rows = data.train_rows[: num_steps * batch_size]
    num_val = max(1, round(len(data.val_rows) * len(rows) / len(data.train_rows)))
    return TrainingData(data.index, data.features, rows, data.val_rows[:num_val])


def affordable_steps(num_all: int, step_s: float, left_s: float) -> int:
    """How many of an epoch's steps can be measured in this time, with a reserve for val.

    Raises:
        NotMeasuredError: fewer than a warm-up's.
    """
    num = int(0.8 * left_s / (NUM_EPOCHS * step_s))
    needed = min(num_all, WARM_UP_STEPS)
    if num < needed:
        raise NotMeasuredError(
            f"a step takes {step_s:.2g} s, so that {needed} steps need {needed * NUM_EPOCHS * step_s / 0.8:.0f} s, "
            f"and {max(left_s, 0):.0f} s were left; give more --minutes, or name fewer parts with --only"
        )
    return min(num, num_all)


def run_epochs(
    model: ClipRPN, data: TrainingData, settings: Training, num_epochs: int, context: RunContext
) -> list[float]:
    """Seconds of each epoch, which ends with a copy to the CPU that waits for the device."""
    changed = settings.model_copy(update={"num_epochs": num_epochs})
    return [epoch.duration_ms / 1000 for epoch in train_model(model, data, changed, 0, context)]


def extrapolation(share: float) -> list[str]:
    """A note if only a part of an epoch was measured."""
    return [] if share == 1 else [f"extrapolated from {share:.1%} of an epoch's steps"]


def _time_val(model: ClipRPN, data: TrainingData, context: RunContext) -> float:
    started = time.monotonic()
    ious = top1_ious(model, data.index, data.features, data.val_rows, context)
    assert np.isfinite(ious).all()
    return time.monotonic() - started
