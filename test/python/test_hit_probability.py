"""The probability of a hit that `ground` prints: fit, threshold, and its place in a model's metadata."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from cliprpn.inference.hit_probability import (
    HitProbability,
    fit_hit_probability,
    parse_hit_probability,
)


def fitted(scores: np.ndarray, hits: np.ndarray, num_images: int = 100) -> HitProbability | None:
    return fit_hit_probability("val", scores, hits, np.arange(len(scores)) % num_images)


def test_the_threshold_is_where_half_of_the_answers_are_hits() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(20_000)
    probability = fitted(scores, rng.random(20_000) < scores**2)
    assert probability is not None and probability.threshold is not None
    assert probability.threshold == pytest.approx(np.sqrt(0.5), abs=0.02)
    assert probability.at(probability.threshold) == pytest.approx(0.5)
    assert probability.at(0.9) == pytest.approx(0.81, abs=0.04)
    assert probability.is_sure(probability.threshold)
    assert not probability.is_sure(np.nextafter(probability.threshold, 0))
    assert (probability.num_sentences, probability.num_images) == (20_000, 100)


def test_below_the_lowest_and_above_the_highest_score_the_probability_is_that_of_the_ends() -> None:
    scores = np.linspace(0.4, 0.6, 1000)
    probability = fitted(scores, scores > 0.5)
    assert probability is not None
    assert (probability.at(0.0), probability.at(1.0)) == (0, 1)
    assert probability.threshold == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("hits", "threshold", "is_sure"), [(0.2, None, False), (0.8, 0.0, True)])
def test_scores_that_tell_nothing(hits: float, threshold: float | None, is_sure: bool) -> None:
    probability = fitted(np.full(100, 0.3), np.arange(100) < hits * 100)
    assert probability is not None
    assert probability.threshold == threshold
    assert probability.at(0.9) == pytest.approx(hits)
    assert probability.is_sure(0.001) is is_sure


def test_there_is_no_fit_with_fewer_than_30_images() -> None:
    scores, hits = np.linspace(0, 1, 200), np.arange(200) > 90
    assert fitted(scores, hits, num_images=29) is None
    assert fitted(scores, hits, num_images=30) is not None


def test_a_probability_survives_json() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random(500).astype(np.float32)
    probability = fitted(scores, rng.random(500) < scores)
    assert probability is not None
    assert parse_hit_probability(json.loads(json.dumps(probability.as_dict()))) == probability
    assert len(probability.scores) <= 20


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": []},
        {"scores": [0.2, 0.1]},
        {"scores": [0.1, float("nan")]},
        {"probabilities": [0.9, 0.1]},
        {"probabilities": [0.1, 1.1]},
        {"probabilities": [-0.1, 0.2]},
        {"probabilities": [0.5]},
        {"scores": ["low", "high"]},
        {"threshold": "high"},
        {"num_images": None},
    ],
)
def test_a_damaged_probability_is_rejected(changes: dict[str, Any]) -> None:
    values = {
        "split": "val",
        "num_sentences": 100,
        "num_images": 50,
        "scores": [0.1, 0.2],
        "probabilities": [0.3, 0.6],
        "threshold": 0.17,
    }
    assert parse_hit_probability(values).threshold == 0.17
    with pytest.raises((KeyError, TypeError, ValueError)):
        parse_hit_probability(values | changes)
