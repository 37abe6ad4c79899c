"""Annotated boxes: their formats, conversion and checks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.ops import box_convert

from cliprpn.data.annotations import Box, BoxFormat

# COCO's own boxes stick out of their image by rounding.
EDGE_TOLERANCE_PX = 1.0


def boxes_in_images(given: Tensor, box_format: BoxFormat, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes as xyxy, and which of them are fit to train on.

    A box may stick out by less than a pixel and is cut at the edge. One that sticks out further, has no
    area or is not finite is unfit.

    Args:
        given: [N, 4], float64, in the source's format.
        sizes: [N, 2], float64, width and height of each box's image in pixels; infinite where not known.

    Returns:
        boxes [N, 4], xyxy, pixels, inside their images; fit [N], bool.
    """
    limits = sizes.repeat(1, 2)  # [N, 4]
    if box_format == "cxcywh_norm":
        boxes = box_convert(given, "cxcywh", "xyxy") * limits
    else:
        boxes = given if box_format == "xyxy" else box_convert(given, "xywh", "xyxy")
    inside = ((boxes > -EDGE_TOLERANCE_PX) & (boxes < limits + EDGE_TOLERANCE_PX)).all(dim=1)
    clipped = torch.minimum(boxes.clamp(min=0), limits)
    with_area = (clipped[:, 2:] > clipped[:, :2]).all(dim=1)
    if box_format != "xyxy":
        with_area &= (given[:, 2:] > 0).all(dim=1)
    return clipped, inside & with_area & given.isfinite().all(dim=1)


WORDS: dict[BoxFormat, str] = {
    "xywh": "xywh: left, top, width, height in pixels",
    "xyxy": "xyxy: left, top, right, bottom in pixels",
    "cxcywh_norm": "cxcywh_norm: centre, width and height as shares of the image",
}
# Shares that were rounded to a few digits reach past the image by that much.
NORM_TOLERANCE = 0.01


def possible(boxes: Sequence[Box], box_format: BoxFormat) -> list[bool]:
    """Which boxes have an area and, where they are shares, lie in the image."""
    return _possible(_table(boxes), box_format).tolist()


def format_hint(
    boxes: Sequence[Box], box_format: BoxFormat, sizes: Sequence[tuple[float, float] | None]
) -> str | None:
    """The format that all boxes look like where most cannot be what was named; None where they can.

    Args:
        boxes: as given.
        sizes: width and height of each box's image in pixels, where known.
    """
    if not boxes:
        return None
    table = _table(boxes)
    limits = torch.tensor([size or (0, 0) for size in sizes], dtype=torch.float64).reshape(-1, 2)
    shares = {each: _fits(table, each, limits).double().mean().item() for each in WORDS}
    best = max(WORDS, key=lambda each: (shares[each], each == box_format))
    if shares[box_format] >= 0.5 or shares[best] < 0.95:
        return None
    return (
        f"{1 - shares[box_format]:.0%} of {len(boxes)} boxes cannot be {box_format}, and "
        f"{shares[best]:.0%} can be {best}: is {best} their format?"
    )


def _fits(table: Tensor, box_format: BoxFormat, limits: Tensor) -> Tensor:
    """Possible by itself and inside its image where the size is known: [N], bool."""
    fits = _possible(table, box_format)
    if box_format == "cxcywh_norm":
        return fits
    fits &= (table > 1).any(dim=1)  # Shares of the image are possible pixels, too small to be meant.
    right_bottom = table[:, 2:] if box_format == "xyxy" else table[:, :2] + table[:, 2:]
    return fits & ((right_bottom <= limits + 1) | (limits == 0)).all(dim=1)


def _possible(table: Tensor, box_format: BoxFormat) -> Tensor:
    if box_format == "xywh":
        return (table[:, 2:] > 0).all(dim=1)
    if box_format == "xyxy":
        return (table[:, 2:] > table[:, :2]).all(dim=1)
    corners = box_convert(table, "cxcywh", "xyxy")
    inside = ((corners >= -NORM_TOLERANCE) & (corners <= 1 + NORM_TOLERANCE)).all(dim=1)
    return (table[:, 2:] > 0).all(dim=1) & inside


def _table(boxes: Sequence[Box]) -> Tensor:
    return torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)
