"""Means and differences in the form of the contract."""

from __future__ import annotations

from numpy.typing import NDArray

from cliprpn.contract.generated import Interval
from cliprpn.statistics import Difference, Estimate, ImageGroups, estimate, measure


def mean_interval(values: NDArray, groups: ImageGroups, has_seeds: bool, level: float) -> Interval:
    """The mean over expressions and seeds, with its interval.

    Args:
        values: [R, N], or [N] of a single run.
        groups: the image of each of the N expressions.
        has_seeds: whether training again gives another result.
        level: confidence level.
    """
    return to_interval(estimate(measure(values, None, groups, has_seeds), level))


def to_interval(value: Estimate | Difference) -> Interval:
    """Without what the contract does not have."""
    return Interval(mean=value.mean, low=value.low, high=value.high)
