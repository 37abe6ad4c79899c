"""Annotated boxes: their formats, conversion to xyxy, and checks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.ops import box_convert

from cliprpn.data.annotations import Box, BoxFormat

FORMAT_NAMES: dict[BoxFormat, str] = {
    "xywh": "xywh: left, top, width, height in pixels",
    "xyxy": "xyxy: left, top, right, bottom in pixels",
    "cxcywh_norm": "cxcywh_norm: center, width and height in normalized coordinates",
}
# Some of COCO's boxes extend past the image edge by rounding.
EDGE_TOLERANCE_PX = 1.0
# Normalized coordinates that were rounded to a few digits extend past 1 by up to this much.
NORM_TOLERANCE = 0.01


def boxes_in_images(annotated: Tensor, box_format: BoxFormat, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """Converts boxes to xyxy and checks them.

    A box that extends past the image by less than a pixel is clipped. A box that extends further, has no area or is
    not finite is invalid.

    Args:
        annotated: [N, 4], float64, in the source's format.
        sizes: [N, 2], float64, width and height of each box's image in pixels; infinite if unknown.

    Returns:
        boxes [N, 4], xyxy, pixels, inside their images; valid [N], bool.
    """
    limits = sizes.repeat(1, 2)  # [N, 4]
    if box_format == "cxcywh_norm":
        boxes = box_convert(annotated, "cxcywh", "xyxy") * limits
    else:
        boxes = annotated if box_format == "xyxy" else box_convert(annotated, "xywh", "xyxy")
    inside = ((boxes > -EDGE_TOLERANCE_PX) & (boxes < limits + EDGE_TOLERANCE_PX)).all(dim=1)
    clipped = torch.minimum(boxes.clamp(min=0), limits)
    has_area = (clipped[:, 2:] > clipped[:, :2]).all(dim=1)
    if box_format != "xyxy":
        has_area &= (annotated[:, 2:] > 0).all(dim=1)
    return clipped, inside & has_area & annotated.isfinite().all(dim=1)


def have_area(boxes: Sequence[Box], box_format: BoxFormat) -> list[bool]:
    """Whether each box has an area and, in normalized coordinates, lies inside the image."""
    return _have_area(_as_tensor(boxes), box_format).tolist()


def format_hint(
    boxes: Sequence[Box], box_format: BoxFormat, sizes: Sequence[tuple[float, float] | None]
) -> str | None:
    """Suggests the format that nearly all boxes fit, if most do not fit the given one; None otherwise.

    Args:
        boxes: in the source's format.
        sizes: width and height of each box's image in pixels, if known.
    """
    if not boxes:
        return None
    boxes_tensor = _as_tensor(boxes)
    limits = torch.tensor([size or (0, 0) for size in sizes], dtype=torch.float64).reshape(-1, 2)
    fractions = {
        name: _fits_format(boxes_tensor, name, limits).double().mean().item() for name in FORMAT_NAMES
    }
    best = max(FORMAT_NAMES, key=lambda name: (fractions[name], name == box_format))
    if fractions[box_format] >= 0.5 or fractions[best] < 0.95:
        return None
    return (
        f"{1 - fractions[box_format]:.0%} of {len(boxes)} boxes are not valid as {box_format}, and "
        f"{fractions[best]:.0%} are valid as {best}: is {best} their format?"
    )


def _fits_format(boxes_tensor: Tensor, box_format: BoxFormat, limits: Tensor) -> Tensor:
    """Whether each box has an area and lies inside its image, if the size is known (not 0): [N], bool."""
    fit = _have_area(boxes_tensor, box_format)
    if box_format == "cxcywh_norm":
        return fit
    fit &= (boxes_tensor > 1).any(
        dim=1
    )  # Normalized coordinates are valid pixels, but too small to be meant so.
    right_bottom = boxes_tensor[:, 2:] if box_format == "xyxy" else boxes_tensor[:, :2] + boxes_tensor[:, 2:]
    return fit & ((right_bottom <= limits + 1) | (limits == 0)).all(dim=1)


def _have_area(boxes_tensor: Tensor, box_format: BoxFormat) -> Tensor:
    if box_format == "xywh":
        return (boxes_tensor[:, 2:] > 0).all(dim=1)
    if box_format == "xyxy":
        return (boxes_tensor[:, 2:] > boxes_tensor[:, :2]).all(dim=1)
    corners = box_convert(boxes_tensor, "cxcywh", "xyxy")
    inside = ((corners >= -NORM_TOLERANCE) & (corners <= 1 + NORM_TOLERANCE)).all(dim=1)
    return (boxes_tensor[:, 2:] > 0).all(dim=1) & inside


def _as_tensor(boxes: Sequence[Box]) -> Tensor:
    return torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)
