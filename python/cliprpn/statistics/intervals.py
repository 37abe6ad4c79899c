"""Confidence intervals of a figure, and of the difference of two settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from scipy.special import betaincinv, stdtr, stdtrit

from cliprpn.statistics.measurement import Measurement
from cliprpn.statistics.variance import (
    ZERO_VARIANCE,
    Population,
    image_variance,
    population_of,
    seed_terms,
    total_variance,
)

CONFIDENCE = 0.95
# With fewer images there is no interval.
MIN_IMAGES = 30
Bounds = tuple[float, float]


class Estimate(NamedTuple):
    """An estimate with its confidence interval; without one below `MIN_IMAGES` images."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Difference:
    """The difference of two settings, a - b, in the metric's unit.

    Args:
        low: lower end of the confidence interval; None below `MIN_IMAGES` images.
        high: upper end.
        variance: of the mean, over images and, for `procedure`, seeds.
        degrees_of_freedom: of the variance.
        image_variance: the part of images; contains the noise of the answers of each seed.
        p_value: two-sided, of no difference; None below `MIN_IMAGES` images.
        population: what the interval and the p-value are about.
        same_answers: whether the settings agree on every image.
    """

    mean: float
    low: float | None
    high: float | None
    variance: float
    degrees_of_freedom: float
    image_variance: float
    p_value: float | None
    population: Population
    same_answers: bool


def estimate(measurement: Measurement, level: float = CONFIDENCE, bounds: Bounds = (0.0, 1.0)) -> Estimate:
    """The mean over seeds with its interval: t over images and seeds, clipped to the bounds.

    Where every row is at a bound, the interval is exact for a fraction of images (Clopper and Pearson, The use
    of confidence or fiducial limits, 1934): nothing right on 87 images still allows 4.2 %.

    Args:
        level: of confidence.
        bounds: the smallest and the largest possible value of the metric.
    """
    mean, num_images = measurement.mean, measurement.num_images
    if num_images < MIN_IMAGES:
        return Estimate(mean, None, None)
    terms = seed_terms(measurement, population_of(measurement))
    by_images = image_variance(measurement.mean_influence)
    variance, df = total_variance(by_images, num_images, terms)
    return Estimate(mean, *interval(mean, float(variance), float(df), num_images, level, bounds))


def compare(
    a: Measurement, b: Measurement, level: float = CONFIDENCE, bounds: Bounds = (-1.0, 1.0)
) -> Difference:
    """The difference a - b on the same images, paired by image; seeds are not pairs.

    Args:
        level: of confidence.
        bounds: the smallest and the largest possible difference.

    Raises:
        ValueError: if the numbers of images differ.
    """
    if a.num_images != b.num_images:
        raise ValueError(f"expected the same images, found {a.num_images} and {b.num_images}")
    population, num_images = population_of(a, b), a.num_images
    mean = a.mean - b.mean
    by_images = image_variance(a.mean_influence - b.mean_influence)
    total, df = total_variance(by_images, num_images, seed_terms(a, population), seed_terms(b, population))
    variance, degrees_of_freedom = float(total), float(df)
    has_interval = num_images >= MIN_IMAGES
    low, high = (
        interval(mean, variance, degrees_of_freedom, num_images, level, bounds)
        if has_interval
        else (None, None)
    )
    return Difference(
        mean=mean,
        low=low,
        high=high,
        variance=variance,
        degrees_of_freedom=degrees_of_freedom,
        image_variance=by_images,
        p_value=p_value(mean, variance, degrees_of_freedom, num_images) if has_interval else None,
        population=population,
        same_answers=by_images <= ZERO_VARIANCE and _is_zero(mean),
    )


def interval(
    mean: float, variance: float, df: float, num_images: int, level: float, bounds: Bounds
) -> tuple[float, float]:
    """Interval of Student's t, within the bounds; exact where all images are at a bound."""
    lowest, highest = bounds
    if variance <= ZERO_VARIANCE:
        # [0, x] or [1 - x, 1] of the way between the bounds.
        x = float(betaincinv(1, num_images, (1 + level) / 2))
        if _is_zero(mean - lowest):
            return lowest, lowest + x * (highest - lowest)
        if _is_zero(mean - highest):
            return highest - x * (highest - lowest), highest
        return mean, mean
    half = float(stdtrit(df, (1 + level) / 2)) * math.sqrt(variance)
    return max(lowest, mean - half), min(highest, mean + half)


def p_value(mean: float, variance: float, df: float, num_images: int) -> float:
    """Two-sided p-value of no difference.

    Without variance, all images differ alike: then by flipping the signs of images, 2 of 2^G assignments are as
    extreme.
    """
    if variance <= ZERO_VARIANCE:
        return 1.0 if _is_zero(mean) else 2.0 ** (1 - num_images)
    return float(2 * stdtr(df, -abs(mean) / math.sqrt(variance)))


def _is_zero(mean: float) -> bool:
    return abs(mean) <= math.sqrt(ZERO_VARIANCE)
