"""Several comparisons at once, and equivalence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from cliprpn.statistics.intervals import MIN_IMAGES, Difference, compare
from cliprpn.statistics.measurement import Measurement, Values
from cliprpn.statistics.variance import SeedTerms, correction, population_of, seed_terms, total_variance

# Differences of nearly equal settings cancel in the Gram matrix; below this part of their variances, they are
# computed one by one.
CANCELLATION = 1e-6


def holm(p_values: Sequence[float | None] | NDArray) -> list[float | None]:
    """Adjusts p-values for several comparisons (Holm, A simple sequentially rejective multiple test procedure, 1979).

    Args:
        p_values: [M]; None or NaN for a comparison that is not in the family.

    Returns:
        [M], at most 1; None stays None.
    """
    values = np.array([math.nan if p is None else p for p in p_values], dtype=np.float64)
    adjusted = _holm(values)
    return [None if math.isnan(p) else float(p) for p in adjusted]


def is_equivalent(difference: Difference, margin: float, alpha: float = 0.05) -> bool:
    """Whether the difference is within (-margin, margin), by two one-sided tests at level alpha.

    This is the same as an interval of confidence 1 - 2 alpha within the margin (Schuirmann, A comparison of the
    two one-sided tests procedure and the power approach, 1987). Without an interval, the answer is no.

    Args:
        margin: above 0, in the metric's unit.
    """
    if difference.low is None:
        return False
    half = float(stdtrit(difference.degrees_of_freedom, 1 - alpha)) * math.sqrt(difference.variance)
    return -margin < difference.mean - half and difference.mean + half < margin


class PairTable(NamedTuple):
    """All pairs of K settings: row - column.

    Args:
        differences: [K, K].
        variances: [K, K].
        degrees_of_freedom: [K, K].
        p_values: [K, K], 1 on the diagonal; NaN below 30 images.
    """

    differences: Values
    variances: Values
    degrees_of_freedom: Values
    p_values: Values

    def p_adjusted(self) -> Values:
        """[K, K], p-values adjusted by Holm's procedure for all K (K - 1) / 2 pairs; 1 on the diagonal."""
        upper = np.triu_indices(len(self.p_values), 1)
        adjusted = self.p_values.copy()
        adjusted[upper] = adjusted.T[upper] = _holm(self.p_values[upper])
        return adjusted


def pairwise(measurements: Sequence[Measurement]) -> PairTable:
    """Compares each setting with each other on the same images: as `compare`, for all pairs at once.

    Raises:
        ValueError: if the numbers of images differ.
    """
    counts = {setting.num_images for setting in measurements}
    if len(counts) != 1:
        raise ValueError(f"expected the same images, found {sorted(counts)}")
    num_images = counts.pop()
    means = np.array([setting.mean for setting in measurements])
    differences = means[:, None] - means
    influence = np.stack([setting.mean_influence for setting in measurements])  # [K, G]
    gram = influence @ influence.T
    own = np.diag(gram)
    sums = own[:, None] + own
    squares = sums - gram - gram.T
    a, b = _pair_terms(measurements)
    total, degrees_of_freedom = total_variance(
        correction(num_images) * np.maximum(squares, 0), num_images, a, b
    )
    t = np.divide(np.abs(differences), np.sqrt(total), out=np.zeros_like(total), where=total > 0)
    table = PairTable(differences, total, degrees_of_freedom, 2 * stdtr(degrees_of_freedom, -t))
    for i, j in np.argwhere(np.triu(squares <= CANCELLATION * sums, 1)):
        _put(table, i, j, compare(measurements[i], measurements[j]))
        _put(table, j, i, compare(measurements[j], measurements[i]))
    if num_images < MIN_IMAGES:
        table.p_values[:] = math.nan
    return table


def _pair_terms(measurements: Sequence[Measurement]) -> tuple[SeedTerms, SeedTerms]:
    """The seeds' terms of rows and of columns; none for pairs that are only about these checkpoints."""
    terms = [seed_terms(setting, population_of(setting)) for setting in measurements]
    seed, training, df = (np.array(column, dtype=np.float64) for column in zip(*terms, strict=True))
    single = np.array([setting.has_seeds and setting.num_seeds < 2 for setting in measurements])
    checkpoints = single[:, None] | single
    rows = SeedTerms(
        np.where(checkpoints, 0.0, seed[:, None]),
        np.where(checkpoints, 0.0, training[:, None]),
        np.where(checkpoints, np.inf, df[:, None]),
    )
    return rows, SeedTerms(*(term.T for term in rows))


def _put(table: PairTable, i: int, j: int, difference: Difference) -> None:
    table.variances[i, j] = difference.variance
    table.degrees_of_freedom[i, j] = difference.degrees_of_freedom
    table.p_values[i, j] = math.nan if difference.p_value is None else difference.p_value


def _holm(p_values: Values) -> Values:
    """[M], NaN for what is not in the family."""
    order = np.argsort(p_values)  # NaN last
    num = int(np.isfinite(p_values).sum())
    adjusted = np.full(len(p_values), math.nan)
    steps = p_values[order[:num]] * np.arange(num, 0, -1)
    adjusted[order[:num]] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
