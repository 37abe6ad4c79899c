"""Detectable differences, seeds and images needed, and the chance that a new run is ahead."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student
from synthetic_hits import SyntheticSetting, draw_measurements

from cliprpn.statistics.intervals import compare
from cliprpn.statistics.measurement import ImageGroups, Measurement, measure
from cliprpn.statistics.planning import (
    chance_ahead,
    detectable_difference,
    num_images_needed,
    num_seeds_needed,
)


def pair(training_sd: float = 0.03, num_seeds: int = 3, seed: int = 0) -> list[Measurement]:
    settings = [SyntheticSetting(0.72, training_sd, num_seeds), SyntheticSetting(0.7, training_sd, num_seeds)]
    return next(draw_measurements(settings, 1, seed))


def test_the_detectable_difference_has_80_percent_power() -> None:
    difference = compare(*pair())
    df = difference.degrees_of_freedom
    expected = (student.ppf(0.975, df) + student.ppf(0.8, df)) * math.sqrt(difference.variance)
    assert detectable_difference(difference) == pytest.approx(expected)
    stricter = detectable_difference(difference, alpha=0.01)
    assert stricter is not None and stricter > expected


def test_without_an_interval_or_with_the_same_answers_nothing_is_detectable() -> None:
    small = measure(np.arange(20) % 2, None, ImageGroups(np.arange(20)), has_seeds=False)
    assert detectable_difference(compare(small, small)) is None
    same = measure(np.arange(40) % 2, None, ImageGroups(np.arange(40)), has_seeds=False)
    assert detectable_difference(compare(same, same)) is None


def detectable_with(a: Measurement, b: Measurement, num_seeds: int, num_images: int) -> float:
    """The detectable difference with another number of seeds and images, by the formula."""
    by_images = compare(a, b).image_variance * a.num_images / num_images
    training = (a.training_variance + b.training_variance) / num_seeds
    total = by_images + training
    squares = sum((setting.seed_variance / num_seeds) ** 2 / (num_seeds - 1) for setting in (a, b))
    df = max(num_seeds - 1, total**2 / (squares + by_images**2 / (num_images - 1)))
    return (student.ppf(0.975, df) + student.ppf(0.8, df)) * math.sqrt(total)


def test_the_number_of_seeds_is_the_smallest_that_suffices() -> None:
    a, b = pair()
    target = 0.05
    num = num_seeds_needed(a, b, target)
    assert num is not None and num > 3
    assert detectable_with(a, b, num, 360) <= target < detectable_with(a, b, num - 1, 360)
    assert num_seeds_needed(a, b, -target) == num


def test_no_number_of_seeds_may_suffice() -> None:
    """Images alone allow to detect about 3.3 points."""
    a, b = pair()
    images_only = compare(replace(a, has_seeds=False), replace(b, has_seeds=False))
    floor = detectable_difference(images_only)
    assert floor is not None
    assert num_seeds_needed(a, b, 0.99 * floor) is None
    assert num_seeds_needed(a, b, 1.05 * floor) is not None


def test_the_number_of_images_is_the_smallest_that_suffices() -> None:
    a, b = pair(training_sd=0.005, num_seeds=10)
    target = 0.02
    num = num_images_needed(a, b, target)
    assert num is not None and num > 360
    assert detectable_with(a, b, 10, num) <= target < detectable_with(a, b, 10, num - 1)


def test_no_number_of_images_may_suffice() -> None:
    assert num_images_needed(*pair(), 0.02) is None
    fixed = [replace(setting, has_seeds=False) for setting in pair()]
    assert num_images_needed(*fixed, 0.02) is not None


def test_of_a_single_seed_nothing_is_known_about_training() -> None:
    a, b = pair(num_seeds=1)
    assert num_seeds_needed(a, b, 0.5) is None
    assert chance_ahead(a, b) is None
    fixed = [replace(setting, has_seeds=False) for setting in (a, b)]
    assert chance_ahead(*fixed) is None


def test_no_difference_needs_no_number() -> None:
    a, b = pair()
    assert num_seeds_needed(a, b, 0) is None and num_images_needed(a, b, 0) is None
    assert num_seeds_needed(a, a, 0) is None and num_images_needed(a, a, 0) is None


def test_the_chance_of_a_new_run_by_the_formula() -> None:
    a, b = pair(num_seeds=4)
    variance = compare(a, b).image_variance
    for setting in (a, b):
        variance += setting.churn * (1 - 1 / 4) + setting.training_variance * (1 + 1 / 4)
    expected = norm.cdf((a.mean - b.mean) / math.sqrt(variance))
    chance = chance_ahead(a, b)
    assert chance == pytest.approx(expected)
    assert chance is not None and chance_ahead(b, a) == pytest.approx(1 - chance)
    assert chance_ahead(a, a) == pytest.approx(0.5)


def test_the_chance_is_that_of_new_runs() -> None:
    """A run is ahead in as many draws of images and seeds as the formula says."""
    settings = [SyntheticSetting(0.72, 0.02, 8), SyntheticSetting(0.7, 0.01, 8)]
    draws = list(draw_measurements(settings, 300, seed=1))
    ahead = np.mean([a.per_seed[0] > b.per_seed[0] for a, b in draws])
    wide = np.median([(chance_ahead(a, b) or 0) for a, b in draws])
    assert wide == pytest.approx(ahead, abs=0.06)  # the standard error of `ahead` is 0.026
