"""A metric of one setting: its value for each seed, and the influence of each image on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class ImageGroups:
    """The rows of each image, as the expressions of one image are correlated.

    Args:
        images: [N], the image of each row: any ids that can be sorted.
    """

    def __init__(self, images: NDArray) -> None:
        ids, index = np.unique(images, return_inverse=True)
        self.index: NDArray[np.intp] = index
        self.num_images = len(ids)

    @cached_property
    def num_rows(self) -> Values:
        """[G], rows of each image."""
        return np.bincount(self.index, minlength=self.num_images).astype(np.float64)

    def sum(self, values: NDArray) -> Values:
        """Sums values of rows by image: [N] to [G], or [R, N] to [R, G]."""
        if values.ndim == 2:
            return np.stack([self.sum(row) for row in values])
        return np.bincount(self.index, weights=values, minlength=self.num_images).astype(
            np.float64, copy=False
        )

    def select(self, rows: NDArray) -> ImageGroups:
        """The groups of some rows; an image without any of them is no group.

        Args:
            rows: mask [N], or indices of rows.
        """
        return ImageGroups(self.index[rows])


@dataclass(frozen=True, eq=False)
class Measurement:
    """A metric of one setting on some rows of R seeds and G images.

    The influence of an image is the linearized ratio (Cochran, Sampling Techniques, 1977, section 6.3; Särndal,
    Swensson and Wretman, Model Assisted Survey Sampling, 1992, section 5.5): an estimate's error over images is
    about the sum of independent influences.

    Args:
        per_seed: [R], the metric for each seed.
        influence: [R, G], of each image: (numerator - per_seed * denominator) / sum of the denominators. The sum
            over images is 0.
        has_seeds: whether training again gives another result; False for a fixed checkpoint.
    """

    per_seed: Values
    influence: Values
    has_seeds: bool

    @property
    def num_seeds(self) -> int:
        return len(self.per_seed)

    @property
    def num_images(self) -> int:
        return self.influence.shape[1]

    @cached_property
    def mean(self) -> float:
        """The mean over seeds, in any order of them."""
        return math.fsum(self.per_seed) / self.num_seeds

    @cached_property
    def mean_influence(self) -> Values:
        """[G], the mean over seeds."""
        return self._sorted_influence.mean(axis=0)

    @cached_property
    def seed_variance(self) -> float:
        """Variance of the metric over seeds; 0 if there are no seeds, or only one."""
        if not self.has_seeds or self.num_seeds < 2:
            return 0.0
        return float(np.var(np.sort(self.per_seed), ddof=1))

    @cached_property
    def churn(self) -> float:
        """The part of `seed_variance` that comes from the answers to these images, and not from training."""
        if not self.has_seeds or self.num_seeds < 2:
            return 0.0
        residuals = self._sorted_influence - self.mean_influence
        return float((residuals**2).sum() / (self.num_seeds - 1))

    @property
    def training_variance(self) -> float:
        """Variance of the procedure over seeds, without the images' part."""
        return max(0.0, self.seed_variance - self.churn)

    @property
    def _sorted_influence(self) -> Values:
        """Each image's values in increasing order: sums do not depend on the order of seeds, not even by rounding."""
        return np.sort(self.influence, axis=0)


def zero(like: Measurement) -> Measurement:
    """A constant 0 on the same images, to compare a difference with."""
    return Measurement(np.zeros(1), np.zeros((1, like.num_images)), has_seeds=False)


def measure(
    numerators: NDArray, denominators: NDArray | None, groups: ImageGroups, has_seeds: bool
) -> Measurement:
    """Sum of numerators over sum of denominators, for each seed.

    This is oIoU for intersections and unions. Without denominators it is the mean of the numerators.

    Args:
        numerators: [R, N], or [N] for a single seed.
        denominators: the same shape, at least 0, or None.
        groups: the image of each row.
        has_seeds: whether training again gives another result.

    Raises:
        ValueError: if shapes differ, there are no rows, or a seed's denominators sum to 0.
    """
    numerators = np.atleast_2d(np.asarray(numerators, dtype=np.float64))
    if numerators.shape[1] != len(groups.index) or groups.num_images == 0:
        raise ValueError(f"expected {len(groups.index)} > 0 rows, found {numerators.shape[1]}")
    sums = groups.sum(numerators)  # [R, G]
    if denominators is None:
        weights = np.broadcast_to(groups.num_rows, sums.shape)
    else:
        denominators = np.atleast_2d(np.asarray(denominators, dtype=np.float64))
        if denominators.shape != numerators.shape:
            raise ValueError(f"expected denominators {numerators.shape}, found {denominators.shape}")
        weights = groups.sum(denominators)
    totals = weights.sum(axis=1)
    if not (totals > 0).all():
        raise ValueError("expected denominators with a sum above 0, found 0")
    per_seed = sums.sum(axis=1) / totals
    influence = (sums - per_seed[:, None] * weights) / totals[:, None]
    return Measurement(per_seed, influence, has_seeds)


def unweighted_mean(parts: Sequence[tuple[Measurement, NDArray]], num_images: int) -> Measurement:
    """The mean of one setting's figures on several sets of rows, for each run; each set counts the same.

    Args:
        parts: a figure on each set, with the position [G] of each of its images among all of them. An image of
            several sets has one position: it is drawn once for all of them.
        num_images: different images of all sets.

    Raises:
        ValueError: if the numbers of runs differ.
    """
    counts = {part.num_seeds for part, _ in parts}
    if len(counts) != 1:
        raise ValueError(f"expected the same number of runs on each set, found {sorted(counts)}")
    influence = np.zeros((counts.pop(), num_images))
    for part, positions in parts:
        # A position may repeat: two files may be the same image.
        np.add.at(influence.T, positions, part.influence.T / len(parts))
    runs = [part.per_seed.tolist() for part, _ in parts]
    per_seed = np.array([math.fsum(values) / len(parts) for values in zip(*runs, strict=True)])
    return Measurement(per_seed, influence, parts[0][0].has_seeds)
