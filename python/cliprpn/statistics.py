"""Intervals by bootstrap over images: the sentences of one image are correlated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

CONFIDENCE = 0.95
NUM_RESAMPLES = 2000
BATCH = 100


class Interval(NamedTuple):
    """An estimate with its interval of 95 %."""

    mean: float
    low: float
    high: float


def ratio_interval(numerators: NDArray, denominators: NDArray, groups: NDArray, seed: int = 0) -> Interval:
    """Sum of numerators over sum of denominators, the mean over runs, with whole groups resampled.

    With denominators of 1 it is a mean; with intersections over unions it is oIoU.

    Args:
        numerators: [N], or [R, N] for runs on the same rows. denominators: the same shape.
        groups: [N], the image of each row. seed: of the resampling.

    Returns:
        Percentile interval (Efron); (estimate, estimate, estimate) where there is one group only.
    """
    _, group = np.unique(groups, return_inverse=True)
    above, below = np.atleast_2d(numerators), np.atleast_2d(denominators)
    sums = [np.bincount(group, weights=row) for row in (*above, *below)]

    def ratio(*drawn: NDArray, axis: int) -> NDArray:
        totals = np.stack([each.sum(axis=axis) for each in drawn])
        return (totals[: len(above)] / totals[len(above) :]).mean(axis=0)

    estimate = float(ratio(*sums, axis=-1))
    if len(sums[0]) < 2:
        return Interval(estimate, estimate, estimate)
    found = bootstrap(
        sums,
        ratio,
        paired=True,
        vectorized=True,
        method="percentile",
        confidence_level=CONFIDENCE,
        n_resamples=NUM_RESAMPLES,
        batch=BATCH,
        random_state=np.random.default_rng(seed),
    )
    low, high = (float(end) for end in found.confidence_interval)
    return Interval(estimate, low, high)


def mean_interval(values: NDArray, groups: NDArray, seed: int = 0) -> Interval:
    """Mean of [N] values with its interval, groups resampled whole."""
    return ratio_interval(values, np.ones(len(values)), groups, seed)
