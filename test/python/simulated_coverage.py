"""How often intervals contain the true difference, and how often equal settings appear to differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from synthetic_hits import SyntheticSetting, draw_measurements

from cliprpn.statistics.families import PairTable, pairwise

ALPHA = 0.05
ChoosePairs = Callable[[int, int], bool]


@dataclass(frozen=True)
class Outcome:
    """Fractions of draws, or of draws and pairs.

    Args:
        coverage: of 95 % intervals of a difference.
        images_only_coverage: the same, if seeds are ignored.
        half_width: mean half width of the intervals, in points.
        found: pairs whose p-value is below 5 %.
        any_pair: draws with some pair below 5 % after Holm's adjustment for all pairs.
        any_row: draws where that pair contains the best, which is what a report shows.
        images_only_any_row: the same without adjustment, if seeds are ignored.
        beats_all: draws where the best is below 5 % against every other setting, without adjustment.
    """

    coverage: float
    images_only_coverage: float
    half_width: float
    found: float
    any_pair: float
    any_row: float
    images_only_any_row: float
    beats_all: float


def simulate(
    settings: Sequence[SyntheticSetting],
    num_draws: int,
    seed: int = 0,
    is_chosen: ChoosePairs = lambda i, j: True,
) -> Outcome:
    """Draws images and seeds again and again, and compares all pairs each time.

    Args:
        is_chosen: whether a pair i < j of settings counts in the coverage, the width and `found`.
    """
    accuracies = np.array([setting.accuracy for setting in settings])
    truth = accuracies[:, None] - accuracies
    num = len(settings)
    pairs = np.array([(i, j) for i in range(num) for j in range(i + 1, num) if is_chosen(i, j)]).T
    chosen = (pairs[0], pairs[1])
    rows = []
    for measured in draw_measurements(settings, num_draws, seed):
        table = pairwise(measured)
        images_only = pairwise([replace(setting, has_seeds=False) for setting in measured])
        best = int(np.argmax([setting.mean for setting in measured]))
        others = np.arange(num) != best
        adjusted = table.p_adjusted()
        rows.append(
            (
                _covers(table, truth)[chosen].mean(),
                _covers(images_only, truth)[chosen].mean(),
                100 * _half_widths(table)[chosen].mean(),
                (table.p_values[chosen] < ALPHA).mean(),
                (adjusted < ALPHA).any(),
                (adjusted[best] < ALPHA).any(),
                (images_only.p_values[best] < ALPHA).any(),
                (table.p_values[best][others] < ALPHA).all(),
            )
        )
    return Outcome(*(float(value) for value in np.mean(rows, axis=0)))


def _covers(table: PairTable, truth: NDArray) -> NDArray[np.bool_]:
    return np.abs(table.differences - truth) <= _half_widths(table)


def _half_widths(table: PairTable) -> NDArray[np.float64]:
    return stdtrit(table.degrees_of_freedom, 1 - ALPHA / 2) * np.sqrt(table.variances)
