"""How well the score of an answer tells a hit from a miss: reliability, and the risk if unsure answers are withheld.

Scores of different configurations are not comparable: a score of 0.7 means as much as a monotone fit says.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import Calibration, FitKnot, ReliabilityBin, RiskAtCoverage
from cliprpn.figures.intervals import to_interval
from cliprpn.statistics import ImageGroups, estimate, measure
from cliprpn.statistics.monotone import fit_monotone, quantile_bins

NUM_BINS = 10
COVERAGES = tuple(k / 20 for k in range(1, 21))


def calibrate(scores: NDArray, hits: NDArray, groups: ImageGroups, level: float) -> Calibration | None:
    """The calibration of a configuration; None if a score is not finite.

    AURC and E-AURC are those of Geifman et al. (2019), the expected calibration error that of Guo et al. (2017).

    Args:
        scores: [R, S], R runs.
        hits: [R, S], bool.
        groups: the image of each of the S columns.
        level: confidence level of the intervals.
    """
    scores = scores.astype(np.float64)
    if not np.isfinite(scores).all():
        return None
    bins = _reliability(scores, hits, groups, level)
    curves = np.stack([risk_curve(*run) for run in zip(scores, hits, strict=True)])  # [R, S]
    risks = curves.mean(axis=0)
    num_rows = scores.shape[1]
    covered = np.arange(1, num_rows + 1)
    # The best order has all hits first.
    best = np.maximum(0, covered - hits.sum(axis=1, keepdims=True)) / covered
    return Calibration(
        bins=bins,
        fit=[
            FitKnot(score=score, probability=probability)
            for score, probability in zip(
                *(values.tolist() for values in fit_monotone(scores.ravel(), hits.ravel())), strict=True
            )
        ],
        expected_calibration_error=_calibration_error(bins) if _in_unit_range(scores) else None,
        risk_coverage=[
            RiskAtCoverage(coverage=coverage, risk=float(risks[_num_covered(coverage, num_rows) - 1]))
            for coverage in COVERAGES
        ],
        aurc=float(risks.mean()),
        e_aurc=max(0.0, float((curves - best).mean())),
    )


def risk_curve(scores: NDArray, hits: NDArray) -> NDArray[np.float64]:
    """Fraction of misses among the k answers with the highest scores, for k = 1, ..., S: [S].

    Where equal scores leave the order open, the mean over all orders.

    Args:
        scores: [S].
        hits: [S], bool.
    """
    _, tie = np.unique(-scores, return_inverse=True)  # 0 for the highest score.
    counts = np.bincount(tie)
    misses = np.bincount(tie, weights=~hits) / counts
    return np.cumsum(np.repeat(misses, counts)) / np.arange(1, len(scores) + 1)


def _reliability(scores: NDArray, hits: NDArray, groups: ImageGroups, level: float) -> list[ReliabilityBin]:
    """Answers of all runs with similar scores for their run."""
    num_runs = len(scores)
    bins = np.stack([quantile_bins(run, NUM_BINS) for run in scores])  # [R, S]
    rows: list[ReliabilityBin] = []
    for number in range(NUM_BINS):
        inside = bins == number
        columns = np.flatnonzero(inside.any(axis=0))
        if len(columns) == 0:
            continue
        # One ratio over all runs: a bin may be empty in one of them.
        fraction = measure(
            (inside & hits)[:, columns].sum(axis=0),
            inside[:, columns].sum(axis=0),
            groups.select(columns),
            has_seeds=False,
        )
        rows.append(
            ReliabilityBin(
                mean_score=float(scores[inside].mean()),
                num_sentences=float(inside.sum() / num_runs),
                hits=to_interval(estimate(fraction, level)),
            )
        )
    return rows


def _calibration_error(bins: list[ReliabilityBin]) -> float:
    weights = [row.num_sentences for row in bins]
    return float(np.average([abs(row.hits.mean - row.mean_score) for row in bins], weights=weights))


def _in_unit_range(scores: NDArray) -> bool:
    return bool(scores.min() >= 0 and scores.max() <= 1)


def _num_covered(coverage: float, num_rows: int) -> int:
    """The smallest number of rows that is at least this share of all."""
    return max(1, int(np.ceil(round(coverage * num_rows, 6))))
