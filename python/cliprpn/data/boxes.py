"""Annotated boxes against the images that they lie in."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import box_convert

from cliprpn.data.annotations import BoxFormat

# COCO's own boxes stick out of their image by rounding.
EDGE_TOLERANCE_PX = 1.0


def boxes_in_images(given: Tensor, box_format: BoxFormat, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes as xyxy, and which of them are fit to train on.

    A box may stick out by less than a pixel and is cut at the edge. One that sticks out further, has no
    area or is not finite is unfit.

    Args:
        given: [N, 4], float64, in the source's format.
        sizes: [N, 2], float64, width and height of each box's image in pixels; infinite where not known.

    Returns:
        boxes [N, 4], xyxy, pixels, inside their images; fit [N], bool.
    """
    limits = sizes.repeat(1, 2)  # [N, 4]
    if box_format == "cxcywh_norm":
        boxes = box_convert(given, "cxcywh", "xyxy") * limits
    else:
        boxes = given if box_format == "xyxy" else box_convert(given, "xywh", "xyxy")
    inside = ((boxes > -EDGE_TOLERANCE_PX) & (boxes < limits + EDGE_TOLERANCE_PX)).all(dim=1)
    clipped = torch.minimum(boxes.clamp(min=0), limits)
    with_area = (clipped[:, 2:] > clipped[:, :2]).all(dim=1)
    if box_format != "xyxy":
        with_area &= (given[:, 2:] > 0).all(dim=1)
    return clipped, inside & with_area & given.isfinite().all(dim=1)
