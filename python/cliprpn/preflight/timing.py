"""Durations of a work that was measured several times."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from cliprpn.contract.generated import Timing

Result = TypeVar("Result")


def timing(units_ms: Sequence[float]) -> Timing:
    """Mean, 10th and 90th percentile.

    Args:
        units_ms: at least one duration of one unit, in milliseconds.
    """
    low, high = np.quantile(units_ms, (0.1, 0.9)).tolist()
    mean = float(np.mean(units_ms))
    # One slow piece of many may be above the percentile, and so may the mean.
    return Timing(ms=mean, low_ms=min(low, mean), high_ms=max(high, mean))


def time_ms(run: Callable[[], Result]) -> tuple[float, Result]:
    """Duration and result. All that is timed ends with a copy to the CPU, which waits for the device."""
    started = time.monotonic()
    result = run()
    return (time.monotonic() - started) * 1000, result
