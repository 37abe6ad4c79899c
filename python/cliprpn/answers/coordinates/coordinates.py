"""Boxes in any coordinates as pixels of the original images."""

from __future__ import annotations

import numpy as np

from cliprpn.answers.coordinates.frame_sizes import frame_sizes
from cliprpn.answers.coordinates.padded_square import padded_square
from cliprpn.box_arrays import Values
from cliprpn.contract.generated import Coordinates

ORDERS = ("xyxy", "xywh", "cxcywh")
SUFFIXES = ("", "_norm", "_1000")
# What stands for the right and bottom edge, by the unit of coordinates that are no pixels.
UNITS = {"norm": 1.0, "1000": 1000.0}


def to_original(boxes: Values, coordinates: Coordinates, sizes: Values, row_frames: Values) -> Values:
    """Boxes as xyxy in pixels of the original images, neither clipped nor checked: [N, 4].

    Args:
        boxes: [N, 4], in these coordinates.
        sizes: [N, 2], of the original images.
        row_frames: [N, 2], see `frame_sizes`.
    """
    order, _, unit = coordinates.box_format.partition("_")
    corners = as_corners(boxes, order)
    if coordinates.frame.kind == "padded":
        square = padded_square(coordinates.frame, sizes)
        pixels = corners * (square.sides / UNITS[unit] if unit in UNITS else 1)
        return (pixels - np.tile(square.offsets, 2)) / square.scales
    return corners * np.tile(sizes / full_sizes(coordinates, sizes, row_frames), 2)


def full_sizes(coordinates: Coordinates, sizes: Values, row_frames: Values) -> Values:
    """The coordinates of the right and bottom edge of each image: [N, 2]."""
    unit = coordinates.box_format.partition("_")[2]
    if coordinates.frame.kind == "padded":
        square = padded_square(coordinates.frame, sizes)
        edges = sizes * square.scales + square.offsets
        return edges * UNITS[unit] / square.sides if unit in UNITS else edges
    if unit in UNITS:
        return np.full_like(sizes, UNITS[unit])
    return frame_sizes(coordinates, sizes, row_frames)


def as_corners(boxes: Values, order: str) -> Values:
    """Boxes as xyxy in their own unit: [N, 4].

    Args:
        order: xyxy, xywh or cxcywh.
    """
    if order == "xyxy":
        return boxes
    top_left = boxes[:, :2] - (boxes[:, 2:] / 2 if order == "cxcywh" else 0)
    return np.concatenate([top_left, top_left + boxes[:, 2:]], axis=1)


def coordinates_of(box_format: str) -> Coordinates:
    """Coordinates in the original image."""
    return Coordinates.model_validate({"box_format": box_format, "frame": {"kind": "original"}})


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
    if frame.kind == "padded":
        length = "" if frame.length is None else f":{frame.length}"
        return f"{name}@padded{length}{':top_left' if frame.align == 'top_left' else ''}"
    return f"{name}@smart:{frame.factor}:{frame.min_pixels}:{frame.max_pixels}"
