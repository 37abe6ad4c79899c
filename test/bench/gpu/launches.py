"""Launches and waits of the host in a training step, as the profiler of CUDA records them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from bench.gpu.cases import Case, settings_of
from bench.gpu.device import has_driver, make_context
from bench.gpu.features import Size, open_training_data
from bench.gpu.row import NotMeasuredError, Row
from bench.gpu.training import NUM_THREADS, run_epochs
from cliprpn.arithmetic import use_deterministic
from cliprpn.inference.build import build_model
from cliprpn.seeding import seed_everything
from cliprpn.trials.step_data import TrainingData

# Calls of CUDA's runtime and driver by the start of their names; `Async` copies of the host count as launches.
LAUNCHES = ("cudaLaunch", "cuLaunch", "cudaGraphLaunch", "cudaMemcpyAsync", "cudaMemsetAsync")
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize", "cudaMemcpy")
# Steps of two epochs, whose counts are subtracted; losses are read each 16 steps.
SHORT, LONG = 16, 48


def measure_launches(case: Case, size: Size, requested: str, scratch: Path, limit_s: float) -> Iterator[Row]:
    """Counts of one step.

    Raises:
        CliprpnError: device_unavailable, no_space.
        NotMeasuredError: there is nothing to count.
    """
    context = make_context(requested, scratch)
    if context.device.type != "cuda":
        raise NotMeasuredError(f"launches are recorded on CUDA only, and this is {context.device}")
    if not has_driver():
        raise NotMeasuredError("the device is simulated; `python -m bench.step` counts its launches")
    settings = settings_of(case, size)
    seed_everything(0, NUM_THREADS)
    use_deterministic(settings.training.deterministic, context.device)
    data = open_training_data(size, context)
    model = build_model(settings, *size.features).to(context.device)

    def count(num_steps: int) -> Counter[str]:
        rows = data.train_rows[: num_steps * settings.training.batch_size]
        part = TrainingData(data.index, data.features, rows, data.val_rows[:1])
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
            run_epochs(model, part, settings.training, 1, context)
        return Counter({event.key: event.count for event in profiler.key_averages()})

    count(SHORT)  # Initializes the profiler, and what is initialized in a first step.
    short, long = count(SHORT), count(LONG)
    calls = Counter({key: (long[key] - short[key]) / (LONG - SHORT) for key in long})
    figures = {
        "launches": sum(number for key, number in calls.items() if key.startswith(LAUNCHES)),
        "waits": sum(number for key, number in calls.items() if key.startswith(WAITS) and "Async" not in key),
    }
    if figures["launches"] == 0:
        raise NotMeasuredError(
            f"the profiler recorded no launch; torch {torch.__version__} may lack CUPTI here"
        )
    kinds = ", ".join(
        f"{key} {number:.3g}" for key, number in calls.most_common() if key.startswith("cu") and number
    )
    yield Row(f"launches-{case.name}", f"a training step, {case.what}", figures, [kinds])
