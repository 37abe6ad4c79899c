"""Views of a box for CLIP: its crop, or the whole image with the box highlighted."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

from cliprpn.models.transfer import to_device
from cliprpn.ranking.resample import resize_and_center_crop

BoxView = Literal["crop", "blur", "circle"]
# In pixels of the original image.
BLUR_SIGMA_PX = 100.0
# Relative to the square's side.
LINE_WIDTH = 0.01
CIRCLE_MARGIN = 0.01


def render_views(image: Tensor, boxes_xyxy: Tensor, view: BoxView, size_px: int = 224) -> Tensor:
    """Renders CLIP's input for each box. Boxes are extended to whole pixels, at least one.

    `crop` is OpenAI's preprocessing of the box's crop, so only the center of an elongated box is visible. For `blur`
    and `circle` the whole image is squashed to a square instead of center-cropped, which would lose boxes at the edges;
    ReCLIP's released code does the same (`square_size`).

    Args:
        image: [3, H, W], uint8, RGB.
        boxes_xyxy: [N, 4], pixels, inside the image; on any device.

    Returns:
        [N, 3, size_px, size_px], float32, in [0, 1], on the image's device.
    """
    boxes = expand_to_pixels(boxes_xyxy.cpu(), image.shape[2], image.shape[1])
    if view == "crop":
        return resize_and_center_crop(image, boxes, size_px) / 255
    height, width = image.shape[1:]
    boxes_in_square = to_device(boxes * torch.tensor([size_px / width, size_px / height] * 2), image.device)
    squashed = _squash(image, size_px)
    if view == "blur":
        return _sharpen_inside(boxes_in_square, squashed, _blur(image, size_px))
    return _draw_ellipses(boxes_in_square, squashed)


def expand_to_pixels(boxes_xyxy: Tensor, width: int, height: int) -> Tensor:
    """Extends boxes to whole pixels: [N, 4], int64, xyxy, at least 1 px wide and high."""
    limit = torch.tensor([width, height])
    top_left = torch.minimum(boxes_xyxy[:, :2].floor().long().clamp(min=0), limit - 1)
    bottom_right = torch.minimum(boxes_xyxy[:, 2:].ceil().long(), limit)
    return torch.cat([top_left, torch.maximum(bottom_right, top_left + 1)], dim=1)


def _squash(image: Tensor, size_px: int) -> Tensor:
    """The whole image resized to the square, [3, size_px, size_px], in [0, 1]."""
    squashed = transforms.resize(image, [size_px, size_px], InterpolationMode.BICUBIC, antialias=True)
    return squashed.float() / 255


def _sharpen_inside(boxes: Tensor, sharp: Tensor, blurred: Tensor) -> Tensor:
    """The blurred image with each box sharp, [N, 3, S, S]; pixels at a box's edges are blended.

    Args:
        boxes: [N, 4], xyxy, pixels of the square.
        sharp: [3, S, S].
        blurred: [3, S, S].
    """
    columns, rows = (_coverage(boxes[:, axis], boxes[:, axis + 2], sharp.shape[1]) for axis in (0, 1))
    inside = rows[:, :, None] * columns[:, None, :]  # [N, S, S]
    return torch.lerp(blurred, sharp, inside[:, None])


def _blur(image: Tensor, size_px: int) -> Tensor:
    """The squashed image, blurred as in ReCLIP (Subramanian et al. 2022, section 3.1), [3, size_px, size_px].

    The Gaussian has a sigma of 100 px of the original image; only the square's pixels are computed.
    """
    vertical, horizontal = (to_device(_gaussian(side, size_px), image.device) for side in image.shape[1:])
    return vertical @ (image.float() / 255) @ horizontal.T


def _gaussian(length: int, size_px: int) -> Tensor:
    """Matrix that blurs and samples one axis: [size_px, length]. Edge pixels are replicated beyond the ends."""
    centers = (torch.arange(size_px) + 0.5) * (length / size_px)
    edges = torch.arange(length + 1.0)
    edges[0], edges[-1] = -math.inf, math.inf
    return torch.special.ndtr((edges - centers[:, None]) / BLUR_SIGMA_PX).diff(dim=1)


def _coverage(low: Tensor, high: Tensor, size: int) -> Tensor:
    """Fraction of each pixel of an axis between two edges: [N, size], in [0, 1]."""
    pixels = torch.arange(size, device=low.device)
    return (torch.minimum(high[:, None], pixels + 1) - torch.maximum(low[:, None], pixels)).clamp(min=0)


def _draw_ellipses(boxes: Tensor, squashed: Tensor) -> Tensor:
    """The image with a red ellipse around each box.

    After Shtedritski et al. 2023 ("What does CLIP know about a red circle?"), who released no code. The ellipse is
    that of the reproduction by Yang et al. 2023 (FGVP): pure red, inscribed in the box enlarged by 1% of the image
    per side. The line width is 1% of the square, 2.2 px of 224 (FGVP: 2 px), and the line stays inside the image.

    Args:
        boxes: [N, 4], xyxy, pixels of the square.
        squashed: [3, S, S].
    """
    size = squashed.shape[1]
    line, margin = LINE_WIDTH * size, CIRCLE_MARGIN * size
    sides = boxes + margin * to_device(torch.tensor([-1, -1, 1, 1]), boxes.device)
    sides = sides.clamp(line / 2, size - line / 2)
    opacity = (line / 2 + 0.5 - _distance_to_ellipse(sides, size).abs()).clamp(0, 1)  # [N, S, S]
    red = to_device(torch.tensor([1.0, 0, 0]), squashed.device)[:, None, None]
    return torch.lerp(squashed, red, opacity[:, None])


def _distance_to_ellipse(boxes: Tensor, size: int) -> Tensor:
    """First-order distance of each pixel to the ellipse inscribed in each box: [N, size, size], negative inside."""
    pixels = torch.arange(size, device=boxes.device) + 0.5
    center, radii = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    x, y = ((pixels - center[:, axis, None]) / radii[:, axis, None] for axis in (0, 1))
    x, y = x[:, None, :], y[:, :, None]
    radius = (x**2 + y**2).sqrt()  # 1 on the ellipse
    slope = ((x / radii[:, 0, None, None]) ** 2 + (y / radii[:, 1, None, None]) ** 2).sqrt()
    return torch.where(slope > 0, radius * (radius - 1) / slope, -math.inf)
