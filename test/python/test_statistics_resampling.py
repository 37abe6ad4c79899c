"""Ranks over resampled images and seeds, and how much the best is overestimated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_hits import SyntheticSetting, draw_measurements

from cliprpn.statistics.measurement import ImageGroups, Measurement, measure
from cliprpn.statistics.resampling import NUM_RESAMPLES, optimism, rank_intervals, resample_weights

WEIGHTS = resample_weights(360)


def drawn(settings: list[SyntheticSetting], seed: int = 0) -> list[Measurement]:
    return next(draw_measurements(settings, 1, seed))


def test_weights_are_counts_of_draws_with_replacement() -> None:
    assert WEIGHTS.shape == (NUM_RESAMPLES, 360)
    assert (WEIGHTS.sum(axis=1) == 360).all()
    assert WEIGHTS.mean() == 1
    assert WEIGHTS.var() == pytest.approx(359 / 360, rel=0.01)
    assert (resample_weights(360) == WEIGHTS).all()
    assert (resample_weights(360, seed=1) != WEIGHTS).any()


def test_a_setting_far_ahead_is_first_and_equal_ones_share_the_other_ranks() -> None:
    settings = drawn(
        [SyntheticSetting(0.7), SyntheticSetting(0.95), SyntheticSetting(0.7), SyntheticSetting(0.4)]
    )
    ranks = rank_intervals(settings, WEIGHTS).tolist()
    assert ranks[1] == [1, 1] and ranks[3] == [4, 4]
    assert ranks[0] == ranks[2] == [2, 3]


def test_ranks_of_fixed_checkpoints_are_those_of_a_plain_bootstrap() -> None:
    rng = np.random.default_rng(3)
    hits = rng.random((4, 300)) < np.array([0.6, 0.58, 0.64, 0.5])[:, None]
    groups = ImageGroups(np.arange(300))  # one expression each: the linearization is exact
    settings = [measure(row, None, groups, has_seeds=False) for row in hits]
    weights = resample_weights(300)
    draws = (hits @ weights.T / 300).T.round(12)
    ranks = 1 + (draws[:, None, :] > draws[:, :, None]).sum(axis=2)
    expected = np.quantile(ranks, [0.025, 0.975], axis=0, method="inverted_cdf").T
    assert rank_intervals(settings, weights).tolist() == expected.tolist()


def test_training_that_varies_widens_the_ranks() -> None:
    settings = drawn([SyntheticSetting(0.7 + 0.03 * k, 0.05) for k in range(4)])
    fixed = [replace(setting, has_seeds=False) for setting in settings]
    wide, narrow = (np.diff(rank_intervals(each, WEIGHTS)).sum() for each in (settings, fixed))
    assert wide > narrow


def test_settings_with_the_same_answers_share_their_rank() -> None:
    (setting,) = drawn([SyntheticSetting(has_seeds=False, num_seeds=1)])
    assert rank_intervals([setting, setting, setting], WEIGHTS).tolist() == [[1, 1]] * 3
    assert optimism([setting, setting], WEIGHTS) == pytest.approx(0, abs=1e-12)


def test_the_order_of_settings_and_seeds_changes_nothing() -> None:
    settings = drawn([SyntheticSetting(0.7, 0.02) for _ in range(5)])
    order = np.array([4, 2, 0, 3, 1])
    permuted = [
        replace(settings[k], per_seed=settings[k].per_seed[::-1], influence=settings[k].influence[::-1])
        for k in order
    ]
    assert (rank_intervals(permuted, WEIGHTS) == rank_intervals(settings, WEIGHTS)[order]).all()
    assert optimism(permuted, WEIGHTS) == pytest.approx(optimism(settings, WEIGHTS), abs=1e-12)


def test_the_best_of_equal_settings_is_overestimated() -> None:
    """The estimate is near the true bias, and clearly above 0."""
    settings = [SyntheticSetting(0.7, 0.005) for _ in range(5)]
    draws = list(draw_measurements(settings, 60, seed=2))
    true = np.mean([max(setting.mean for setting in each) - 0.7 for each in draws])
    estimated = np.mean([optimism(each, WEIGHTS) for each in draws])
    assert 0.5 * true < estimated < 1.5 * true
    assert estimated > 0.004


def test_a_single_setting_or_one_far_ahead_is_not_overestimated() -> None:
    settings = drawn([SyntheticSetting(0.95), SyntheticSetting(0.7), SyntheticSetting(0.7)])
    assert optimism(settings, WEIGHTS) == pytest.approx(0, abs=1e-12)
    assert optimism(settings[1:2], WEIGHTS) == pytest.approx(0, abs=1e-12)
    assert optimism(settings[1:], WEIGHTS) > 0.001
