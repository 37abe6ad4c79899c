"""The variance of an estimate over images and seeds, and its degrees of freedom."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cliprpn.statistics.measurement import Measurement, Values

# `procedure`: training again, with another seed, on new images. `checkpoints`: these checkpoints on new images.
Population = Literal["procedure", "checkpoints"]

# A variance of a metric in [0, 1] below this is rounding: a hit more of a million gives 1e-12 or more.
ZERO_VARIANCE = 1e-24


def population_of(*settings: Measurement) -> Population:
    """What a statement about these settings may generalize to.

    A single seed says nothing about training again. A fixed checkpoint has no seeds: compared with a setting of
    several seeds, the other's training varies.
    """
    trained = [setting for setting in settings if setting.has_seeds]
    several = all(setting.num_seeds >= 2 for setting in trained)
    return "procedure" if trained and several else "checkpoints"


class SeedTerms(NamedTuple):
    """The seeds' part in the variance of a mean over seeds: numbers, or arrays of settings.

    Args:
        seed: variance over seeds / R, which contains noise of the images.
        training: variance of training / R, without that noise.
        degrees_of_freedom: R - 1; infinite without seeds.
    """

    seed: Any
    training: Any
    degrees_of_freedom: Any


NO_SEEDS = SeedTerms(0.0, 0.0, np.inf)


def seed_terms(setting: Measurement, population: Population) -> SeedTerms:
    """The terms of a setting in a statement about a population."""
    if population == "checkpoints" or not setting.has_seeds:
        return NO_SEEDS
    num = setting.num_seeds
    return SeedTerms(setting.seed_variance / num, setting.training_variance / num, num - 1)


def image_variance(influence: NDArray) -> float:
    """Variance of an estimate over images, from the influence [G] of each."""
    return correction(len(influence)) * float(influence @ influence)


def correction(num_images: int) -> float:
    """G / (G - 1), which makes a variance over G images unbiased; 1 for a single image."""
    return num_images / max(num_images - 1, 1)


def total_variance(
    image_variance: Any, num_images: float, a: SeedTerms, b: SeedTerms = NO_SEEDS
) -> tuple[Values, Values]:
    """Variance of the difference of two settings, or of one, and its degrees of freedom.

    Every setting has a variance of its own (Welch, The generalization of "Student's" problem when several
    different population variances are involved, 1947). The degrees of freedom are those of Satterthwaite (An
    approximate distribution of estimates of variance components, 1946), but at least the smaller R - 1.

    Args:
        image_variance: [...], see `image_variance`.
        num_images: G.
        a: terms that broadcast with it.
        b: those of the other setting.

    Returns:
        Variance and degrees of freedom, each [...].
    """
    variance = np.asarray(image_variance + a.training + b.training)
    # The seeds' variance with the noise of images: as uncertain as it was estimated.
    squares = (
        a.seed**2 / a.degrees_of_freedom
        + b.seed**2 / b.degrees_of_freedom
        + image_variance**2 / max(num_images - 1, 1)
    )
    satterthwaite = np.divide(
        variance**2, squares, out=np.full(variance.shape, float(max(num_images - 1, 1))), where=squares > 0
    )
    fewest = np.minimum(a.degrees_of_freedom, b.degrees_of_freedom)
    return variance, np.maximum(np.where(np.isinf(fewest), 0.0, fewest), satterthwaite)
