"""Finds the frame that boxes belong to, if it is not their image: boxes of resized images end at its edges."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MIN_BOXES, MIN_IMAGES = 20, 3
# Objects that the image cuts off end within this part of its edge.
EDGE = 0.01
# A frame is another one if it differs from the image by this much.
MIN_DIFFERENCE = 0.07
# Qwen2-VL's image processor resizes to multiples of its patch, of at most this area.
QWEN = "images as Qwen2-VL resizes them"
QWEN_PATCH, QWEN_MAX_AREA = 28, 1_003_520


@dataclass(frozen=True)
class Frame:
    """
    Attributes:
        name: such as "images resized to 640 x 640".
        num_touching: boxes that end at the right or bottom edge of this frame.
        num_touching_image: the same of their image.
        advice: how to convert the boxes.
        rows: the first boxes that touch the frame.
    """

    name: str
    num_touching: int
    num_touching_image: int
    advice: str
    rows: list[int]


def find_frame(corners: Tensor, limits: Tensor, num_images: int) -> Frame | None:
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
    found: list[tuple[int, str, Tensor, Tensor]] = []
    for name, unit in _units(limits).items():
        right, bottom = (corners[:, 2:] / unit).max(dim=0).values.tolist()
        size = 1.0 if name == QWEN else max(right, bottom)
        if size <= 0 or min(right, bottom) < 0.98 * size or max(right, bottom) > 1.02 * size:
            continue
        frames = size * unit
        touching, num_by_edge = _touching(corners, frames)
        is_other = ((frames / limits - 1).abs() > MIN_DIFFERENCE).any(dim=1).double().mean() > 0.5
        if is_other and min(num_by_edge) >= max(1, 0.01 * num):
            found.append((int(touching.sum()), name.format(_round(size)), touching, frames))
    if not found:
        return None
    num_touching, name, touching, frames = max(found, key=lambda item: item[0])
    if num_touching < max(6, 0.08 * num) or num_touching < 4 * num_touching_image:
        return None
    return Frame(name, num_touching, num_touching_image, _advice(name), touching.nonzero()[:3, 0].tolist())


def _units(limits: Tensor) -> dict[str, Tensor]:
    """Width and height of frames of size 1 for each box: [N, 2], by their name with the place of their size."""
    longer, shorter = limits.max(dim=1, keepdim=True).values, limits.min(dim=1, keepdim=True).values
    area = limits.prod(dim=1, keepdim=True)
    return {
        "a square of {0}": torch.ones_like(limits),
        "images whose longer side is {0} px": limits / longer,
        "images whose shorter side is {0} px": limits / shorter,
        "images {0} times as large": limits,
        "images of {0} x {0} px in area": limits / area.sqrt(),
        QWEN: (limits * (QWEN_MAX_AREA / area).sqrt().clamp(max=1) / QWEN_PATCH).round() * QWEN_PATCH,
    }


def _touching(corners: Tensor, frames: Tensor) -> tuple[Tensor, list[int]]:
    """Whether each box ends at the right or bottom edge: [N], bool; and how many begin or end at each of the edges."""
    near = EDGE * frames
    far_edges = (corners[:, 2:] - frames).abs() <= near
    near_edges = corners[:, :2] <= near
    return far_edges.any(dim=1), [*near_edges.sum(dim=0).tolist(), *far_edges.sum(dim=0).tolist()]


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
