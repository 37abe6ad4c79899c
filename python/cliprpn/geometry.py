"""Boxes between an image and the square that it was prepared to; `src/dataset/geometry.ts` makes the frames."""

from __future__ import annotations

from torch import Tensor


def to_frame(boxes: Tensor, frames: Tensor, zoom: float = 1.0) -> Tensor:
    """Boxes of images in the square: x * scale_x + left, y * scale_y + top, times the zoom.

    Args:
        boxes: [N, 4], xyxy, pixels of the original images.
        frames: [N, 4], scale_x, scale_y, left, top of each image.
        zoom: pixels of the wanted frame per pixel of the square; a model's frame is the same square, larger.

    Returns:
        [N, 4], xyxy, pixels of the frame.
    """
    scale, offset = _halves(frames)
    return (boxes * scale + offset) * zoom


def to_image(boxes: Tensor, frames: Tensor, zoom: float = 1.0) -> Tensor:
    """The inverse of `to_frame`; boxes on a letterbox's bars come out beside the image."""
    scale, offset = _halves(frames)
    return (boxes / zoom - offset) / scale


def _halves(frames: Tensor) -> tuple[Tensor, Tensor]:
    return frames[:, :2].repeat(1, 2), frames[:, 2:].repeat(1, 2)  # [N, 4] each
