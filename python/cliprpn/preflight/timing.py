"""Durations of a work that was measured several times."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from cliprpn.contract.generated import Timing

Result = TypeVar("Result")


def timing(units_ms: Sequence[float]) -> Timing:
    """Mean, shortest and longest.

    Args:
        units_ms: at least one duration of one unit, in milliseconds.
    """
    return Timing(ms=float(np.mean(units_ms)), low_ms=min(units_ms), high_ms=max(units_ms))


def time_ms(run: Callable[[], Result]) -> tuple[float, Result]:
    """Duration and result. All that is timed ends with a copy to the CPU, which waits for the device."""
    started = time.monotonic()
    result = run()
    return (time.monotonic() - started) * 1000, result
