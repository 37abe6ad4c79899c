"""What a comparison can detect, how many more seeds or images it needs, and what a new run would show."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.special import ndtr, stdtrit

from cliprpn.statistics.intervals import Difference
from cliprpn.statistics.measurement import Measurement
from cliprpn.statistics.variance import (
    NO_SEEDS,
    ZERO_VARIANCE,
    SeedTerms,
    image_variance,
    population_of,
    total_variance,
)

ALPHA = 0.05
POWER = 0.8
# More are no plan.
MAX_SEEDS = 1000
MAX_IMAGES = 10_000_000


def detectable_difference(difference: Difference, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """The smallest true difference that such a comparison finds with probability `power`.

    Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, with t in place of normal quantiles.

    Args:
        alpha: level of the two-sided test.

    Returns:
        In the metric's unit; None without an interval, or if the settings give the same answers.
    """
    if difference.low is None or difference.variance <= ZERO_VARIANCE:
        return None
    return _detectable(difference.variance, difference.degrees_of_freedom, alpha, power)


def num_seeds_needed(
    a: Measurement, b: Measurement, target: float, alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """The number of seeds of each setting with which a difference of `target` is detectable on these images.

    Args:
        target: the difference to find, in the metric's unit; its sign does not matter.

    Returns:
        At least 2; None if no number suffices, as the images alone vary too much or the target is 0, or if the
        variance of training is unknown: for settings of a single seed, and without any seeds.
    """
    if target == 0 or population_of(a, b) == "checkpoints":
        return None
    by_images = image_variance(a.mean_influence - b.mean_influence)

    def detectable(num_seeds: int) -> float:
        terms = (_terms_of(setting, num_seeds) for setting in (a, b))
        variance, df = total_variance(by_images, a.num_images, *terms)
        return _detectable(float(variance), float(df), alpha, power)

    return _smallest(lambda num_seeds: detectable(num_seeds) <= abs(target), 2, MAX_SEEDS)


def num_images_needed(
    a: Measurement, b: Measurement, target: float, alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """The number of images like these with which a difference of `target` is detectable with these seeds.

    Args:
        target: the difference to find, in the metric's unit; its sign does not matter.

    Returns:
        None if no number suffices, as training alone varies too much or the target is 0.
    """
    if target == 0:
        return None
    by_images = image_variance(a.mean_influence - b.mean_influence)
    is_procedure = population_of(a, b) == "procedure"
    terms = [_terms_of(setting, setting.num_seeds) if is_procedure else NO_SEEDS for setting in (a, b)]

    def detectable(num_images: int) -> float:
        variance, df = total_variance(by_images * a.num_images / num_images, num_images, *terms)
        return _detectable(float(variance), float(df), alpha, power)

    return _smallest(lambda num_images: detectable(num_images) <= abs(target), 2, MAX_IMAGES)


def chance_ahead(a: Measurement, b: Measurement) -> float | None:
    """The chance that one new run of `a` is ahead of one new run of `b` on new images.

    Returns:
        A probability; 1/2 for settings with the same answers. None if the variance of training is unknown: for
        settings of a single seed, and without any seeds.
    """
    if population_of(a, b) == "checkpoints":
        return None
    mean = a.mean - b.mean
    variance = image_variance(a.mean_influence - b.mean_influence)
    for setting in (a, b):
        # One run has the noise of R = 1 where the mean over seeds has that of R.
        variance += setting.churn * (1 - 1 / setting.num_seeds)
        variance += setting.training_variance * (1 + 1 / setting.num_seeds)
    if variance <= ZERO_VARIANCE:
        return 0.5 if abs(mean) <= math.sqrt(ZERO_VARIANCE) else float(mean > 0)
    return float(ndtr(mean / math.sqrt(variance)))


def _terms_of(setting: Measurement, num_seeds: int) -> SeedTerms:
    """The terms that a setting with seeds is expected to have with another number of them."""
    if not setting.has_seeds:
        return NO_SEEDS
    return SeedTerms(setting.seed_variance / num_seeds, setting.training_variance / num_seeds, num_seeds - 1)


def _detectable(variance: float, df: float, alpha: float, power: float) -> float:
    return float(stdtrit(df, 1 - alpha / 2) + stdtrit(df, power)) * math.sqrt(variance)


def _smallest(suffices: Callable[[int], bool], low: int, high: int) -> int | None:
    """The smallest number in [low, high] that suffices, where all larger ones do, too; None if none does."""
    if not suffices(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return high
