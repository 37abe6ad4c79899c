"""Converts boxes between an image and the square that it was resized to.

`src/dataset/geometry.ts` computes the frames.
"""

from __future__ import annotations

from torch import Tensor


def to_frame(boxes: Tensor, frames: Tensor, zoom: float = 1.0) -> Tensor:
    """Converts boxes from image to square: (x * scale_x + left) * zoom, (y * scale_y + top) * zoom.

    Args:
        boxes: [N, 4], xyxy, pixels of the original images.
        frames: [N, 4], scale_x, scale_y, left, top of each image.
        zoom: pixels of the frame per pixel of the square; a model's frame is the same square, enlarged.

    Returns:
        [N, 4], xyxy, pixels of the frame.
    """
    scale, offset = _halves(frames)
    return (boxes * scale + offset) * zoom


def to_image(boxes: Tensor, frames: Tensor, zoom: float = 1.0) -> Tensor:
    """The inverse of `to_frame`; boxes on the bars of a letterbox lie outside the image."""
    scale, offset = _halves(frames)
    return (boxes / zoom - offset) / scale


def _halves(frames: Tensor) -> tuple[Tensor, Tensor]:
    return frames[:, :2].repeat(1, 2), frames[:, 2:].repeat(1, 2)  # [N, 4] each
