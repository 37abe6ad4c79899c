"""What is measured, in the order of interest, since a run may be cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.gpu.cases import Case
from bench.gpu.device import make_context
from bench.gpu.extraction import measure_extraction
from bench.gpu.features import Size
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


DEFAULT, REFERENCE = Case("default", "bf16"), Case("reference", "fp32")
OTHERS = (Case("reference", "bf16"), Case("default", "fp32"))


def _training(case: Case) -> dict[str, Part]:
    return {case.name: Part(4, partial(measure_training, case))}


def _plain(case: Case) -> dict[str, Part]:
    return {f"{case.name}-plain": Part(4, partial(measure_plain, case))}


PARTS: dict[str, Part] = {
    "peaks": Part(1, _peaks),
    **_training(DEFAULT),
    **_plain(DEFAULT),
    **_training(REFERENCE),
    **_plain(REFERENCE),
    "ground": Part(2, partial(measure_ground, DEFAULT)),
    "extraction": Part(3, measure_extraction),
    "launches-default-bf16": Part(1, partial(measure_launches, DEFAULT)),
    "launches-reference-fp32": Part(1, partial(measure_launches, REFERENCE)),
    **_training(OTHERS[0]),
    **_plain(OTHERS[0]),
    **_training(OTHERS[1]),
    **_plain(OTHERS[1]),
}
