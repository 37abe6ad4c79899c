"""Hits of settings of known accuracy, for independent draws of images and seeds.

A hit is a standard normal value below a threshold. The value is a sum of effects: of the image, the expression,
and of both on each setting and on each seed. Therefore the probability of a hit is exactly the seed's accuracy,
which varies around the setting's accuracy from seed to seed. The effects are sized so that variances over images
and seeds are like those of the demo's val split.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from cliprpn.statistics.measurement import ImageGroups, Measurement, measure

NUM_IMAGES = 360
NUM_ROWS = 1003
# Shares of the variance: what all settings have in common, what differs by setting, and by seed.
COMMON, SETTING, SEED = 0.75, 0.175, 0.075
# Share of each of these that is the image's, not the expression's.
OF_IMAGE = 0.25


@dataclass(frozen=True)
class SyntheticSetting:
    """A setting to draw.

    Args:
        accuracy: of the procedure: the mean over seeds and images.
        training_sd: standard deviation of a seed's accuracy.
        num_seeds: runs of it.
        has_seeds: False for a fixed checkpoint; then `training_sd` is 0 and `num_seeds` 1.
    """

    accuracy: float = 0.7
    training_sd: float = 0.0
    num_seeds: int = 3
    has_seeds: bool = True


def image_groups() -> ImageGroups:
    """1,003 expressions on 360 images: 1, 2, 4 or 5 on each."""
    images = np.concatenate([np.arange(NUM_IMAGES), np.repeat(np.arange(0, NUM_IMAGES, 2), 3)])
    extra = np.arange(NUM_ROWS - len(images)) * 3 % NUM_IMAGES
    return ImageGroups(np.concatenate([images, extra]))


def draw_hits(
    settings: Sequence[SyntheticSetting], groups: ImageGroups, rng: np.random.Generator
) -> list[NDArray[np.bool_]]:
    """Hits [R, N] of each setting, for one draw of images and seeds."""

    def effects(num: int, share: float) -> NDArray[np.float32]:
        of_images = rng.standard_normal((num, groups.num_images), np.float32)[:, groups.index]
        of_rows = rng.standard_normal((num, len(groups.index)), np.float32)
        return np.sqrt(share * OF_IMAGE) * of_images + np.sqrt(share * (1 - OF_IMAGE)) * of_rows

    common = effects(1, COMMON)
    hits = []
    for setting in settings:
        accuracies = setting.accuracy + setting.training_sd * rng.standard_normal(setting.num_seeds)
        values = common + effects(1, SETTING) + effects(setting.num_seeds, SEED)
        hits.append(values < ndtri(accuracies.clip(0.001, 0.999))[:, None])
    return hits


def draw_measurements(
    settings: Sequence[SyntheticSetting], num_draws: int, seed: int
) -> Iterator[list[Measurement]]:
    """Measured settings, for each of several independent draws of images and seeds."""
    groups, rng = image_groups(), np.random.default_rng(seed)
    for _ in range(num_draws):
        yield [
            measure(hits, None, groups, setting.has_seeds)
            for setting, hits in zip(settings, draw_hits(settings, groups, rng), strict=True)
        ]
