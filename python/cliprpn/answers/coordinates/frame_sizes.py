"""The sizes of images as other programs resize them."""

from __future__ import annotations

import math

import numpy as np

from cliprpn.answers.coordinates.padded_square import padded_square
from cliprpn.box_arrays import Values
from cliprpn.contract.generated import Coordinates


def frame_sizes(coordinates: Coordinates, sizes: Values, row_frames: Values) -> Values:
    """Width and height of the image that the coordinates refer to, without padding: [N, 2], pixels; NaN where a row has
    none.

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
    if frame.kind == "padded":
        return padded_square(frame, sizes).resized
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
