"""A monotone fit of hits on scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_KNOTS = 20


def fit_monotone(scores: NDArray, hits: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Isotonic regression of hits on scores, in at most `MAX_KNOTS` quantile bins of the score.

    Pool adjacent violators (Barlow et al. 1972), as Zadrozny and Elkan (2002) calibrate classifiers. Binning bounds the
    size of the result, and gives no single row a probability of its own.

    Args:
        scores: [N], finite; N >= 1.
        hits: [N], bool.

    Returns:
        the mean score of each bin, [K], increasing; its probability of a hit, [K], never decreasing.
    """
    from scipy.optimize import (
        isotonic_regression,
    )  # Takes a fifth of a second, and many answers have no score.

    _, bins = np.unique(quantile_bins(scores, MAX_KNOTS), return_inverse=True)
    counts = np.bincount(bins)
    mean_scores = np.bincount(bins, weights=scores) / counts
    fractions = np.bincount(bins, weights=hits) / counts
    fitted = isotonic_regression(fractions, weights=counts).x
    return mean_scores, np.clip(fitted, 0.0, 1.0)


def quantile_bins(scores: NDArray, num_bins: int) -> NDArray[np.int64]:
    """The quantile bin of each score: [N], 0 for the lowest scores, at most `num_bins` - 1.

    Equal scores share the bin of their mean rank, so that the order of rows does not matter; a bin may be empty.
    """
    _, tie, counts = np.unique(scores, return_inverse=True, return_counts=True)
    twice_rank = 2 * np.cumsum(counts) - counts
    return (twice_rank * num_bins // (2 * len(scores)))[tie]
