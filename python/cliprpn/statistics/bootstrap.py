"""Confidence intervals by bootstrap over images, as the sentences of one image are correlated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

CONFIDENCE = 0.95
NUM_RESAMPLES = 2000
# Bounds the memory of scipy's bootstrap.
RESAMPLES_AT_ONCE = 100


class Estimate(NamedTuple):
    """An estimate with its 95 % confidence interval."""

    mean: float
    low: float
    high: float


def ratio_interval(numerators: NDArray, denominators: NDArray, groups: NDArray, seed: int = 0) -> Estimate:
    """Sum of numerators over sum of denominators, averaged over runs; resamples whole groups.

    This is a mean if the denominators are 1, and oIoU for intersections and unions.

    Args:
        numerators: [N], or [R, N] for R runs on the same rows.
        denominators: the same shape.
        groups: [N], the image of each row.
        seed: seed of the resampling.

    Returns:
        Percentile interval (Efron and Tibshirani, 1993); (estimate, estimate, estimate) for a single group.
    """
    _, group = np.unique(groups, return_inverse=True)
    numerator_rows, denominator_rows = np.atleast_2d(numerators), np.atleast_2d(denominators)
    rows = (*numerator_rows, *denominator_rows)
    sums = [np.bincount(group, weights=row) for row in rows]

    def ratio(*samples: NDArray, axis: int) -> NDArray:
        totals = np.stack([sample.sum(axis=axis) for sample in samples])
        num_runs = len(numerator_rows)
        return (totals[:num_runs] / totals[num_runs:]).mean(axis=0)

    estimate = float(ratio(*sums, axis=-1))
    if len(sums[0]) < 2:
        return Estimate(estimate, estimate, estimate)
    result = bootstrap(
        sums,
        ratio,
        paired=True,
        vectorized=True,
        method="percentile",
        confidence_level=CONFIDENCE,
        n_resamples=NUM_RESAMPLES,
        batch=RESAMPLES_AT_ONCE,
        random_state=np.random.default_rng(seed),
    )
    low, high = (float(end) for end in result.confidence_interval)
    return Estimate(estimate, low, high)


def mean_interval(values: NDArray, groups: NDArray, seed: int = 0) -> Estimate:
    """Mean of [N] values with its confidence interval; resamples whole groups.

    Args:
        groups: [N], the image of each row.
    """
    return ratio_interval(values, np.ones(len(values)), groups, seed)
