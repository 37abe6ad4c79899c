"""Reliability of scores, risk and coverage, and the monotone fit."""

from __future__ import annotations

import numpy as np
import pytest

from cliprpn.contract.generated import Calibration
from cliprpn.figures.calibration import NUM_BINS, calibrate, risk_curve
from cliprpn.statistics import ImageGroups
from cliprpn.statistics.monotone import MAX_KNOTS, fit_monotone, quantile_bins


def calibration_of(scores: np.ndarray, hits: np.ndarray, images: np.ndarray | None = None) -> Calibration:
    images = np.arange(scores.shape[1]) if images is None else images
    calibration = calibrate(scores, hits, ImageGroups(images), 0.95)
    assert calibration is not None
    return calibration


def risks(calibration: Calibration, most: float = 1) -> list[float]:
    """At coverages of at most `most`."""
    return [row.risk for row in calibration.risk_coverage if row.coverage <= most]


def fit_of(calibration: Calibration) -> tuple[list[float], list[float]]:
    return [knot.score for knot in calibration.fit], [knot.probability for knot in calibration.fit]


@pytest.mark.parametrize(
    ("scores", "hits", "expected"),
    [
        ([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 0], [0, 0, 1 / 3, 1 / 2]),  # The best order.
        ([0.6, 0.7, 0.8, 0.9], [1, 1, 0, 0], [1, 1, 2 / 3, 1 / 2]),  # The worst order.
        ([0.5, 0.5, 0.5, 0.5], [1, 1, 0, 0], [1 / 2, 1 / 2, 1 / 2, 1 / 2]),  # No order.
        ([0.9, 0.5, 0.5, 0.1], [0, 1, 0, 1], [1, 3 / 4, 2 / 3, 1 / 2]),
        ([0.9], [1], [0]),
    ],
)
def test_the_risk_of_known_orders(scores: list[float], hits: list[int], expected: list[float]) -> None:
    assert risk_curve(np.array(scores), np.array(hits, dtype=bool)) == pytest.approx(expected)


def test_equal_scores_give_the_mean_over_all_orders() -> None:
    rng = np.random.default_rng(0)
    scores = np.array([3, 2, 2, 2, 2, 1, 1, 0]) / 3
    hits = np.array([1, 0, 1, 1, 0, 1, 0, 0], dtype=bool)
    orders = [np.lexsort((rng.random(8), -scores)) for _ in range(20_000)]
    curves = [np.cumsum(~hits[order]) / np.arange(1, 9) for order in orders]
    assert risk_curve(scores, hits) == pytest.approx(np.mean(curves, axis=0), abs=0.01)


def test_aurc_of_the_best_order_has_no_excess() -> None:
    scores = np.linspace(1, 0, 200)[None]
    hits = np.arange(200)[None] < 150
    calibration = calibration_of(scores, hits)
    # Only the misses at the end add to the area: sum of (k - 150) / k for k = 151 ... 200, over 200.
    k = np.arange(151, 201)
    assert calibration.aurc == pytest.approx(((k - 150) / k).sum() / 200)
    assert calibration.e_aurc == pytest.approx(0)
    assert risks(calibration, 0.75) == pytest.approx([0] * 15)
    assert risks(calibration)[-1] == pytest.approx(0.25)


def test_scores_that_tell_nothing_have_the_risk_of_all_answers_everywhere() -> None:
    hits = np.random.default_rng(1).random((2, 400)) < 0.3
    calibration = calibration_of(np.full((2, 400), 0.5), hits)
    assert risks(calibration) == pytest.approx([1 - hits.mean()] * 20)
    assert calibration.aurc == pytest.approx(1 - hits.mean())
    assert len(calibration.bins) == 1


def test_each_run_is_ranked_by_its_own_scores() -> None:
    """A seed whose scores are all lower than another's is not withheld before it."""
    hits = np.array([[1, 0] * 40, [1, 0] * 40], dtype=bool)
    scores = np.where(hits, 0.2, 0.1) + np.array([[0.0], [0.7]])
    calibration = calibration_of(scores, hits)
    assert calibration.e_aurc == pytest.approx(0)
    assert risks(calibration, 0.5) == pytest.approx([0] * 10)


