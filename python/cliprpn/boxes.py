"""Box operations that torchvision.ops does not have."""

from __future__ import annotations

import torch
from torch import Tensor


def box_intersection_paired(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    """Intersection area of row i of one set and row i of the other.

    Args:
        boxes_a: [N, 4], xyxy, pixels.
        boxes_b: [N, 4], xyxy, pixels.

    Returns:
        [N], square pixels.
    """
    top_left = torch.maximum(boxes_a[:, :2], boxes_b[:, :2])
    bottom_right = torch.minimum(boxes_a[:, 2:], boxes_b[:, 2:])
    return (bottom_right - top_left).clamp(min=0).prod(dim=1)


def box_iou_paired(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    """IoU of row i of one set with row i of the other; 0 where both are empty.

    Args:
        boxes_a: [N, 4], xyxy, pixels.
        boxes_b: [N, 4], xyxy, pixels.

    Returns:
        [N], in [0, 1].
    """
    intersection = box_intersection_paired(boxes_a, boxes_b)
    union = box_area(boxes_a) + box_area(boxes_b) - intersection
    return torch.where(union > 0, intersection / union.clamp(min=1e-12), 0.0)


def box_area(boxes: Tensor) -> Tensor:
    """Area of each box, [N, 4] xyxy to [N], square pixels; 0 for an inverted box."""
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)


def clip_boxes(boxes: Tensor, wh: Tensor) -> Tensor:
    """Clips boxes to their images.

    Args:
        boxes: [N, 4], xyxy, pixels.
        wh: [N, 2], width and height of the image of each box.

    Returns:
        [N, 4], xyxy.
    """
    limit = wh.repeat(1, 2)
    return torch.minimum(boxes.clamp(min=0), limit)
