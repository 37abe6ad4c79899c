"""Tells boxes that are in the other frame of images with an EXIF rotation."""

from __future__ import annotations

import torch
from torch import Tensor

from cliprpn.data.annotations import BoxFormat
from cliprpn.data.boxes import boxes_in_images


def orientation_hint(annotated: Tensor, valid: Tensor, box_format: BoxFormat, sizes: Tensor) -> str | None:
    """Suggests an orientation, if most invalid boxes lie inside their image turned by 90 degrees; None otherwise.

    Args:
        annotated: [N, 4], float64, in the source's format.
        valid: [N], bool.
        sizes: [N, 2], float64, width and height of each box's image in pixels; infinite if unknown.
    """
    is_turnable = ~valid & sizes.isfinite().all(dim=1) & (sizes[:, 0] != sizes[:, 1])
    turned_sizes = torch.where(is_turnable[:, None], sizes.flip(1), sizes)
    _, valid_turned = boxes_in_images(annotated, box_format, turned_sizes)
    num_turned = int((valid_turned & is_turnable).sum())
    if num_turned * 2 < int((~valid).sum()):
        return None
    return (
        f"{num_turned} of {int((~valid).sum())} boxes outside their image lie inside it when it is turned by 90 "
        "degrees: if images have an EXIF rotation, --orientation upright (as viewers show them) or --orientation "
        "stored reads the boxes in that frame"
    )
