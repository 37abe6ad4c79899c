"""Acc@0.5 as other programs define it."""

from __future__ import annotations

import numpy as np

from cliprpn.box_arrays import paired_iou
from cliprpn.contract.generated import ConventionFigure
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable
from cliprpn.metrics import HIT_IOU

LAST_PIXEL = np.array([0.0, 0.0, 1.0, 1.0])


def by_other_conventions(runs: Runs, table: SplitTable) -> list[ConventionFigure]:
    """Means over runs.

    - `plus_one_pixel`: the two corners of both boxes are pixels inside of them, so that widths and heights are one
      pixel larger, as in the IoU of Fast R-CNN's code. The IoU of MAttNet's code adds a pixel to boxes in xywh after it
      has subtracted one, which is no difference.
    - `above`: an IoU above 0.5, not at least, as in VLM-R1's evaluation.
    - `rounded`: predictions rounded to whole pixels, halves to even ones.
    """
    boxes, truth = runs.column("pred_box_xyxy").astype(np.float64), table.gt_box_xyxy
    is_empty = (boxes[..., 2:] <= boxes[..., :2]).any(axis=-1)
    plus_one = paired_iou(boxes + LAST_PIXEL, truth + LAST_PIXEL) >= HIT_IOU
    values = {
        "plus_one_pixel": plus_one & ~is_empty,
        "above": runs.column("iou") > HIT_IOU,
        "rounded": paired_iou(np.rint(boxes), truth) >= HIT_IOU,
    }
    return [
        ConventionFigure.model_validate({"convention": name, "acc_at_50": float(hits.mean())})
        for name, hits in values.items()
    ]
