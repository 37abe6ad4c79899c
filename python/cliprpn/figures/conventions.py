"""Acc@0.5 as other programs define it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import ConventionFigure
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable
from cliprpn.metrics import HIT_IOU


def by_other_conventions(runs: Runs, table: SplitTable) -> list[ConventionFigure]:
    """Means over runs: boxes that include their last pixel, as in the code of Faster R-CNN and MAttNet; an IoU above
    0.5, not at least; and predictions that are rounded to whole pixels.
    """
    boxes = runs.column("pred_box_xyxy").astype(np.float64)
    truth = np.broadcast_to(table.gt_box_xyxy, boxes.shape)
    rounded = np.rint(boxes)
    values = {
        "plus_one_pixel": _iou(boxes, truth, 1) >= HIT_IOU,
        "above": runs.column("iou") > HIT_IOU,
        "rounded": _iou(rounded, truth, 0) >= HIT_IOU,
    }
    return [
        ConventionFigure.model_validate({"convention": name, "acc_at_50": float(hits.mean())})
        for name, hits in values.items()
    ]


def _iou(boxes: NDArray, others: NDArray, last_pixel: int) -> NDArray[np.float64]:
    """
    Args:
        boxes: [..., 4], xyxy, pixels.
        last_pixel: 1 if a box includes its right and bottom pixel.

    Returns:
        [...]; 0 for an empty box.
    """

    def area(of: NDArray) -> NDArray[np.float64]:
        size: NDArray[np.float64] = np.maximum(of[..., 2:] - of[..., :2] + last_pixel, 0).prod(axis=-1)
        return size

    common = np.concatenate(
        [np.maximum(boxes[..., :2], others[..., :2]), np.minimum(boxes[..., 2:], others[..., 2:])], axis=-1
    )
    intersection = area(common)
    union = area(boxes) + area(others) - intersection
    is_empty = (boxes[..., 2:] <= boxes[..., :2]).any(axis=-1)
    return np.where(is_empty, 0.0, intersection / np.maximum(union, 1e-12))
