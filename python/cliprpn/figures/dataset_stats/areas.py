"""How large the boxes are, as shares of their images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import AreaCuts, AreaShares, AreaStats
from cliprpn.data.index import DatasetIndex
from cliprpn.figures.dataset_stats.quantiles import quantiles

# RefCOCOg's own terciles: COCO's small, medium and large would leave two of three parts empty.
REFCOCOG_CUTS = (0.09, 0.20)


def relative_areas(index: DatasetIndex) -> NDArray[np.float64]:
    """Each sentence's box as a share of its image: [S]; NaN where nobody tells the image's size."""
    boxes = index.gt_boxes.astype(np.float64)
    sizes = index.image_sizes(np.arange(len(boxes))).astype(np.float64)
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / sizes.prod(axis=1)


def area_cuts(areas: NDArray) -> AreaCuts | None:
    """RefCOCOg's terciles and those of these areas; None where no size is known."""
    known = areas[np.isfinite(areas)]
    if len(known) == 0:
        return None
    low, high = np.quantile(known, [1 / 3, 2 / 3]).tolist()
    return AreaCuts(refcocog_low=REFCOCOG_CUTS[0], refcocog_high=REFCOCOG_CUTS[1], own_low=low, own_high=high)


def area_stats(areas: NDArray, cuts: AreaCuts | None) -> AreaStats | None:
    """
    Args:
        areas: of a split's sentences.
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
