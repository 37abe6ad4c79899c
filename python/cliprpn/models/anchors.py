"""The fixed prior boxes."""

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

    Order: rows, then columns, then (at each cell) ratios outer and scales inner. `corner` is the
    original's placement: torchvision's generator, with the spacing rounded down to whole pixels,
    starting at 0, and base boxes rounded. `center` puts unrounded boxes on the cells' centres.

    Args:
        grid_size: cells along a side.
        frame_size_px: side of the frame, pixels.
        scales_px: square roots of the areas, pixels of the frame.
        ratios: height over width.
        placement: where in its cell an anchor sits.

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
    """The boxes of one cell, centred on 0: [len(ratios) * len(scales_px), 4], xyxy, pixels."""
    scale = torch.tensor(list(scales_px), dtype=torch.float32)
    height_ratio = torch.tensor(list(ratios), dtype=torch.float32).sqrt()
    width = (1 / height_ratio[:, None] * scale[None]).flatten()
    height = (height_ratio[:, None] * scale[None]).flatten()
    return torch.stack([-width, -height, width, height], dim=1) / 2
