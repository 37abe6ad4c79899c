"""A view of an image: its pixels, and the boxes that move with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

Change = Literal["flip", "crop", "light", "chroma", "blur"]
CHANGES: tuple[Change, ...] = ("flip", "crop", "light", "chroma", "blur")
# Of the blur's kernel: beyond three deviations the weights are below a 255th of the largest.
KERNEL_DEVIATIONS = 3


@dataclass(frozen=True)
class View:
    """What is done to a prepared image; with only a size, nothing.

    Attributes:
        size_px: side of the prepared square.
        flip: left and right change places, after the crop.
        crop_xyxy: the part that is brought back to the whole square, whole pixels of the square.
        brightness, contrast, saturation: factors, 1 for no change.
        hue: turned by this share of the circle, in [-0.5, 0.5].
        blur_px: standard deviation of a Gaussian, in pixels of the square; 0 for none.
    """

    size_px: int
    flip: bool = False
    crop_xyxy: tuple[int, int, int, int] | None = None
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    blur_px: float = 0.0

    @property
    def changes(self) -> frozenset[Change]:
        """What the view does, in the words that sentences are judged by."""
        done: dict[Change, bool] = {
            "flip": self.flip,
            "crop": self.crop_xyxy is not None,
            "light": (self.brightness, self.contrast) != (1.0, 1.0),
            "chroma": (self.saturation, self.hue) != (1.0, 0.0),
            "blur": self.blur_px > 0,
        }
        return frozenset(change for change in CHANGES if done[change])


def render(pixels: Tensor, view: View) -> Tensor:
    """The view's pixels.

    Args:
        pixels: the prepared image, [3, S, S], uint8, RGB.

    Returns:
        [3, S, S], uint8.
    """
    image = _moved(tv_tensors.Image(pixels), view)
    if "light" in view.changes:
        image = functional.adjust_brightness(image, view.brightness)
        image = functional.adjust_contrast(image, view.contrast)
    if "chroma" in view.changes:
        image = functional.adjust_saturation(image, view.saturation)
        image = functional.adjust_hue(image, view.hue)
    if "blur" in view.changes:
        side = 2 * round(KERNEL_DEVIATIONS * view.blur_px) + 1
        image = functional.gaussian_blur(image, [side, side], [view.blur_px, view.blur_px])
    return image.as_subclass(Tensor)


def move_boxes(boxes: Tensor, view: View) -> Tensor:
    """Boxes of the prepared image in the view: [N, 4], xyxy, pixels of the square.

    What a crop cuts away is cut off the box; a box that it cuts away wholly has no area.

    Args:
        boxes: [N, 4], float32, xyxy, pixels of the square.
    """
    canvas = (view.size_px, view.size_px)
    moved = _moved(tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=canvas), view)
    return moved.as_subclass(Tensor)


Moves = TypeVar("Moves", tv_tensors.Image, tv_tensors.BoundingBoxes)


def _moved(what: Moves, view: View) -> Moves:
    """The same geometry for pixels (by CLIP's own filter) and boxes."""
    if view.crop_xyxy is not None:
        left, top, right, bottom = view.crop_xyxy
        what = functional.resized_crop(
            what,
            top,
            left,
            bottom - top,
            right - left,
            [view.size_px, view.size_px],
            InterpolationMode.BICUBIC,
            antialias=True,
        )
    return functional.horizontal_flip(what) if view.flip else what
