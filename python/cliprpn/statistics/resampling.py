"""What else could have been the best: resampled images and seeds of many settings at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cliprpn.statistics.measurement import Measurement, Values
from cliprpn.statistics.variance import image_variance

NUM_RESAMPLES = 2000
# Bounds the memory of a product in double precision.
RESAMPLES_AT_ONCE = 250
# Differences below are rounding, and such settings share a rank.
DECIMALS = 12


def resample_weights(num_images: int, seed: int = 0) -> NDArray[np.float32]:
    """How often each image is drawn in each of `NUM_RESAMPLES` resamples with replacement.

    Efron and Tibshirani, An Introduction to the Bootstrap, 1993. One matrix serves all settings.

    Returns:
        [B, G]; every row sums to G. 10,000 images need 80 MB.
    """
    rng = np.random.default_rng(seed)
    weights = np.empty((NUM_RESAMPLES, num_images), np.float32)
    for row in weights:
        row[:] = np.bincount(rng.integers(num_images, size=num_images), minlength=num_images)
    return weights


def rank_intervals(
    measurements: Sequence[Measurement], weights: NDArray[np.float32], level: float = 0.95
) -> NDArray[np.int64]:
    """The ranks that each of K settings takes over images and, where it has several seeds, training.

    Goldstein and Spiegelhalter, League tables and their limitations, 1996.

    Args:
        measurements: on the same G images; larger is better.
        weights: see `resample_weights`.
        level: of confidence.

    Returns:
        [K, 2], the best and the worst rank; 1 is the best, and equal settings share the better rank.
    """
    order = _canonical_order(measurements)
    draws = _draws([measurements[k] for k in order], weights)
    ranks = np.stack([_ranks(row) for row in -draws])  # [B, K]
    tail = (1 - level) / 2
    low = np.quantile(ranks, tail, axis=0, method="inverted_cdf")
    high = np.quantile(ranks, 1 - tail, axis=0, method="inverted_cdf")
    result = np.empty((len(measurements), 2), np.int64)
    result[order] = np.stack([low, high], axis=1)
    return result


def _ranks(row: Values) -> NDArray[np.int64]:
    """1 for the smallest; equal ones share the smaller rank: [K] to [K]."""
    return np.searchsorted(np.sort(row), row, side="left") + 1


def optimism(measurements: Sequence[Measurement], weights: NDArray[np.float32]) -> float:
    """By how much the best of these settings is likely overestimated, as it was chosen by the same figures.

    Efron, Estimating the error rate of a prediction rule: improvement on cross-validation, 1983: the best of a
    resample, minus the same setting's figure without resampling, as a mean over resamples.

    Args:
        measurements: on the same G images; larger is better.
        weights: see `resample_weights`.

    Returns:
        In the metric's unit.
    """
    ordered = [measurements[k] for k in _canonical_order(measurements)]
    draws = _draws(ordered, weights)
    best = draws.argmax(axis=1)
    # The mean over these resamples differs from the full sample's figure by their own error only.
    return float((draws.max(axis=1) - draws.mean(axis=0)[best]).mean())


def _canonical_order(measurements: Sequence[Measurement]) -> NDArray[np.intp]:
    """Settings from the best on: the same random numbers go to a setting in whatever order they are given."""
    keys = [
        (-setting.mean, setting.training_variance, image_variance(setting.mean_influence))
        for setting in measurements
    ]
    return np.lexsort(np.array(keys).T[::-1])


def _draws(measurements: Sequence[Measurement], weights: NDArray[np.float32]) -> Values:
    """[B, K], each setting's figure on resampled images and with resampled training."""
    num_seeds = np.array([setting.num_seeds for setting in measurements])
    training = np.array([setting.training_variance for setting in measurements])
    noise = np.random.default_rng(1).standard_normal((len(weights), len(measurements)))
    draws = np.array([setting.mean for setting in measurements]) + noise * np.sqrt(training / num_seeds)
    influence = np.stack([setting.mean_influence for setting in measurements], axis=1)  # [G, K]
    for start in range(0, len(weights), RESAMPLES_AT_ONCE):
        rows = slice(start, start + RESAMPLES_AT_ONCE)
        draws[rows] += weights[rows].astype(np.float64) @ influence
    return draws.round(DECIMALS)
