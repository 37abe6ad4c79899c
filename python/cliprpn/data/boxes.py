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
    corners = box_convert(annotated, _shape(box_format), "xyxy")
    scale = _scale(box_format)
    return corners if scale is None else corners / scale * sizes.repeat(1, 2)


def from_xyxy(boxes_xyxy: Tensor, box_format: BoxFormat, sizes: Tensor) -> Tensor:
    """The inverse of `to_xyxy`: [N, 4]."""
    boxes = box_convert(boxes_xyxy, "xyxy", _shape(box_format))
    scale = _scale(box_format)
    return boxes if scale is None else boxes / sizes.repeat(1, 2) * scale


def needs_sizes(box_format: BoxFormat) -> bool:
    """Whether boxes of this format can be converted to pixels only if the size of their image is known."""
    return _scale(box_format) is not None


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
    boxes = to_xyxy(annotated, box_format, sizes)
    tolerance = torch.full_like(limits, EDGE_TOLERANCE_PX)
    if needs_sizes(box_format):
        tolerance = (EDGE_TOLERANCE_NORM * limits).clamp(min=EDGE_TOLERANCE_PX)
    inside = ((boxes > -tolerance) & (boxes < limits + tolerance)).all(dim=1)
    clipped = torch.minimum(boxes.clamp(min=0), limits)
    has_area = (clipped[:, 2:] > clipped[:, :2]).all(dim=1)
    if _shape(box_format) != "xyxy":
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
    if needs_sizes(box_format):
        return fit
    # Normalized coordinates are valid pixels, but too small to be meant so.
    fit &= (boxes_tensor > 1).any(dim=1)
    right_bottom = boxes_tensor[:, 2:] if box_format == "xyxy" else boxes_tensor[:, :2] + boxes_tensor[:, 2:]
    return fit & ((right_bottom <= limits + 1) | (limits == 0)).all(dim=1)


def _have_area(boxes_tensor: Tensor, box_format: BoxFormat) -> Tensor:
    shape, scale = _shape(box_format), _scale(box_format)
    if shape == "xyxy":
        fit = (boxes_tensor[:, 2:] > boxes_tensor[:, :2]).all(dim=1)
    else:
        fit = (boxes_tensor[:, 2:] > 0).all(dim=1)
    if scale is None:
        return fit
    corners = box_convert(boxes_tensor, shape, "xyxy") / scale
    return fit & ((corners >= -NORM_TOLERANCE) & (corners <= 1 + NORM_TOLERANCE)).all(dim=1)


def _shape(box_format: BoxFormat) -> str:
    """The meaning of the four numbers, by torchvision's names: xywh, xyxy or cxcywh."""
    return box_format.partition("_")[0]


def _scale(box_format: BoxFormat) -> float | None:
    """The coordinate of the right and bottom edge of every image; None if it is the image's size in pixels."""
    return {"norm": 1.0, "1000": 1000.0}.get(box_format.partition("_")[2])


def _as_tensor(boxes: Sequence[Box]) -> Tensor:
    return torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)
