"""Tests with other assumptions, to check a comparison of two settings; none of them decides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, ndtr

# scipy.stats has these tests, too, but takes longer to import than all figures of a comparison take.
MAX_EXACT = 50


def sign_flip_p(differences: NDArray, num_parts: int = 1) -> float:
    """Exact p-value of flipping the signs of images at random (Fisher, The Design of Experiments, 1935).

    Args:
        differences: [G], difference in hits on each image.
        num_parts: hits are multiples of 1 / num_parts: the number of seeds, where hits are means over seeds.

    Returns:
        Two-sided: the fraction of the 2^G assignments of signs whose sum is at least as far from 0.

    Raises:
        ValueError: if a difference is no such multiple.
    """
    scaled = np.abs(np.asarray(differences, dtype=np.float64)) * num_parts
    sizes = np.rint(scaled).astype(np.int64)
    if not np.allclose(scaled, sizes, rtol=0, atol=1e-6):
        raise ValueError(f"expected multiples of 1 / {num_parts}, found others")
    observed = abs(int(np.rint(np.sum(differences) * num_parts)))
    sizes = sizes[sizes > 0]
    # The sum of those that turn positive, s, gives 2 s - total: its distribution, one image at a time.
    total = int(sizes.sum())
    chances = np.zeros(total + 1)
    chances[0] = 1.0
    end = 0
    for size in np.sort(sizes):
        end += size
        moved = chances[: end - size + 1].copy()
        chances[: end + 1] *= 0.5
        chances[size : end + 1] += 0.5 * moved
    sums = np.abs(2 * np.arange(total + 1) - total)
    return min(1.0, float(chances[sums >= observed].sum()))


def wilcoxon_p(differences: NDArray) -> float:
    """Two-sided p-value of the signed ranks of images (Wilcoxon, Individual comparisons by ranking methods, 1945).

    Exact for at most 50 images with a difference, else by the normal approximation with the correction for ties.

    Args:
        differences: [G], difference in hits on each image; images without one are dropped.
    """
    differences = np.asarray(differences, dtype=np.float64).round(9)
    differences = differences[differences != 0]
    num = len(differences)
    if num == 0:
        return 1.0
    _, tie, counts = np.unique(np.abs(differences), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[tie]
    signed = np.sign(differences) * ranks
    if num <= MAX_EXACT:
        return sign_flip_p(signed, 2)
    # Of the sum of signed ranks, twice that of the positive ones minus a constant.
    return float(2 * ndtr(-abs(signed.sum()) / np.sqrt((ranks**2).sum())))


def mcnemar_p(hits_a: NDArray, hits_b: NDArray) -> float:
    """Exact two-sided p-value of the rows where only one is right (McNemar, Note on the sampling error, 1947).

    It treats the expressions of one image as independent.

    Args:
        hits_a: [N], whether a run of one setting is right.
        hits_b: [N], that of the other.
    """
    a, b = np.asarray(hits_a, dtype=bool), np.asarray(hits_b, dtype=bool)
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    if only_a + only_b == 0:
        return 1.0
    return min(1.0, float(2 * bdtr(min(only_a, only_b), only_a + only_b, 0.5)))
