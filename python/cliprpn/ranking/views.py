"""What CLIP sees of a box: its crop, or the whole image with the box set apart."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

from cliprpn.ranking.resample import resize_and_center_crop

View = Literal["crop", "blur", "circle"]
BLUR_SIGMA_PX = 100.0
LINE_WIDTH = 0.01
CIRCLE_MARGIN = 0.01


def render_views(picture: Tensor, boxes_xyxy: Tensor, view: View, size_px: int = 224) -> Tensor:
    """An image for CLIP of each box; a box is every pixel that it touches, at least one.

    `crop` is what OpenAI's preprocessing makes of the box's crop: of a long box it shows the middle only. For the
    other two the whole image is squashed to the square, not cropped to its centre, which would lose the boxes at
    its edges; ReCLIP's released code does so too (`square_size`).

    Args:
        image: [3, H, W], uint8, RGB.
        boxes_xyxy: [N, 4], pixels, inside the image; on any device.

    Returns:
        [N, 3, size_px, size_px], float32, in [0, 1], on the image's device.
    """
    boxes = touched_pixels(boxes_xyxy.cpu(), picture.shape[2], picture.shape[1])
    if view == "crop":
        return resize_and_center_crop(picture, boxes, size_px) / 255
    height, width = picture.shape[1:]
    in_square = (boxes * torch.tensor([size_px / width, size_px / height] * 2)).to(picture.device)
    squashed = _squash(picture, size_px)
    if view == "blur":
        return _sharp_inside(in_square, squashed, _blurred(picture, size_px))
    return _circled(in_square, squashed)


def touched_pixels(boxes_xyxy: Tensor, width: int, height: int) -> Tensor:
    """Edges of the pixels that boxes touch: [N, 4], int64, xyxy, at least 1 px wide and high."""
    limit = torch.tensor([width, height])
    top_left = torch.minimum(boxes_xyxy[:, :2].floor().long().clamp(min=0), limit - 1)
    bottom_right = torch.minimum(boxes_xyxy[:, 2:].ceil().long(), limit)
    return torch.cat([top_left, torch.maximum(bottom_right, top_left + 1)], dim=1)


def _squash(picture: Tensor, size_px: int) -> Tensor:
    """The whole image in the square, [3, size_px, size_px], in [0, 1]."""
    squashed = transforms.resize(picture, [size_px, size_px], InterpolationMode.BICUBIC, antialias=True)
    return squashed.float() / 255


def _sharp_inside(boxes: Tensor, sharp: Tensor, blurred: Tensor) -> Tensor:
    """The blurred image with each box sharp in it, [N, 3, S, S]; pixels at a box's edges are mixed.

    Args:
        boxes: [N, 4], xyxy, pixels of the square.
        sharp: [3, S, S].
        blurred: [3, S, S].
    """
    columns, rows = (_coverage(boxes[:, axis], boxes[:, axis + 2], sharp.shape[1]) for axis in (0, 1))
    inside = rows[:, :, None] * columns[:, None, :]  # [N, S, S]
    return torch.lerp(blurred, sharp, inside[:, None])


def _blurred(picture: Tensor, size_px: int) -> Tensor:
    """The squashed image as ReCLIP blurs it (Subramanian et al. 2022, section 3.1), [3, size_px, size_px].

    By a Gaussian of 100 px of the original image, of which only the square's pixels are ever made.
    """
    down, across = (_gaussian(length, size_px).to(picture.device) for length in picture.shape[1:])
    return down @ (picture.float() / 255) @ across.T


def _gaussian(length: int, size_px: int) -> Tensor:
    """The matrix that blurs an axis and samples it: [size_px, length]; beyond its ends it goes on as they are."""
    centres = (torch.arange(size_px) + 0.5) * (length / size_px)
    edges = torch.arange(length + 1.0)
    edges[0], edges[-1] = -math.inf, math.inf
    return torch.special.ndtr((edges - centres[:, None]) / BLUR_SIGMA_PX).diff(dim=1)


def _coverage(low: Tensor, high: Tensor, size: int) -> Tensor:
    """How much of each pixel of an axis lies between two edges: [N, size], in [0, 1]."""
    pixels = torch.arange(size, device=low.device)
    return (torch.minimum(high[:, None], pixels + 1) - torch.maximum(low[:, None], pixels)).clamp(min=0)


def _circled(boxes: Tensor, squashed: Tensor) -> Tensor:
    """The image with a red ellipse around each box.

    After Shtedritski et al. 2023 ("What does CLIP know about a red circle?"). The authors have released no code; the
    ellipse is that of Yang et al. 2023 (FGVP), who reproduce them: inscribed in the box, which is enlarged by 1 % of
    the image to each side, in pure red. The line is 1 % of the square wide, 2.2 of 224 px, where theirs has 2 px,
    and lies inside the image.

    Args:
        boxes: [N, 4], xyxy, pixels of the square.
        squashed: [3, S, S].
    """
    size = squashed.shape[1]
    line, margin = LINE_WIDTH * size, CIRCLE_MARGIN * size
    sides = boxes + margin * torch.tensor([-1, -1, 1, 1], device=boxes.device)
    sides = sides.clamp(line / 2, size - line / 2)
    painted = (line / 2 + 0.5 - _distance_to_ellipse(sides, size).abs()).clamp(0, 1)  # [N, S, S]
    red = torch.tensor([1.0, 0, 0], device=squashed.device)[:, None, None]
    return torch.lerp(squashed, red, painted[:, None])


def _distance_to_ellipse(boxes: Tensor, size: int) -> Tensor:
    """From each pixel to the ellipse inscribed in each box, to first order: [N, size, size], negative inside."""
    pixels = torch.arange(size, device=boxes.device) + 0.5
    centre, radii = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    x, y = ((pixels - centre[:, axis, None]) / radii[:, axis, None] for axis in (0, 1))
    x, y = x[:, None, :], y[:, :, None]
    radius = (x**2 + y**2).sqrt()  # 1 on the ellipse
    slope = ((x / radii[:, 0, None, None]) ** 2 + (y / radii[:, 1, None, None]) ** 2).sqrt()
    return torch.where(slope > 0, radius * (radius - 1) / slope, -math.inf)
