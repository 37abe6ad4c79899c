"""Latency of `ground`: a sentence in a prepared image, from a trained model's file to a box."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from bench.gpu.cases import Case, spec_of
from bench.gpu.device import make_context, peak_memory
from bench.gpu.extraction import load_made_backbone, made_images, open_made_pixels, weights_file
from bench.gpu.features import Size
from bench.gpu.row import Row
from bench.gpu.training import NUM_THREADS
from cliprpn.inference import ground as ground_module
from cliprpn.inference.build import build_model
from cliprpn.inference.checkpoint import load_model, save_model
from cliprpn.inference.ground import ground
from cliprpn.seeding import seed_everything

SENTENCE = "the man in the red shirt to the left of the dog"


def measure_ground(case: Case, size: Size, requested: str, scratch: Path, limit_s: float) -> Iterator[Row]:
    """The first call of a process, calls that load the models as `cliprpn ground` does, and calls with loaded models.

    Raises:
        CliprpnError: device_unavailable, no_space, weights_*.
    """
    started = time.monotonic()
    context = make_context(requested, scratch)
    device_s = time.monotonic() - started
    end = started + limit_s
    seed_everything(0, NUM_THREADS)
    weights = weights_file(size, scratch)
    backbone = load_made_backbone(size, scratch)
    spec = spec_of(case, size, weights, backbone.weights_id, scratch)
    sizes = (backbone.map_channels, backbone.pooled_dim, backbone.word_dim)
    model_file = scratch / f"{case.name}.safetensors"
    save_model(build_model(spec.settings, *sizes), spec, sizes, 1, model_file)
    image = made_images(scratch / "images")[:1]
    folder = scratch / "pixels-of-one"
    open_made_pixels(image, folder, size.image_size_px)

    def call() -> None:
        result = ground(model_file, weights, folder / "manifest.json", SENTENCE, context.device)
        assert np.isfinite(result.pred_box_xyxy).all()

    (cold_ms,) = _times_ms(call, 1, end)
    left_s = end - time.monotonic()
    loading = _times_ms(call, size.most_calls, time.monotonic() + left_s / 2)
    what = f"`ground`, {case.what}"
    notes = [
        f"{len(loading)} calls, each loads both models",
        "cold: the first of a process, after importing torch",
    ]
    figures = {
        "cold_ms": cold_ms,
        "device_start_ms": 1000 * device_s,
        **_quantiles(loading),
        **peak_memory(context.device),
    }
    yield Row("ground", what, figures, notes)
    saved = load_model(model_file)
    with (
        mock.patch.object(ground_module, "load_model", lambda path: saved),
        mock.patch.object(ground_module, "load_backbone", lambda name, weights: backbone),
    ):
        call()  # Moves both to the device.
        loaded = _times_ms(call, size.most_calls, end)
    yield Row("ground", f"{what}, models loaded", _quantiles(loaded), [f"{len(loaded)} calls"])


def _times_ms(call: Callable[[], None], most: int, end: float) -> list[float]:
    """Durations of calls until the end, at least one. A call ends with a copy to the CPU, so all its work is done."""
    times: list[float] = []
    while len(times) < most and (not times or time.monotonic() < end):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    return times


def _quantiles(times_ms: list[float]) -> dict[str, float]:
    values = torch.tensor(times_ms)
    return {"p50_ms": values.quantile(0.5).item(), "p95_ms": values.quantile(0.95).item()}
