"""Coverage and false claims on synthetic hits of known accuracy. `npm run bench:simulation` prints more cases.

Draws are fixed. Bounds contain the Monte Carlo error: for 400 draws of ten pairs it is about half a point.
"""

from __future__ import annotations

import numpy as np
import pytest
from simulated_coverage import simulate
from synthetic_hits import SyntheticSetting, draw_measurements

from cliprpn.statistics.intervals import compare
from cliprpn.statistics.planning import detectable_difference


def equal(num: int, training_sd: float, num_seeds: int = 3) -> list[SyntheticSetting]:
    return [SyntheticSetting(0.7, training_sd, num_seeds) for _ in range(num)]


@pytest.mark.parametrize("training_sd", [0.0, 0.01, 0.02])
def test_intervals_contain_the_true_difference_in_95_of_100_cases(training_sd: float) -> None:
    settings = [SyntheticSetting(0.7 + 0.02 * k, training_sd) for k in range(5)]
    assert 0.93 <= simulate(settings, 400).coverage <= 0.97


def test_intervals_over_images_only_do_not() -> None:
    assert simulate(equal(5, 0.02), 200).images_only_coverage < 0.8


@pytest.mark.parametrize("num_seeds", [2, 3, 5])
def test_one_unstable_setting_is_covered(num_seeds: int) -> None:
    settings = [SyntheticSetting(0.7, 0.03, num_seeds), *equal(4, 0.004, num_seeds)]
    outcome = simulate(settings, 400, is_chosen=lambda i, j: i == 0)
    assert outcome.coverage >= 0.9
    assert outcome.images_only_coverage < outcome.coverage - 0.1


def test_two_seeds_are_covered() -> None:
    assert simulate(equal(5, 0.01, num_seeds=2), 300).coverage >= 0.92


def test_unequal_numbers_of_seeds_are_covered() -> None:
    settings = [SyntheticSetting(0.7, 0.01, num_seeds) for num_seeds in (2, 3, 5, 3, 8)]
    assert 0.93 <= simulate(settings, 400).coverage <= 0.97


def test_a_fixed_checkpoint_is_covered() -> None:
    settings = [SyntheticSetting(0.7, num_seeds=1, has_seeds=False), *equal(2, 0.02, num_seeds=4)]
    outcome = simulate(settings, 400, is_chosen=lambda i, j: i == 0)
    assert 0.92 <= outcome.coverage <= 0.98


@pytest.mark.parametrize("training_sd", [0.0, 0.01])
def test_one_of_two_equal_settings_is_rarely_called_best(training_sd: float) -> None:
    assert simulate(equal(2, training_sd), 700).beats_all <= 0.07


@pytest.mark.parametrize("training_sd", [0.0, 0.0043, 0.01])
def test_pairs_of_five_equal_settings_rarely_differ(training_sd: float) -> None:
    outcome = simulate(equal(5, training_sd), 300)
    assert outcome.any_row <= outcome.any_pair <= 0.07
    assert outcome.images_only_any_row > 0.2  # neither seeds nor the number of pairs count there


@pytest.mark.parametrize("training_sd", [0.0043, 0.01])
def test_pairs_of_twenty_equal_settings_rarely_differ(training_sd: float) -> None:
    assert simulate(equal(20, training_sd), 100).any_pair <= 0.09


@pytest.mark.parametrize("training_sd", [0.0, 0.015])
def test_a_planted_difference_is_found_as_often_as_planned(training_sd: float) -> None:
    """The difference that a pilot calls detectable at 80 % power."""
    pilot = [compare(*pair) for pair in draw_measurements(equal(2, training_sd), 100, seed=5)]
    planned = np.sqrt(np.mean([(detectable_difference(difference) or 0) ** 2 for difference in pilot]))
    settings = [SyntheticSetting(0.7 + planned, training_sd), SyntheticSetting(0.7, training_sd)]
    assert simulate(settings, 400).found == pytest.approx(0.8, abs=0.06)
    assert simulate(equal(2, training_sd), 200).found < 0.1
