"""Figures, differences and their intervals, over images and seeds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import t as student
from scipy.stats import ttest_1samp, ttest_ind
from synthetic_hits import SyntheticSetting, draw_measurements

from cliprpn.statistics.intervals import Difference, compare, estimate
from cliprpn.statistics.measurement import ImageGroups, Measurement, measure
from cliprpn.statistics.variance import population_of


def random_hits(seed: int, num_seeds: int = 3, num_rows: int = 150) -> NDArray:
    return (np.random.default_rng(seed).random((num_seeds, num_rows)) < 0.6).astype(float)


def images_of(num_rows: int = 150, num_images: int = 40) -> NDArray:
    """Ids with gaps; every image has a row, and some have many."""
    extra = np.random.default_rng(9).integers(0, num_images, num_rows - num_images)
    return np.concatenate([np.arange(num_images), extra]) * 7 + 100


def measured(seed: int, num_seeds: int = 3, has_seeds: bool = True) -> Measurement:
    return measure(random_hits(seed, num_seeds), None, ImageGroups(images_of()), has_seeds)


def by_hand(x: NDArray, y: NDArray, images: NDArray) -> tuple[float, float, float]:
    """Variance over images, total variance and degrees of freedom of a difference of hits [R, N], by loops."""
    n, ids = x.shape[1], np.unique(images)
    num_images = len(ids)
    d = x.mean() - y.mean()
    by_images = 0.0
    for image in ids:
        rows = images == image
        d_g = (x[:, rows].mean(axis=0) - y[:, rows].mean(axis=0)).sum()
        by_images += (d_g - rows.sum() * d) ** 2 / n**2
    by_images *= num_images / (num_images - 1)
    total, divisor = by_images, by_images**2 / (num_images - 1)
    for hits in (x, y):
        num = len(hits)
        p = hits.mean(axis=1)
        s2 = sum((p_r - p.mean()) ** 2 for p_r in p) / (num - 1)
        churn = 0.0
        for image in ids:
            rows = images == image
            mean_x = hits[:, rows].sum(axis=1).mean()
            for r in range(num):
                e = (hits[r, rows].sum() - mean_x) - rows.sum() * (p[r] - p.mean())
                churn += e**2 / (n**2 * (num - 1))
        total += max(0.0, s2 - churn) / num
        divisor += (s2 / num) ** 2 / (num - 1)
    return by_images, total, max(min(len(x), len(y)) - 1, total**2 / divisor)


@pytest.mark.parametrize(("num_a", "num_b"), [(3, 3), (2, 5)])
def test_a_difference_has_the_variance_of_images_and_of_each_settings_seeds(num_a: int, num_b: int) -> None:
    x, y, images = random_hits(1, num_a), random_hits(2, num_b), images_of()
    # One seed that is better makes training vary beyond the noise of images.
    x[0] = np.maximum(x[0], random_hits(3, 1)[0])
    groups = ImageGroups(images)
    difference = compare(measure(x, None, groups, True), measure(y, None, groups, True))
    by_images, total, df = by_hand(x, y, images)
    assert difference.image_variance == pytest.approx(by_images)
    assert difference.variance == pytest.approx(total)
    assert total > by_images
    assert difference.degrees_of_freedom == pytest.approx(df)
    assert difference.mean == pytest.approx(x.mean() - y.mean())
    half = student.ppf(0.975, df) * math.sqrt(total)
    assert (difference.low, difference.high) == pytest.approx(
        (max(-1, difference.mean - half), min(1, difference.mean + half))
    )
    assert difference.p_value == pytest.approx(2 * student.sf(abs(difference.mean) / math.sqrt(total), df))
    assert difference.population == "procedure"


def test_on_single_expressions_without_seeds_it_is_the_paired_t_test() -> None:
    x, y = random_hits(1, 1), random_hits(2, 1)
    groups = ImageGroups(np.arange(150))
    difference = compare(measure(x, None, groups, False), measure(y, None, groups, False))
    expected = ttest_1samp((x - y)[0], 0)
    assert difference.p_value == pytest.approx(expected.pvalue)
    assert (difference.low, difference.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert difference.degrees_of_freedom == pytest.approx(149)
    assert difference.population == "checkpoints"


def test_where_images_do_not_matter_it_is_welchs_t_test_over_seeds() -> None:
    a, b = np.array([0.70, 0.74, 0.71]), np.array([0.66, 0.60, 0.69, 0.65])
    groups = ImageGroups(np.arange(40))

    def constant(per_seed: NDArray) -> Measurement:
        return measure(np.repeat(per_seed[:, None], 40, axis=1), None, groups, True)

    difference = compare(constant(a), constant(b))
    expected = ttest_ind(a, b, equal_var=False)
    assert difference.image_variance == pytest.approx(0, abs=1e-30)
    assert difference.degrees_of_freedom == pytest.approx(expected.df)
    assert difference.p_value == pytest.approx(expected.pvalue)
    assert (difference.low, difference.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_a_single_setting_has_its_own_images_and_seeds() -> None:
    setting = measured(1)
    nothing = measure(np.zeros((1, 150)), None, ImageGroups(images_of()), has_seeds=False)
    difference = compare(setting, nothing)
    assert estimate(setting) == pytest.approx((difference.mean, difference.low, difference.high))


def test_a_level_of_90_percent_is_narrower() -> None:
    a, b = measured(1), measured(2)
    narrow, wide = compare(a, b, level=0.9), compare(a, b)
    ratio = student.ppf(0.95, wide.degrees_of_freedom) / student.ppf(0.975, wide.degrees_of_freedom)
    assert width(narrow) == pytest.approx(ratio * width(wide))
    assert narrow.p_value == wide.p_value


def width(difference: Difference) -> float:
    assert difference.low is not None and difference.high is not None
    return difference.high - difference.low


def test_seeds_of_one_image_noise_are_not_counted_twice() -> None:
    """Training does not vary here: all that seeds differ by is noise that the images already hold."""
    (setting,) = next(draw_measurements([SyntheticSetting(num_seeds=200)], 1, seed=0))
    assert setting.seed_variance == pytest.approx(setting.churn, rel=0.25)
    assert setting.training_variance < 0.25 * setting.seed_variance


def test_a_setting_without_seeds_has_no_seed_term_but_the_other_one_has() -> None:
    trained = measured(1)
    fixed = replace(measured(2, num_seeds=1), has_seeds=False)
    difference = compare(trained, fixed)
    assert difference.population == "procedure"
    assert difference.variance == pytest.approx(difference.image_variance + trained.training_variance / 3)
    by_seeds = (trained.seed_variance / 3) ** 2 / 2
    expected = difference.variance**2 / (by_seeds + difference.image_variance**2 / 39)
    assert difference.degrees_of_freedom == pytest.approx(max(2, expected))


def test_the_degrees_of_freedom_are_at_least_those_of_fewest_seeds() -> None:
    """The seeds' variance is all noise of images here, and that noise is larger than the images' variance."""
    influence = np.array([[1.0, -1.0], [-1.0, 1.0]] * 20).T / 40  # opposite answers of two seeds
    setting = Measurement(np.array([0.5, 0.7]), influence, has_seeds=True)
    difference = compare(setting, replace(setting, per_seed=np.array([0.5, 0.6])))
    assert difference.degrees_of_freedom >= 1


@pytest.mark.parametrize("trained_alone", [True, False])
def test_a_single_seed_of_either_side_limits_the_statement_to_these_checkpoints(trained_alone: bool) -> None:
    several = measured(1)
    other = measured(2, num_seeds=1)
    a, b = (other, several) if trained_alone else (several, other)
    difference = compare(a, b)
    assert difference.population == population_of(a, b) == "checkpoints"
    assert difference.variance == difference.image_variance
    assert difference.degrees_of_freedom == pytest.approx(39)


def test_populations_of_single_settings() -> None:
    assert population_of(measured(1)) == "procedure"
    assert population_of(measured(1, num_seeds=1)) == "checkpoints"
    assert population_of(measured(1, num_seeds=3, has_seeds=False)) == "checkpoints"


def test_a_ratio_is_linearized() -> None:
    """oIoU: close to what scipy's bootstrap over images gives."""
    rng = np.random.default_rng(0)
    unions = rng.uniform(50, 150, (3, 900))
    intersections = unions * rng.beta(2, 2, (3, 900))
    images = np.repeat(np.arange(300), 3)
    setting = measure(intersections, unions, ImageGroups(images), has_seeds=False)
    assert setting.per_seed == pytest.approx(intersections.sum(axis=1) / unions.sum(axis=1))
    assert setting.influence.sum(axis=1) == pytest.approx(np.zeros(3), abs=1e-12)
    draws = []
    for _ in range(4000):
        rows = (rng.integers(300, size=300)[:, None] * 3 + np.arange(3)).ravel()
        draws.append((intersections[:, rows].sum(axis=1) / unions[:, rows].sum(axis=1)).mean())
    low, high = np.quantile(draws, [0.025, 0.975])
    interval = estimate(setting)
    assert interval.low == pytest.approx(low, abs=0.05 * (high - low))
    assert interval.high == pytest.approx(high, abs=0.05 * (high - low))


