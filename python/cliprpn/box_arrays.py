"""The operations of `boxes.py` on numpy arrays, for what must start without importing torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def paired_iou(boxes: NDArray, others: NDArray) -> Values:
    """IoU of boxes at the same position; 0 where both are empty.

    Args:
        boxes: [..., 4], xyxy, pixels.
        others: [..., 4], xyxy, pixels, of a shape that broadcasts.

    Returns:
        [...], in [0, 1].
    """
    intersection = paired_intersection(boxes, others)
    union = area(boxes) + area(others) - intersection
    return np.divide(intersection, union, out=np.zeros(np.shape(union)), where=union > 0)


def paired_intersection(boxes: NDArray, others: NDArray) -> Values:
    """Intersection area of boxes at the same position: [...], square pixels."""
    top_left = np.maximum(boxes[..., :2], others[..., :2])
    bottom_right = np.minimum(boxes[..., 2:], others[..., 2:])
    sides: Values = np.maximum(bottom_right - top_left, 0)
    return sides[..., 0] * sides[..., 1]


def area(boxes: NDArray) -> Values:
    """Area of each box, [..., 4] xyxy to [...], square pixels; 0 for an inverted box."""
    sides: Values = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return sides[..., 0] * sides[..., 1]
