"""Fits an image of any size into a detector's input, as YOLOX does: top left, the rest grey."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def letterbox(picture: Tensor, height: int, width: int, fill: int) -> tuple[Tensor, Tensor]:
    """An image scaled to fit, its shape kept to within a pixel, in the top left corner.

    Sides are rounded down and pixels interpolated without antialiasing, as `cv2.resize` does for YOLOX's own
    `preproc`.

    Args:
        image: [C, H, W], uint8.
        height: of the result, pixels.
        width: of the result, pixels.
        fill: value of pixels that the image does not cover.

    Returns:
        boxed: [C, height, width], uint8.
        scale_xy: [2], float64: pixels of the result for one of the image.
    """
    own_height, own_width = picture.shape[1:]
    ratio = min(height / own_height, width / own_width)
    inner = [max(1, int(side * ratio)) for side in (own_height, own_width)]
    boxed = picture.new_full((picture.shape[0], height, width), fill)
    resized = picture if inner == [own_height, own_width] else _resize(picture, inner)
    boxed[:, : inner[0], : inner[1]] = resized
    scale_xy = torch.tensor([inner[1] / own_width, inner[0] / own_height], dtype=torch.float64)
    return boxed, scale_xy


def _resize(picture: Tensor, size: list[int]) -> Tensor:
    return interpolate(picture[None], size=size, mode="bilinear", align_corners=False)[0]
