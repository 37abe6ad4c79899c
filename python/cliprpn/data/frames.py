"""Finds the frame that boxes belong to, if it is not their image: boxes of resized images end at its edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

MIN_BOXES, MIN_IMAGES = 20, 3
# Objects that the image cuts off end within this part of its edge.
EDGE = 0.01
# A frame is another one if it differs from the image by this much.
MIN_DIFFERENCE = 0.07
# Qwen2-VL's image processor resizes to multiples of its patch, of at most this area.
QWEN_PATCH, QWEN_MAX_AREA = 28, 1_003_520
# By kind, with the place of the size.
NAMES = {
    "square": "a square of {0}",
    "longer": "images whose longer side is {0} px",
    "shorter": "images whose shorter side is {0} px",
    "scale": "images {0} times as large",
    "area": "images of {0} x {0} px in area",
    "qwen": "images as Qwen2-VL resizes them",
}


@dataclass(frozen=True)
class Frame:
    """
    Attributes:
        kind: of its size: square, longer, shorter, scale, area or qwen.
        size: its length in pixels; for scale, times the image.
        name: such as "a square of 640".
        num_touching: boxes that end at the right or bottom edge of this frame.
        num_touching_image: the same of their image.
        advice: how to convert the boxes.
        rows: the first boxes that touch the frame.
    """

    kind: str
    size: float
    name: str
    num_touching: int
    num_touching_image: int
    advice: str
    rows: list[int]


def find_frame(corners: Values, limits: Values, num_images: int) -> Frame | None:
    """The frame whose edges the boxes touch, if they do not touch those of their images.

    In natural images, a tenth of the objects or more are cut off at the right or bottom edge; in boxes that were
    drawn in images of another size, they end at the edge of those.

    Args:
        corners: [N, 4], xyxy, pixels.
        limits: [N, 2], width and height of each box's image in pixels.
    """
    num = len(corners)
    if num < MIN_BOXES or num_images < MIN_IMAGES:
        return None
    num_touching_image = int(_touching(corners, limits)[0].sum())
    found: list[tuple[int, str, float, NDArray[np.bool_]]] = []
    for kind, unit in _units(limits).items():
        right, bottom = (corners[:, 2:] / unit).max(axis=0).tolist()
        size = 1.0 if kind == "qwen" else max(right, bottom)
        if size <= 0 or min(right, bottom) < 0.98 * size or max(right, bottom) > 1.02 * size:
            continue
        frames = size * unit
        touching, num_by_edge = _touching(corners, frames)
        is_other = (np.abs(frames / limits - 1) > MIN_DIFFERENCE).any(axis=1).mean() > 0.5
        if is_other and min(num_by_edge) >= max(1, 0.01 * num):
            found.append((int(touching.sum()), kind, size, touching))
    if not found:
        return None
    num_touching, kind, size, touching = max(found, key=lambda item: item[0])
    if num_touching < max(6, 0.08 * num) or num_touching < 4 * num_touching_image:
        return None
    name = NAMES[kind].format(_round(size))
    rows = np.flatnonzero(touching)[:3].tolist()
    return Frame(kind, size, name, num_touching, num_touching_image, _advice(name), rows)


def _units(limits: Values) -> dict[str, Values]:
    """Width and height of frames of size 1 for each box: [N, 2], by their kind."""
    longer, shorter = limits.max(axis=1, keepdims=True), limits.min(axis=1, keepdims=True)
    area = limits.prod(axis=1, keepdims=True)
    qwen = limits * np.minimum(np.sqrt(QWEN_MAX_AREA / area), 1) / QWEN_PATCH
    return {
        "square": np.ones_like(limits),
        "longer": limits / longer,
        "shorter": limits / shorter,
        "scale": limits,
        "area": limits / np.sqrt(area),
        "qwen": np.round(qwen) * QWEN_PATCH,
    }


def _touching(corners: Values, frames: Values) -> tuple[NDArray[np.bool_], list[int]]:
    """Whether each box ends at the right or bottom edge: [N], bool; and how many begin or end at each of the edges."""
    near = EDGE * frames
    far_edges = np.abs(corners[:, 2:] - frames) <= near
    near_edges = corners[:, :2] <= near
    touching: NDArray[np.bool_] = np.logical_or.reduce(far_edges, axis=1)
    return touching, [*near_edges.sum(axis=0).tolist(), *far_edges.sum(axis=0).tolist()]


def _round(size: float) -> str:
    return f"{size:.2f}" if size < 10 else f"{size:.0f}"


def _advice(name: str) -> str:
    if name in ("a square of 999", "a square of 1000"):
        return "use the format with _1000"
    if name == "a square of 100":
        return "they are percent, as Label Studio writes; multiply them by 10 and use the format with _1000"
    if name in ("a square of 1023", "a square of 1024"):
        return (
            "they are location tokens of PaliGemma; multiply them by 1000/1024 and use the format with _1000"
        )
    return "convert them to pixels of the images, or give the images that they belong to"
