"""Samples augmentations that depend only on the seed, the image and the number of the view."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import torch
from torch import Tensor

from cliprpn.data.views.augmentation import CHANGES, Augmentation, Change

# Part of the key of view features: change it whenever the same seed gives other views or permits other sentences.
VIEWS_VERSION = "1"

PROBABILITIES: dict[Change, float] = {"flip": 0.5, "crop": 0.7, "light": 0.8, "chroma": 0.8, "blur": 0.3}
# A change is dropped if fewer of the image's sentences stay true: the view would be usable for too few.
MIN_FRACTION_OF_SENTENCES = 0.5

SMALLEST_CROP = 0.6  # of the side
LARGEST_CROP = 0.95  # An image that needs a larger crop is not cropped at all.
CROP_STRETCH = 1.15  # largest ratio of the crop's sides
# Margin around the boxes to keep, relative to the square's side: sentences often mention what touches the object (a
# hand, a table).
CROP_MARGIN = 0.05

LIGHT = 0.2  # brightness and contrast: 0.8 to 1.2
SATURATION = 0.3  # 0.7 to 1.3
HUE = 0.03  # of the color circle: orange stays orange
BLUR = (0.002, 0.005)  # of the side: 0.4 to 1.1 px at 224


def sample_augmentation(
    seed: int,
    image: str,
    number: int,
    permitted: Sequence[AbstractSet[Change]],
    keep_boxes: Tensor,
    size_px: int,
) -> Augmentation:
    """The augmentation of view `number` of an image.

    Args:
        image: name of the image in its dataset.
        permitted: for each of the image's training sentences, the changes that keep it true.
        keep_boxes: [N, 4], xyxy, pixels of the prepared square: the referred objects and all others of their
            categories. A crop contains all of them; without the others, the sentence would be easier to ground.
        size_px: side of the prepared square.
    """
    draws = _draw_numbers(seed, image, number)
    chosen = {change for change in CHANGES if draws[change].chance < PROBABILITIES[change]}
    needed = MIN_FRACTION_OF_SENTENCES * len(permitted)
    used = {change for change in chosen if sum(change in changes for changes in permitted) >= needed}
    light, chroma = draws["light"], draws["chroma"]
    return Augmentation(
        size_px,
        flip="flip" in used,
        crop_xyxy=_crop(keep_boxes, size_px, draws["crop"]) if "crop" in used else None,
        brightness=_around(1, LIGHT, light.first) if "light" in used else 1.0,
        contrast=_around(1, LIGHT, light.second) if "light" in used else 1.0,
        saturation=_around(1, SATURATION, chroma.first) if "chroma" in used else 1.0,
        hue=_around(0, HUE, chroma.second) if "chroma" in used else 0.0,
        blur_px=size_px * _between(*BLUR, draws["blur"].first) if "blur" in used else 0.0,
    )


@dataclass(frozen=True)
class _Draw:
    """Random numbers in [0, 1) for one change: whether it is used, and its parameters."""

    chance: float
    first: float
    second: float
    third: float
    fourth: float


def _draw_numbers(seed: int, image: str, number: int) -> dict[Change, _Draw]:
    """Draws from a hash, so that numbers are the same on every machine and for every version of numpy and torch."""
    draws: dict[Change, _Draw] = {}
    for change in CHANGES:
        digest = hashlib.sha256(f"{seed}\0{image}\0{number}\0{change}".encode()).digest()
        draws[change] = _Draw(*(int.from_bytes(digest[i : i + 6], "big") / 2**48 for i in range(0, 30, 6)))
    return draws


def _crop(keep_boxes: Tensor, size_px: int, draw: _Draw) -> tuple[int, int, int, int] | None:
    """A crop that contains the boxes to keep; None if that needs nearly the whole square."""
    margin = CROP_MARGIN * size_px
    low, high = keep_boxes[:, :2].amin(dim=0) - margin, keep_boxes[:, 2:].amax(dim=0) + margin
    (left, top), (right, bottom) = (
        low.floor().clamp(min=0).to(torch.int64).tolist(),
        high.ceil().clamp(max=size_px).to(torch.int64).tolist(),
    )
    smallest = max(SMALLEST_CROP, (right - left) / size_px, (bottom - top) / size_px)
    if smallest > LARGEST_CROP:
        return None
    scale = _between(smallest, LARGEST_CROP, draw.first) * size_px
    stretch = math.sqrt(_between(1 / CROP_STRETCH, CROP_STRETCH, draw.second))
    x0, x1 = _window(round(scale * stretch), left, right, size_px, draw.third)
    y0, y1 = _window(round(scale / stretch), top, bottom, size_px, draw.fourth)
    return x0, y0, x1, y1


def _window(length: int, low: int, high: int, size_px: int, draw: float) -> tuple[int, int]:
    """An interval in [0, size_px] of this length, or longer if needed, that contains [low, high]."""
    length = min(max(length, high - low), size_px)
    first, last = max(0, high - length), min(low, size_px - length)
    start = first + math.floor(draw * (last - first + 1))
    return start, start + length


def _around(middle: float, spread: float, draw: float) -> float:
    return _between(middle - spread, middle + spread, draw)


def _between(low: float, high: float, draw: float) -> float:
    return low + draw * (high - low)
