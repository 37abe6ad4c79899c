"""Anchors, the fixed prior boxes of a region proposal network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

Placement = Literal["corner", "center"]


def make_anchors(
    grid_size: int,
    frame_size_px: int,
    scales_px: Sequence[float],
    ratios: Sequence[float],
    placement: Placement,
) -> Tensor:
    """Anchors on a square grid of cells in a square frame.

    Order: rows, then columns, then ratios, then scales. `corner` is the placement of ClipRPN (Trento), from
    torchvision's generator: base boxes are rounded, and the spacing is rounded down to integer pixels, starting at 0.
    `center` puts unrounded boxes on the centers of the cells.

    Args:
        grid_size: cells along a side.
        frame_size_px: side of the frame, pixels.
        scales_px: square roots of the areas, in pixels of the frame.
        ratios: height over width.
        placement: position of the anchors in their cell.

    Returns:
        [grid_size * grid_size * A, 4], xyxy, pixels of the frame, with A = ratios x scales.
    """
    base = base_anchors(scales_px, ratios)
    if placement == "corner":
        base = base.round()
        centers = torch.arange(grid_size, dtype=torch.float32) * (frame_size_px // grid_size)
    else:
        centers = (torch.arange(grid_size, dtype=torch.float32) + 0.5) * (frame_size_px / grid_size)
    y, x = torch.meshgrid(centers, centers, indexing="ij")
    shifts = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
    return (shifts + base).reshape(-1, 4)


def base_anchors(scales_px: Sequence[float], ratios: Sequence[float]) -> Tensor:
    """The anchors of one cell, centered on 0: [len(ratios) * len(scales_px), 4], xyxy, pixels."""
    scale = torch.tensor(list(scales_px), dtype=torch.float32)
    height_ratio = torch.tensor(list(ratios), dtype=torch.float32).sqrt()
    width = (1 / height_ratio[:, None] * scale[None]).flatten()
    height = (height_ratio[:, None] * scale[None]).flatten()
    return torch.stack([-width, -height, width, height], dim=1) / 2