def test_scores_that_are_probabilities_are_calibrated() -> None:
    rng = np.random.default_rng(2)
    scores = rng.random((3, 4000))
    calibration = calibration_of(scores, rng.random((3, 4000)) < scores)
    assert len(calibration.bins) == NUM_BINS
    assert calibration.expected_calibration_error == pytest.approx(0, abs=0.02)
    for row in calibration.bins:
        assert row.num_sentences == pytest.approx(400, abs=1)
        assert row.hits.mean == pytest.approx(row.mean_score, abs=0.04)
        assert row.hits.low is not None and row.hits.high is not None
        assert row.hits.low <= row.hits.mean <= row.hits.high
    scores_of_fit, probabilities = fit_of(calibration)
    assert probabilities == pytest.approx(scores_of_fit, abs=0.06)
    overconfident = calibration_of(np.sqrt(scores), rng.random((3, 4000)) < scores)
    assert overconfident.expected_calibration_error == pytest.approx(2 / 3 - 1 / 2, abs=0.02)
    assert calibration_of(scores * 30, scores > 0.5).expected_calibration_error is None


def test_intervals_are_by_image() -> None:
    """Answers to one image that are all alike count once."""
    rng = np.random.default_rng(3)
    hits = np.repeat(rng.random(60) < 0.5, 20)[None]
    scores = np.full(hits.shape, 0.5)
    alike = calibration_of(scores, hits, np.repeat(np.arange(60), 20)).bins[0].hits
    apart = calibration_of(scores, hits).bins[0].hits
    assert (
        alike.low is not None and alike.high is not None and apart.low is not None and apart.high is not None
    )
    assert (alike.high - alike.low) / (apart.high - apart.low) == pytest.approx(np.sqrt(20), rel=0.05)
    few = calibration_of(scores[:, :20], hits[:, :20], np.zeros(20)).bins[0].hits
    assert (few.low, few.high) == (None, None)


def test_the_order_of_rows_and_runs_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    scores = np.round(rng.random((3, 500)), 2)  # With ties.
    hits = rng.random((3, 500)) < scores
    images = rng.integers(0, 90, 500)
    order, runs = rng.permutation(500), [1, 2, 0]
    first = calibration_of(scores, hits, images)
    second = calibration_of(scores[runs][:, order], hits[runs][:, order], images[order])
    assert risks(second) == pytest.approx(risks(first), abs=1e-12)
    assert (second.aurc, second.e_aurc) == pytest.approx((first.aurc, first.e_aurc), abs=1e-12)
    assert fit_of(second)[1] == pytest.approx(fit_of(first)[1], abs=1e-12)
    for a, b in zip(first.bins, second.bins, strict=True):
        assert (b.mean_score, b.num_sentences) == pytest.approx((a.mean_score, a.num_sentences), abs=1e-12)
        assert b.hits.model_dump() == pytest.approx(a.hits.model_dump(), abs=1e-12)


def test_there_is_no_calibration_without_finite_scores() -> None:
    scores = np.array([[0.1, np.nan]])
    assert calibrate(scores, np.array([[True, False]]), ImageGroups(np.arange(2)), 0.95) is None


def test_quantile_bins_keep_equal_scores_together() -> None:
    assert quantile_bins(np.arange(10.0), 5).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert quantile_bins(np.array([1.0, 1, 1, 1, 1, 1, 1, 1, 2, 3]), 5).tolist() == [2] * 8 + [4, 4]
    assert quantile_bins(np.full(7, 0.5), 20).tolist() == [10] * 7
    assert set(quantile_bins(np.random.default_rng(5).random(1000), 20)) == set(range(20))


def test_the_fit_never_decreases_and_keeps_the_number_of_hits() -> None:
    rng = np.random.default_rng(6)
    for _ in range(20):
        scores = np.round(rng.random(300), int(rng.integers(1, 4))).astype(np.float32)
        hits = rng.random(300) < rng.random() * scores
        knots, probabilities = fit_monotone(scores, hits)
        assert len(knots) <= MAX_KNOTS
        assert (np.diff(knots) > 0).all()
        assert (np.diff(probabilities) >= 0).all()
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
        bins = np.unique(quantile_bins(scores, MAX_KNOTS), return_inverse=True)[1]
        assert probabilities[bins].sum() == pytest.approx(hits.sum())


def test_a_decreasing_relation_becomes_one_level() -> None:
    scores = np.arange(100.0)
    _, probabilities = fit_monotone(scores, scores < 30)
    assert probabilities == pytest.approx(0.3)
