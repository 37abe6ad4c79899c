"""Annotated boxes against the pictures that they lie in."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import box_convert

# COCO's own boxes stick out of their picture by rounding.
EDGE_TOLERANCE_PX = 1.0


def boxes_in_pictures(xywh: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes as xyxy, and which of them are fit to train on.

    A box may stick out by less than a pixel and is cut at the edge. One that sticks out further, has no
    area or is not finite is unfit.

    Args:
        xywh: [N, 4], float64, COCO's left, top, width and height in pixels.
        sizes: [N, 2], float64, width and height of each box's picture.

    Returns:
        boxes [N, 4], xyxy, pixels, inside their pictures; fit [N], bool.
    """
    boxes = box_convert(xywh, "xywh", "xyxy")
    limits = sizes.repeat(1, 2)  # [N, 4]
    inside = ((boxes > -EDGE_TOLERANCE_PX) & (boxes < limits + EDGE_TOLERANCE_PX)).all(dim=1)
    clipped = torch.minimum(boxes.clamp(min=0), limits)
    with_area = (clipped[:, 2:] > clipped[:, :2]).all(dim=1) & (xywh[:, 2:] > 0).all(dim=1)
    return clipped, inside & with_area & xywh.isfinite().all(dim=1)
