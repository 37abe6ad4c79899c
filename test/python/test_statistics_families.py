"""Several comparisons at once, and equivalence."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW
from synthetic_hits import SyntheticSetting, draw_measurements

from cliprpn.statistics.families import holm, is_equivalent, pairwise
from cliprpn.statistics.intervals import compare
from cliprpn.statistics.measurement import ImageGroups, Measurement, measure


def drawn(settings: list[SyntheticSetting], seed: int = 0) -> list[Measurement]:
    return next(draw_measurements(settings, 1, seed))


@pytest.mark.parametrize("seed", range(5))
def test_holm_equals_statsmodels(seed: int) -> None:
    p_values = np.random.default_rng(seed).beta(0.3, 3, 12)
    p_values[3] = p_values[7]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_holm_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_comparison_without_a_p_value_is_not_in_the_family() -> None:
    assert holm([0.04, None, 0.01, math.nan]) == [0.04, None, 0.02, None]


def differences_of(seed: int, num: int = 200, shift: float = 0.01) -> NDArray:
    return np.random.default_rng(seed).normal(shift, 0.3, num)


@pytest.mark.parametrize("seed", range(4))
def test_two_one_sided_tests_equal_statsmodels(seed: int) -> None:
    values = differences_of(seed)
    groups = ImageGroups(np.arange(len(values)))
    a = measure(values, None, groups, has_seeds=False)
    b = measure(np.zeros(len(values)), None, groups, has_seeds=False)
    difference = compare(a, b)
    margins = np.linspace(0.005, 0.2, 60)
    expected = [DescrStatsW(values).ttost_mean(-margin, margin)[0] < 0.05 for margin in margins]
    assert [is_equivalent(difference, margin) for margin in margins] == expected
    assert True in expected and False in expected
    ninety = compare(a, b, level=0.9)
    assert ninety.low is not None and ninety.high is not None
    limit = max(-ninety.low, ninety.high)
    assert is_equivalent(difference, limit + 1e-9) and not is_equivalent(difference, limit - 1e-9)


def test_under_30_images_nothing_is_equivalent() -> None:
    groups = ImageGroups(np.arange(29))
    a = measure(np.zeros(29), None, groups, has_seeds=False)
    assert not is_equivalent(compare(a, a), 0.5)


def mixed_settings() -> list[SyntheticSetting]:
    return [
        SyntheticSetting(0.7, 0.01),
        SyntheticSetting(0.7, 0.03, num_seeds=5),
        SyntheticSetting(0.72, 0.0, num_seeds=2),
        SyntheticSetting(0.6, 0.0, num_seeds=1, has_seeds=False),
        SyntheticSetting(0.65, 0.01, num_seeds=1),
    ]


def test_all_pairs_at_once_equal_each_comparison() -> None:
    settings = drawn(mixed_settings())
    settings.append(replace(settings[0], per_seed=settings[0].per_seed.copy()))  # the same answers
    nearly = settings[3].influence.copy()
    nearly[:, 5] += 1e-7
    settings.append(replace(settings[3], influence=nearly))  # nearly the same
    table = pairwise(settings)
    for i, a in enumerate(settings):
        for j, b in enumerate(settings):
            difference = compare(a, b)
            assert table.differences[i, j] == difference.mean
            assert table.p_values[i, j] == pytest.approx(difference.p_value, rel=1e-7)
            assert table.variances[i, j] == pytest.approx(difference.variance, rel=1e-7, abs=1e-24)
            assert table.degrees_of_freedom[i, j] == pytest.approx(difference.degrees_of_freedom, rel=1e-7)


def test_pairs_are_adjusted_as_one_family() -> None:
    settings = drawn([SyntheticSetting(0.7 + 0.01 * k) for k in range(6)])
    table = pairwise(settings)
    adjusted = table.p_adjusted()
    upper = np.triu_indices(6, 1)
    assert list(adjusted[upper]) == pytest.approx(holm(table.p_values[upper]))
    assert (adjusted == adjusted.T).all() and (np.diag(adjusted) == 1).all()


def test_the_order_of_settings_changes_nothing() -> None:
    settings = drawn(mixed_settings())
    order = np.array([3, 0, 4, 2, 1])
    table, permuted = pairwise(settings), pairwise([settings[k] for k in order])
    assert permuted.p_values == pytest.approx(table.p_values[np.ix_(order, order)], rel=1e-9)
    assert permuted.p_adjusted() == pytest.approx(table.p_adjusted()[np.ix_(order, order)], rel=1e-9)


def test_under_30_images_no_pair_has_a_p_value() -> None:
    groups = ImageGroups(np.arange(60) % 29)
    rng = np.random.default_rng(0)
    settings = [measure(rng.random((3, 60)) < 0.5, None, groups, True) for _ in range(3)]
    table = pairwise(settings)
    assert np.isnan(table.p_values[np.triu_indices(3, 1)]).all()
    assert holm(table.p_values[np.triu_indices(3, 1)]) == [None] * 3


def test_hundreds_of_settings_need_no_comparison_of_single_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    settings = [
        Measurement(rng.normal(0.7, 0.01, 3), rng.standard_normal((3, 2600)) / 1e5, has_seeds=True)
        for _ in range(333)
    ]
    expected = compare(settings[7], settings[300])
    monkeypatch.setattr("cliprpn.statistics.families.compare", None)
    table = pairwise(settings)
    assert table.p_values[7, 300] == pytest.approx(expected.p_value, rel=1e-7)
    assert table.p_adjusted().shape == (333, 333)
