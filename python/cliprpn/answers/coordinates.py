"""Boxes in any coordinates as pixels of the original images."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import Coordinates

Values = NDArray[np.float64]
ORDERS = ("xyxy", "xywh", "cxcywh")
SUFFIXES = ("", "_norm", "_1000")


def to_original(boxes: Values, coordinates: Coordinates, sizes: Values, row_frames: Values) -> Values:
    """Boxes as xyxy in pixels of the original images, neither clipped nor checked: [N, 4].

    Args:
        boxes: [N, 4], in these coordinates.
        sizes: [N, 2], of the original images.
        row_frames: [N, 2], see `frame_sizes`.
    """
    corners = as_corners(boxes, coordinates.box_format.partition("_")[0])
    return corners * np.tile(sizes / full_sizes(coordinates, sizes, row_frames), 2)


def full_sizes(coordinates: Coordinates, sizes: Values, row_frames: Values) -> Values:
    """The coordinates of the right and bottom edge of each image: [N, 2]."""
    unit = coordinates.box_format.partition("_")[2]
    full = {"norm": 1.0, "1000": 1000.0}.get(unit)
    return frame_sizes(coordinates, sizes, row_frames) if full is None else np.full_like(sizes, full)


def frame_sizes(coordinates: Coordinates, sizes: Values, row_frames: Values) -> Values:
    """Width and height of the image that the coordinates refer to: [N, 2], pixels; NaN where a row has none.

    Args:
        sizes: [N, 2], of the original images.
        row_frames: [N, 2], of the columns of each row; NaN where it has none.
    """
    frame = coordinates.frame
    if frame.kind == "original":
        return sizes
    if frame.kind == "fixed":
        return np.broadcast_to(np.array([frame.width, frame.height], dtype=np.float64), sizes.shape)
    if frame.kind == "columns":
        return row_frames
    if frame.kind == "long_side":
        scales = frame.length / sizes.max(axis=1, keepdims=True)
        return np.maximum(np.round(sizes * scales), 1)
    if frame.kind == "short_side":
        return _short_side(sizes, frame.length, frame.max_length)
    unique, inverse = np.unique(sizes, axis=0, return_inverse=True)
    resized = [
        smart_resize(w, h, frame.factor, frame.min_pixels, frame.max_pixels) for w, h in unique.tolist()
    ]
    return np.array(resized, dtype=np.float64).reshape(-1, 2)[inverse.reshape(-1)]


def _short_side(sizes: Values, length: int, max_length: int | None) -> Values:
    """Whole pixels, rounded as DETR's transform does: the shorter side first, the longer one down."""
    longer, shorter = sizes.max(axis=1), sizes.min(axis=1)
    short = np.full(len(sizes), float(length))
    if max_length is not None:
        is_too_long = longer / shorter * length > max_length
        short = np.where(is_too_long, np.maximum(np.round(max_length * shorter / longer), 1), short)
    long = np.floor(short * longer / shorter)
    return np.where(
        (sizes[:, 0] <= sizes[:, 1])[:, None], np.stack([short, long], 1), np.stack([long, short], 1)
    )


def smart_resize(
    width: float, height: float, factor: int, min_pixels: int, max_pixels: int
) -> tuple[int, int]:
    """The size to which Qwen-VL's image processor resizes: multiples of `factor`, an area within the limits.

    The rule is that of Qwen2-VL's image processor in transformers, and of qwen-vl-utils.
    """
    w, h = max(factor, round(width / factor) * factor), max(factor, round(height / factor) * factor)
    if w * h > max_pixels:
        scale = math.sqrt(width * height / max_pixels)
        w = max(factor, math.floor(width / scale / factor) * factor)
        h = max(factor, math.floor(height / scale / factor) * factor)
    elif w * h < min_pixels:
        scale = math.sqrt(min_pixels / (width * height))
        w, h = math.ceil(width * scale / factor) * factor, math.ceil(height * scale / factor) * factor
    return w, h


def as_corners(boxes: Values, order: str) -> Values:
    """Boxes as xyxy in their own unit: [N, 4].

    Args:
        order: xyxy, xywh or cxcywh.
    """
    if order == "xyxy":
        return boxes
    top_left = boxes[:, :2] - (boxes[:, 2:] / 2 if order == "cxcywh" else 0)
    return np.concatenate([top_left, top_left + boxes[:, 2:]], axis=1)


def coordinates_text(coordinates: Coordinates) -> str:
    """As --coordinates takes them, such as `xyxy@640x480`."""
    frame, name = coordinates.frame, coordinates.box_format
    if frame.kind == "original":
        return name
    if frame.kind == "fixed":
        return f"{name}@{frame.width}x{frame.height}"
    if frame.kind == "columns":
        return f"{name}@columns"
    if frame.kind == "long_side":
        return f"{name}@long:{frame.length}"
    if frame.kind == "short_side":
        most = "" if frame.max_length is None else f":{frame.max_length}"
        return f"{name}@short:{frame.length}{most}"
    return f"{name}@smart:{frame.factor}:{frame.min_pixels}:{frame.max_pixels}"
