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
    scale, offset = _scale_and_offset(frames)
    return (boxes * scale + offset) * zoom


def to_image(boxes: Tensor, frames: Tensor, zoom: float = 1.0) -> Tensor:
    """The inverse of `to_frame`; boxes on the bars of a letterbox lie outside the image."""
    scale, offset = _scale_and_offset(frames)
    return (boxes / zoom - offset) / scale


def _scale_and_offset(frames: Tensor) -> tuple[Tensor, Tensor]:
    """For x1, y1, x2, y2 of a box: [N, 4] each."""
    return frames[:, :2].repeat(1, 2), frames[:, 2:].repeat(1, 2)
