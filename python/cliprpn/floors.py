"""What an answer without understanding gets."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.ops import box_iou

from cliprpn.boxes import box_iou_paired


def fit_constant_box(gt_boxes_norm: NDArray) -> NDArray[np.float64]:
    """The one box (xyxy in [0, 1]) with the largest mean IoU to the given ones.

    Coordinate ascent from their median, in steps halved from 1/8 down to 1/256: deterministic.

    Args:
        gt_boxes_norm: [N, 4], xyxy in shares of their pictures.
    """
    truth = torch.from_numpy(np.asarray(gt_boxes_norm, dtype=np.float64))
    box = truth.median(dim=0).values
    best = _mean_iou(box, truth)
    step = 1 / 8
    while step >= 1 / 256:
        improved = False
        for side in range(4):
            for move in (-step, step):
                trial = box.clone()
                trial[side] = (trial[side] + move).clamp(0, 1)
                found = _mean_iou(trial, truth)
                if found > best:
                    box, best, improved = trial, found, True
        if not improved:
            step /= 2
    return box.numpy()


def _mean_iou(box: torch.Tensor, truth: torch.Tensor) -> float:
    if box[2] <= box[0] or box[3] <= box[1]:
        return 0.0
    return float(box_iou(box[None], truth).mean())


def constant_iou(box_norm: NDArray, gt_boxes: NDArray, image_wh: NDArray) -> NDArray[np.float64]:
    """IoU of one box, given in shares of the picture, with each truth in pixels: [N]."""
    scale = np.concatenate([image_wh, image_wh], axis=1)
    pred = torch.from_numpy(box_norm[None] * scale)
    truth = torch.from_numpy(np.asarray(gt_boxes, dtype=np.float64))
    return box_iou_paired(pred, truth).numpy()