def test_a_subset_has_only_the_images_of_its_rows() -> None:
    images = images_of()
    rows = images < 100 + 7 * 35  # 35 of 40 images
    groups = ImageGroups(images)
    hits = random_hits(1)
    selected = measure(hits[:, rows], None, groups.select(rows), has_seeds=True)
    direct = measure(hits[:, rows], None, ImageGroups(images[rows]), has_seeds=True)
    assert selected.num_images == 35
    assert estimate(selected) == estimate(direct)


def test_under_30_images_there_is_no_interval() -> None:
    images = np.arange(150) % 29
    a, b = (measure(random_hits(seed), None, ImageGroups(images), True) for seed in (1, 2))
    assert estimate(a) == (a.mean, None, None)
    difference = compare(a, b)
    assert (difference.low, difference.high, difference.p_value) == (None, None, None)
    assert difference.mean == a.mean - b.mean
    thirty = ImageGroups(np.arange(150) % 30)
    assert estimate(measure(random_hits(1), None, thirty, True)).low is not None


def test_one_image_is_no_error() -> None:
    one = measure(random_hits(1, 1), None, ImageGroups(np.zeros(150)), has_seeds=False)
    assert estimate(one) == (one.mean, None, None)
    assert compare(one, one).same_answers


@pytest.mark.parametrize("has_seeds", [True, False])
def test_at_0_and_100_percent_the_interval_is_exact(has_seeds: bool) -> None:
    """The upper limit of 0 of 87 is 4.2 %."""
    groups = ImageGroups(np.arange(174) // 2)
    nothing = estimate(measure(np.zeros((2, 174)), None, groups, has_seeds))
    everything = estimate(measure(np.ones((2, 174)), None, groups, has_seeds))
    assert nothing == pytest.approx((0, 0, 1 - 0.025 ** (1 / 87)))
    assert nothing.high == pytest.approx(0.042, abs=0.0005)
    assert everything == pytest.approx((1, 0.025 ** (1 / 87), 1))


def test_an_interval_is_clipped_to_what_is_possible() -> None:
    hits = np.zeros((1, 150))
    hits[0, 0] = 1
    low = estimate(measure(hits, None, ImageGroups(images_of()), has_seeds=False))
    assert low.low == 0 and low.high is not None and low.high > low.mean
    a = measure(1 - hits, None, ImageGroups(images_of()), has_seeds=False)
    b = measure(hits, None, ImageGroups(images_of()), has_seeds=False)
    difference = compare(a, b)
    assert difference.high == 1 and difference.low is not None and difference.low < difference.mean


@pytest.mark.parametrize("has_seeds", [True, False])
def test_the_same_answers_are_named_so(has_seeds: bool) -> None:
    x = random_hits(1)
    x[0, :60] = 1  # training varies
    groups = ImageGroups(images_of())
    difference = compare(measure(x, None, groups, has_seeds), measure(x[[2, 0, 1]], None, groups, has_seeds))
    assert difference.same_answers
    assert (difference.mean, difference.p_value) == (0, 1)
    assert not compare(measured(1), measured(2)).same_answers
    # The same mean with other answers.
    y = x[:, ::-1].copy()
    assert not compare(measure(x, None, groups, has_seeds), measure(y, None, groups, has_seeds)).same_answers


def test_if_all_images_differ_alike_the_signs_decide() -> None:
    groups = ImageGroups(images_of())
    ones, zeros = (measure(np.full((1, 150), value), None, groups, False) for value in (1.0, 0.0))
    difference = compare(ones, zeros)
    assert difference.p_value == 2 / 2**40
    assert not difference.same_answers
    assert difference.high == 1
    # As far from 1 as the fraction of images may be, on the scale of -1 to 1.
    assert difference.low == pytest.approx(1 - 2 * (1 - 0.025 ** (1 / 40)))


def test_the_order_of_seeds_rows_and_sides_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    x, y, images = random_hits(1), random_hits(2, 5), images_of()
    rows, shuffled = rng.permutation(150), rng.permutation(5)
    groups, permuted = ImageGroups(images), ImageGroups(images[rows])
    first = compare(measure(x, None, groups, True), measure(y, None, groups, True))
    again = compare(
        measure(x[::-1][:, rows], None, permuted, True), measure(y[shuffled][:, rows], None, permuted, True)
    )
    assert first == again  # bit by bit
    swapped = compare(measure(y, None, groups, True), measure(x, None, groups, True))
    assert first.low is not None and first.high is not None
    assert (swapped.mean, swapped.low, swapped.high) == (-first.mean, -first.high, -first.low)
    assert swapped.p_value == first.p_value


@pytest.mark.parametrize(
    ("numerators", "denominators", "message"),
    [
        (np.ones((1, 3)), None, "150"),
        (np.ones((2, 150)), np.ones((1, 150)), r"\(2, 150\)"),
        (np.ones((1, 150)), np.zeros((1, 150)), "above 0"),
    ],
)
def test_bad_shapes_are_errors(numerators: NDArray, denominators: NDArray | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        measure(numerators, denominators, ImageGroups(images_of()), has_seeds=True)


def test_other_images_cannot_be_compared() -> None:
    other = measure(random_hits(1), None, ImageGroups(np.arange(150)), has_seeds=True)
    with pytest.raises(ValueError, match="40 and 150"):
        compare(measured(1), other)
