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
    "xywh_norm": "xywh_norm: left, top, width, height in normalized coordinates",
    "xyxy_norm": "xyxy_norm: left, top, right, bottom in normalized coordinates",
    "xywh_1000": "xywh_1000: left, top, width, height from 0 to 1000",
    "xyxy_1000": "xyxy_1000: left, top, right, bottom from 0 to 1000",
}
# Some of COCO's boxes extend past the image edge by rounding.
EDGE_TOLERANCE_PX = 1.0
# The same for coordinates that do not count pixels, as a fraction of the image: left and width are rounded to 1/1000.
EDGE_TOLERANCE_NORM = 0.0011
# Normalized coordinates that were rounded to a few digits extend past 1 by up to this much.
NORM_TOLERANCE = 0.01


def to_xyxy(annotated: Tensor, box_format: BoxFormat, sizes: Tensor) -> Tensor:
    """Boxes in the source's format as xyxy in pixels, neither clipped nor checked.

    Args:
        annotated: [N, 4], float64.
        sizes: [N, 2], float64, width and height of each box's image in pixels; not used by formats in pixels.

    Returns:
        [N, 4].
    """
    corners = box_convert(annotated, format_shape(box_format), "xyxy")
    scale = format_scale(box_format)
    return corners if scale is None else corners / scale * sizes.repeat(1, 2)


def from_xyxy(boxes_xyxy: Tensor, box_format: BoxFormat, sizes: Tensor) -> Tensor:
    """The inverse of `to_xyxy`: [N, 4]."""
    boxes = box_convert(boxes_xyxy, "xyxy", format_shape(box_format))
    scale = format_scale(box_format)
    return boxes if scale is None else boxes / sizes.repeat(1, 2) * scale


def needs_sizes(box_format: BoxFormat) -> bool:
    """Whether boxes of this format can be converted to pixels only if the size of their image is known."""
    return format_scale(box_format) is not None


def boxes_in_images(
    annotated: Tensor, box_format: BoxFormat, sizes: Tensor, clip: bool = False
) -> tuple[Tensor, Tensor]:
    """Converts boxes to xyxy and checks them.

    A box that extends past the image by less than a pixel is clipped. A box that extends further is invalid, unless
    it is to be clipped, too; so is one that has no area inside the image or is not finite.

    Args:
        annotated: [N, 4], float64, in the source's format.
        sizes: [N, 2], float64, width and height of each box's image in pixels; infinite if unknown.
        clip: whether boxes may extend past the image by any distance.

    Returns:
        boxes [N, 4], xyxy, pixels, inside their images; valid [N], bool.
    """
    limits = sizes.repeat(1, 2)  # [N, 4]
    boxes = to_xyxy(annotated, box_format, sizes)
    tolerance = torch.full_like(limits, EDGE_TOLERANCE_PX)
    if needs_sizes(box_format):
        tolerance = (EDGE_TOLERANCE_NORM * limits).clamp(min=EDGE_TOLERANCE_PX)
    inside = clip | ((boxes > -tolerance) & (boxes < limits + tolerance)).all(dim=1)
    clipped = torch.minimum(boxes.clamp(min=0), limits)
    has_area = (clipped[:, 2:] > clipped[:, :2]).all(dim=1)
    if format_shape(box_format) != "xyxy":
        has_area &= (annotated[:, 2:] > 0).all(dim=1)
    return clipped, inside & has_area & annotated.isfinite().all(dim=1)


def have_area(boxes: Sequence[Box], box_format: BoxFormat, clip: bool = False) -> list[bool]:
    """Whether each box has an area and, unless it is to be clipped, lies inside the image if its format can tell."""
    return have_area_tensor(_as_tensor(boxes), box_format, clip).tolist()


def have_area_tensor(boxes_tensor: Tensor, box_format: str, clip: bool = False) -> Tensor:
    """The same for a tensor [N, 4]: [N], bool."""
    shape, scale = format_shape(box_format), format_scale(box_format)
    if shape == "xyxy":
        fit = (boxes_tensor[:, 2:] > boxes_tensor[:, :2]).all(dim=1)
    else:
        fit = (boxes_tensor[:, 2:] > 0).all(dim=1)
    if scale is None or clip:
        return fit
    corners = box_convert(boxes_tensor, shape, "xyxy") / scale
    return fit & ((corners >= -NORM_TOLERANCE) & (corners <= 1 + NORM_TOLERANCE)).all(dim=1)


def format_shape(box_format: str) -> str:
    """The meaning of the four numbers, by torchvision's names: xywh, xyxy or cxcywh."""
    return box_format.partition("_")[0]


def format_scale(box_format: str) -> float | None:
    """The coordinate of the right and bottom edge of every image; None if it is the image's size in pixels."""
    return {"norm": 1.0, "1000": 1000.0}.get(box_format.partition("_")[2])


def _as_tensor(boxes: Sequence[Box]) -> Tensor:
    return torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)
