"""What is measured, in the order of interest, since a run may be cut off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench.gpu.cases import Case
from bench.gpu.device import make_context
from bench.gpu.extraction import measure_extraction
from bench.gpu.features import Size, feature_bytes, open_arrays
from bench.gpu.latency import measure_ground
from bench.gpu.launches import measure_launches
from bench.gpu.plain import measure_plain
from bench.gpu.roofline import measure_peaks
from bench.gpu.row import Row
from bench.gpu.training import measure_training


@dataclass(frozen=True)
class Part:
    """A part of the benchmark.

    Attributes:
        weight: its share of the time, relative to those of the other parts.
        measure: with a size, a device, a folder for temporary files and a limit in seconds.
    """

    weight: float
    measure: Callable[[Size, str, Path, float], Iterable[Row]]


def _peaks(size: Size, requested: str, scratch: Path, limit_s: float) -> Iterable[Row]:
    return measure_peaks(size, make_context(requested, scratch).device)


def _features(size: Size, requested: str, scratch: Path, limit_s: float) -> Iterable[Row]:
    """Makes the features, so that no other part has to."""
    started = time.monotonic()
    open_arrays(size, make_context(requested, scratch))
    making_s = time.monotonic() - started
    yield Row("features", "made features", {"features_bytes": feature_bytes(size), "making_s": making_s})


def _training(*cases: Case) -> dict[str, Part]:
    return {case.name: Part(4, partial(measure_training, case)) for case in cases}


def _plain(case: Case) -> dict[str, Part]:
    return {f"{case.name}-plain": Part(4, partial(measure_plain, case))}


def _launches(*cases: Case) -> dict[str, Part]:
    return {f"launches-{case.name}": Part(1, partial(measure_launches, case)) for case in cases}


def _with_graphs(case: Case) -> Case:
    return replace(case, cuda_graphs=True)


DEFAULT, REFERENCE = Case("default", "bf16"), Case("reference", "fp32")
REFERENCE_BF16, DEFAULT_FP32 = Case("reference", "bf16"), Case("default", "fp32")

PARTS: dict[str, Part] = {
    "peaks": Part(1, _peaks),
    "features": Part(1.5, _features),
    **_training(DEFAULT, _with_graphs(DEFAULT)),
    **_plain(DEFAULT),
    **_training(REFERENCE, _with_graphs(REFERENCE)),
    **_plain(REFERENCE),
    **_training(REFERENCE_BF16, _with_graphs(REFERENCE_BF16)),
    **_plain(REFERENCE_BF16),
    "ground": Part(2, partial(measure_ground, DEFAULT)),
    "extraction": Part(3, measure_extraction),
    **_launches(DEFAULT, _with_graphs(DEFAULT), REFERENCE),
    **_training(DEFAULT_FP32, _with_graphs(DEFAULT_FP32)),
    **_plain(DEFAULT_FP32),
}
