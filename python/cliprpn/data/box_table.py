"""Boxes of annotations under several readings of their numbers: corners, and which are valid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import box_convert

from cliprpn.data.annotations import Box
from cliprpn.data.boxes import FORMAT_NAMES, format_scale, format_shape, have_area_tensor

# Normalized coordinates that were rounded extend past 1 by a little.
NORM_LIMIT = 1.01


@dataclass(frozen=True)
class BoxTable:
    """Boxes as the annotations give them, with the sizes of their images.

    Attributes:
        values: [N, 4], float64, in the source's format.
        limits: [N, 2], width and height of each box's image in pixels; infinite if unknown.
    """

    values: Tensor
    limits: Tensor

    @classmethod
    def of(cls, boxes: Sequence[Box], sizes: Sequence[tuple[float, float] | None]) -> BoxTable:
        unknown = (float("inf"), float("inf"))
        return cls(
            torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4),
            torch.tensor([size or unknown for size in sizes], dtype=torch.float64).reshape(-1, 2),
        )

    @property
    def num(self) -> int:
        return len(self.values)

    @property
    def all_sizes_known(self) -> bool:
        return bool(self.limits.isfinite().all())

    def corners(self, box_format: str) -> Tensor:
        """As left, top, right, bottom in the format's own unit: [N, 4]."""
        if box_format == "yxyx":
            return self.values[:, [1, 0, 3, 2]]
        return box_convert(self.values, format_shape(box_format), "xyxy")

    def valid(self, box_format: str) -> Tensor:
        """Whether each box has an area, and lies inside its image, up to half a percent: [N], bool."""
        if box_format in FORMAT_NAMES:
            fit = have_area_tensor(self.values, box_format)
        else:
            corners = self.corners(box_format)
            fit = (corners[:, 2:] > corners[:, :2]).all(dim=1)
        if format_scale(box_format) == 1:
            return fit
        fit &= (self.values > NORM_LIMIT).any(dim=1)
        if format_scale(box_format) is not None:
            return fit
        corners = self.corners(box_format)
        tolerance = (0.005 * self.limits).clamp(min=1)
        return fit & ((corners[:, :2] >= -tolerance) & (corners[:, 2:] <= self.limits + tolerance)).all(dim=1)
