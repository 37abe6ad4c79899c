"""What CLIP's preprocessing makes of an image's boxes: all of them by two batched matrix products.

Resizing is linear and separable, so it is a matrix for each axis; theirs are Pillow's, down to its rounding to bytes.
torchvision's roi_align, which samples bilinearly and shrinks by a plain mean, was measured first: on 128 COCO photos
its top-ranked box differed from that of Pillow's crops for 30 of 380 sentences; here for none.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Of the patches that are cut at once, one channel: some 100 MB in all.
PIXELS_AT_ONCE = 1 << 22
# Boxes of like size share a pass: patches' sides are rounded up to a multiple of this.
PATCH_STEP_PX = 32
# Pillow's bicubic is Keys' with a = -0.5, and so 2 pixels wide to each side; torch's own has -0.75.
KEYS_A = -0.5
SUPPORT = 2.0


def resize_and_center_crop(picture: Tensor, boxes_xyxy: Tensor, size_px: int) -> Tensor:
    """OpenAI's CLIP preprocessing of each box: shorter side to `size_px` by antialiased bicubic, then the centre.

    After `Resize(size_px, BICUBIC), CenterCrop(size_px)` on Pillow's images (Radford et al. 2021, released
    `clip.py`), their roundings included.

    Args:
        image: [3, H, W], uint8.
        boxes_xyxy: [N, 4], int64, pixels, at least 1 px wide and high, inside the image; on the CPU, where
            what follows from them is reckoned in float64.

    Returns:
        [N, 3, size_px, size_px], float32, whole numbers in [0, 255].
    """
    starts, spans = _windows(boxes_xyxy, size_px)
    patch_px = (spans.length.amax(dim=1) / PATCH_STEP_PX).ceil().long() * PATCH_STEP_PX
    resized = torch.empty(len(boxes_xyxy), 3, size_px, size_px, device=picture.device)
    for side in patch_px.unique().tolist():
        alike = (patch_px == side).nonzero()[:, 0]
        for rows in alike.split(max(1, PIXELS_AT_ONCE // side**2)):
            patches = _cut(picture, starts[rows], side).float()  # [n, 3, side, side]
            across, down = (
                _weights(spans.of(rows, axis), side, size_px).to(picture.device) for axis in (0, 1)
            )
            wide = _to_bytes(patches.flatten(1, 2) @ across.mT).unflatten(1, (3, side))  # [n, 3, side, size]
            resized[rows] = _to_bytes(down[:, None] @ wide)
    return resized


class _Spans(NamedTuple):
    """What of its patch each box needs, [N, 2] each, x then y."""

    scale: Tensor  # Source pixels per pixel of the result.
    first: Tensor  # Where in the patch the result's first pixel is centred.
    length: Tensor  # Pixels of the patch that belong to the box.

    def of(self, rows: Tensor, axis: int) -> _Spans:
        return _Spans(*(each[rows, axis] for each in self))


def _windows(boxes_xyxy: Tensor, size_px: int) -> tuple[Tensor, _Spans]:
    """Top left corners of the patches, [N, 2], xy, and what they hold.

    A patch holds the centre of its box and the filter's support beyond, no more: a box of 1:50 costs what its
    middle does.
    """
    wh = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    resized = size_px * wh // wh.amin(dim=1, keepdim=True)
    scale = wh.double() / resized
    cropped = ((resized - size_px) / 2).round() * scale  # torchvision rounds half to even too
    reach = SUPPORT * scale.clamp(min=1)
    lead = (cropped - reach).floor().clamp(min=0)
    end = torch.minimum((cropped + size_px * scale + reach).ceil(), wh)
    return boxes_xyxy[:, :2] + lead.long(), _Spans(scale, cropped + scale / 2 - lead, end - lead)


def _weights(span: _Spans, patch_px: int, size_px: int) -> Tensor:
    """The matrix that resizes one axis of each patch: [n, size_px, patch_px], rows sum to 1.

    A box's edges end its filter, which is then scaled up, as Pillow does.
    """
    centres = (span.first[:, None] + torch.arange(size_px) * span.scale[:, None]).float()[:, :, None]
    stretch = span.scale.clamp(min=1).float()[:, None, None]
    # Only the few pixels under the filter are reckoned: [n, size, reach].
    reach = min(patch_px, int(2 * SUPPORT * stretch.max()) + 2)
    start = (centres - SUPPORT * stretch).floor().long().clamp(min=0, max=patch_px - reach)
    pixels = start + torch.arange(reach)
    values = _keys((pixels + 0.5 - centres) / stretch) * (pixels < span.length[:, None, None])
    matrix = torch.zeros(len(centres), size_px, patch_px)
    return matrix.scatter_(2, pixels, values / values.sum(dim=2, keepdim=True))


def _keys(distance: Tensor) -> Tensor:
    """Keys' cubic convolution kernel (1981)."""
    x = distance.abs()
    near = ((KEYS_A + 2) * x - (KEYS_A + 3)) * x * x + 1
    far = KEYS_A * (((x - 5) * x + 8) * x - 4)
    return torch.where(x < 1, near, torch.where(x < SUPPORT, far, 0.0))


def _cut(picture: Tensor, starts: Tensor, side: int) -> Tensor:
    """Squares of an image from these corners on, [n, 3, side, side]; its last row and column go on beyond it."""
    steps = torch.arange(side)
    columns, rows = (
        (starts[:, axis, None] + steps).clamp(max=picture.shape[2 - axis] - 1).to(picture.device)
        for axis in (0, 1)
    )
    return picture[:, rows[:, :, None], columns[:, None, :]].transpose(0, 1)


def _to_bytes(values: Tensor) -> Tensor:
    return (values + 0.5).floor_().clamp_(0, 255)
