"""An augmentation of a prepared image, applied to its pixels and its boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

Change = Literal["flip", "crop", "light", "chroma", "blur"]
CHANGES: tuple[Change, ...] = ("flip", "crop", "light", "chroma", "blur")
# Half width of the blur kernel, in standard deviations: beyond 3, weights are below 1/255 of the largest.
KERNEL_DEVIATIONS = 3


@dataclass(frozen=True)
class Augmentation:
    """Parameters of an augmentation; the defaults change nothing.

    Attributes:
        size_px: side of the prepared square.
        flip: mirrors the image horizontally, after the crop.
        crop_xyxy: the part that is resized to the whole square, in integer pixels of the square.
        brightness, contrast, saturation: factors, 1 for no change.
        hue: shift as a fraction of the color circle, in [-0.5, 0.5].
        blur_px: standard deviation of a Gaussian blur, in pixels of the square; 0 for none.
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
        """The kinds of change that the augmentation makes."""
        active: dict[Change, bool] = {
            "flip": self.flip,
            "crop": self.crop_xyxy is not None,
            "light": (self.brightness, self.contrast) != (1.0, 1.0),
            "chroma": (self.saturation, self.hue) != (1.0, 0.0),
            "blur": self.blur_px > 0,
        }
        return frozenset(change for change in CHANGES if active[change])


def augment_pixels(pixels: Tensor, augmentation: Augmentation) -> Tensor:
    """Applies an augmentation to an image.

    Args:
        pixels: the prepared image, [3, S, S], uint8, RGB.

    Returns:
        [3, S, S], uint8.
    """
    image = _crop_and_flip(tv_tensors.Image(pixels), augmentation)
    if "light" in augmentation.changes:
        image = functional.adjust_brightness(image, augmentation.brightness)
        image = functional.adjust_contrast(image, augmentation.contrast)
    if "chroma" in augmentation.changes:
        image = functional.adjust_saturation(image, augmentation.saturation)
        image = functional.adjust_hue(image, augmentation.hue)
    if "blur" in augmentation.changes:
        side = 2 * round(KERNEL_DEVIATIONS * augmentation.blur_px) + 1
        image = functional.gaussian_blur(image, [side, side], [augmentation.blur_px, augmentation.blur_px])
    return image.as_subclass(Tensor)


def augment_boxes(boxes: Tensor, augmentation: Augmentation) -> Tensor:
    """Boxes of the prepared image in the augmented one: [N, 4], xyxy, pixels of the square.

    A crop clips the boxes; a box outside of the crop has no area.

    Args:
        boxes: [N, 4], float32, xyxy, pixels of the square.
    """
    canvas = (augmentation.size_px, augmentation.size_px)
    tv_boxes = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=canvas)
    return _crop_and_flip(tv_boxes, augmentation).as_subclass(Tensor)


PixelsOrBoxes = TypeVar("PixelsOrBoxes", tv_tensors.Image, tv_tensors.BoundingBoxes)


def _crop_and_flip(value: PixelsOrBoxes, augmentation: Augmentation) -> PixelsOrBoxes:
    """Applies the same geometry to pixels (with CLIP's filter) and boxes."""
    if augmentation.crop_xyxy is not None:
        left, top, right, bottom = augmentation.crop_xyxy
        value = functional.resized_crop(
            value,
            top,
            left,
            bottom - top,
            right - left,
            [augmentation.size_px, augmentation.size_px],
            InterpolationMode.BICUBIC,
            antialias=True,
        )
    return functional.horizontal_flip(value) if augmentation.flip else value
