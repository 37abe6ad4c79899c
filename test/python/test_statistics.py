"""Confidence intervals over images, as the sentences of one image are correlated."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cliprpn.statistics import mean_interval, ratio_interval


def clustered_hits(seed: int, num_images: int = 80, mean: float = 0.6) -> tuple[NDArray, NDArray]:
    """Hits of 2 to 8 sentences per image; an image is easy or hard for all of its sentences."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(2, 9, num_images)
    images = np.repeat(np.arange(num_images), counts)
    ease = rng.beta(mean, 1 - mean, num_images)  # nearly 0 or nearly 1
    return (rng.random(len(images)) < ease[images]).astype(float), images


def test_the_coverage_is_close_to_nominal() -> None:
    """95 of 100 are expected; fewer than 88 occur by chance once in 300 seeds, and these seeds are fixed."""
    covered = {"images": 0, "sentences": 0}
    for seed in range(100):
        hits, images = clustered_hits(seed)
        for name, groups in (("images", images), ("sentences", np.arange(len(hits)))):
            interval = mean_interval(hits, groups)
            covered[name] += interval.low <= 0.6 <= interval.high
    assert covered["images"] >= 88
    assert (
        covered["sentences"] <= 80
    )  # Treating sentences as independent gives intervals that are too narrow.


def test_an_interval_over_images_is_wider_than_one_over_sentences() -> None:
    hits, images = clustered_hits(1)
    clustered, independent = mean_interval(hits, images), mean_interval(hits, np.arange(len(hits)))
    assert clustered.mean == independent.mean == pytest.approx(hits.mean())
    assert clustered.high - clustered.low > 1.4 * (independent.high - independent.low)


def test_without_clusters_the_interval_is_the_textbook_one() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)
    interval = mean_interval(values, np.arange(400))
    half = 1.96 * values.std() / 20
    assert (interval.low, interval.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.02
    )


def test_the_same_seed_gives_the_same_interval_for_any_image_ids() -> None:
    hits, images = clustered_hits(2)
    assert mean_interval(hits, images) == mean_interval(hits, images)
    assert mean_interval(hits, images * 1000 + 7) == mean_interval(hits, images)
    assert mean_interval(hits, images, seed=1) != mean_interval(hits, images)


def test_a_paired_difference_is_narrower_than_its_parts() -> None:
    hits, images = clustered_hits(3)
    better = np.maximum(hits, np.random.default_rng(0).random(len(hits)) < 0.1)
    difference = mean_interval(better - hits, images)
    part = mean_interval(hits, images)
    assert difference.low > 0  # `better` is never worse
    assert difference.high - difference.low < (part.high - part.low) / 2


def test_the_interval_of_no_difference_has_no_width() -> None:
    hits, images = clustered_hits(4)
    assert mean_interval(hits - hits, images) == (0, 0, 0)


def test_one_image_has_no_interval() -> None:
    assert mean_interval(np.array([0.0, 1.0]), np.array([5, 5])) == (0.5, 0.5, 0.5)


def test_a_ratio_is_a_ratio_of_sums() -> None:
    intersections, unions = np.array([900.0, 0.0, 50.0]), np.array([900.0, 100.0, 100.0])
    interval = ratio_interval(intersections, unions, np.array([1, 2, 3]))
    assert interval.mean == pytest.approx(950 / 1100)
    assert (interval.low, interval.high) == (0, 1)  # only the second image resampled, or only the first


def test_the_ratio_of_several_runs_is_their_mean() -> None:
    intersections, unions = np.array([[8.0, 1.0], [1.0, 1.0]]), np.array([[10.0, 10.0], [2.0, 2.0]])
    interval = ratio_interval(intersections, unions, np.array([1, 2]))
    assert interval.mean == pytest.approx((9 / 20 + 2 / 4) / 2)  # pooled, it would be 11 / 24
    # Only the second image resampled, or only the first: the same images for both runs.
    assert (interval.low, interval.high) == pytest.approx(((0.1 + 0.5) / 2, (0.8 + 0.5) / 2))
