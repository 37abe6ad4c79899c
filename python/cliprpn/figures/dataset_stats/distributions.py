"""Distributions of numbers and of box areas."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cliprpn.contract.generated import AreaCuts, AreaShares, AreaStats, Quantiles
from cliprpn.data.index import DatasetIndex

# Terciles of RefCOCOg: with COCO's small, medium and large, two of the three bins would be empty.
REFCOCOG_CUTS = (0.09, 0.20)
QUANTILES = {"min": 0, "p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "max": 1}


def quantiles(values: ArrayLike) -> Quantiles:
    """Quantiles and mean of some numbers.

    Args:
        values: [N], N >= 1.
    """
    numbers = np.asarray(values, dtype=np.float64)
    points = np.quantile(numbers, list(QUANTILES.values())).tolist()
    return Quantiles(**dict(zip(QUANTILES, points, strict=True)), mean=float(numbers.mean()))


def relative_areas(index: DatasetIndex) -> NDArray[np.float64]:
    """Area of each sentence's box relative to its image: [S]; NaN where the image size is unknown."""
    boxes = index.gt_boxes.astype(np.float64)
    sizes = index.image_sizes(np.arange(len(boxes))).astype(np.float64)
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / sizes.prod(axis=1)


def area_cuts(areas: NDArray) -> AreaCuts | None:
    """Terciles of RefCOCOg and of these relative areas; None if no image size is known.

    Args:
        areas: [S], NaN where the image size is unknown.
    """
    known = areas[np.isfinite(areas)]
    if len(known) == 0:
        return None
    low, high = np.quantile(known, [1 / 3, 2 / 3]).tolist()
    return AreaCuts(refcocog_low=REFCOCOG_CUTS[0], refcocog_high=REFCOCOG_CUTS[1], own_low=low, own_high=high)


def area_stats(areas: NDArray, cuts: AreaCuts | None) -> AreaStats | None:
    """Distribution of a split's relative areas; None if no image size is known.

    Args:
        areas: [S], relative areas of a split's sentences.
    """
    known = areas[np.isfinite(areas)]
    if cuts is None or len(known) == 0:
        return None
    return AreaStats(
        quantiles=quantiles(known),
        refcocog_shares=_shares(known, cuts.refcocog_low, cuts.refcocog_high),
        own_shares=_shares(known, cuts.own_low, cuts.own_high),
    )


def _shares(areas: NDArray, low: float, high: float) -> AreaShares:
    small, large = float((areas < low).mean()), float((areas >= high).mean())
    return AreaShares(small=small, medium=max(0.0, 1 - small - large), large=large)
