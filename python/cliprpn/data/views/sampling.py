"""Draws views: a function of the seed, the image and the view's number, and of nothing else."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import torch
from torch import Tensor

from cliprpn.data.views.augmentation import CHANGES, Change, View

# Part of the views' key: change it whenever the same seed would give other views, or sentences be judged otherwise.
VIEWS_VERSION = "1"

CHANCES: dict[Change, float] = {"flip": 0.5, "crop": 0.7, "light": 0.8, "chroma": 0.8, "blur": 0.3}
# A change is left out where fewer of the image's sentences bear it: the view would be fit for too few.
MIN_SHARE_OF_SENTENCES = 0.5

SMALLEST_CROP = 0.6  # of the side
LARGEST_CROP = 0.95  # What would have to keep more than this is not cropped at all.
CROP_STRETCH = 1.15  # at most, of the crop's width against its height, on top of the square's own
# Around what must stay, of the square's side: what touches the object (a hand, a table) is often in its sentence.
CROP_MARGIN = 0.05

LIGHT = 0.2  # brightness and contrast: 0.8 to 1.2
SATURATION = 0.3
HUE = 0.03  # of the circle: orange stays orange
BLUR = (0.002, 0.005)  # of the side: 0.4 to 1.1 px at 224


def plan_view(
    seed: int,
    picture: str,
    number: int,
    permitted: Sequence[AbstractSet[Change]],
    keep_boxes: Tensor,
    size_px: int,
) -> View:
    """View `number` of an image.

    Args:
        image: names the image within its data set.
        permitted: the changes that each of the image's training sentences bears.
        keep_boxes: [N, 4], xyxy, pixels of the prepared square: the objects referred to and all others of their
            categories. A crop keeps them whole: were a rival cut away, the sentence would be easier than it is.
        size_px: side of the prepared square.
    """
    draws = _draws(seed, picture, number)
    chosen = {change for change in CHANGES if draws[change].chance < CHANCES[change]}
    needed = MIN_SHARE_OF_SENTENCES * len(permitted)
    borne = {change for change in chosen if sum(change in each for each in permitted) >= needed}
    light, chroma = draws["light"], draws["chroma"]
    return View(
        size_px,
        flip="flip" in borne,
        crop_xyxy=_crop(keep_boxes, size_px, draws["crop"]) if "crop" in borne else None,
        brightness=_around(1, LIGHT, light.first) if "light" in borne else 1.0,
        contrast=_around(1, LIGHT, light.second) if "light" in borne else 1.0,
        saturation=_around(1, SATURATION, chroma.first) if "chroma" in borne else 1.0,
        hue=_around(0, HUE, chroma.second) if "chroma" in borne else 0.0,
        blur_px=size_px * _between(*BLUR, draws["blur"].first) if "blur" in borne else 0.0,
    )


@dataclass(frozen=True)
class _Draw:
    """A change's own numbers in [0, 1): whether it is done at all, and how."""

    chance: float
    first: float
    second: float
    third: float
    fourth: float


def _draws(seed: int, picture: str, number: int) -> dict[Change, _Draw]:
    """Straight from a hash: the same on every machine and with every version of numpy or torch."""
    found: dict[Change, _Draw] = {}
    for change in CHANGES:
        digest = hashlib.sha256(f"{seed}\0{picture}\0{number}\0{change}".encode()).digest()
        found[change] = _Draw(*(int.from_bytes(digest[i : i + 6], "big") / 2**48 for i in range(0, 30, 6)))
    return found


def _crop(keep_boxes: Tensor, size_px: int, draw: _Draw) -> tuple[int, int, int, int] | None:
    """A part of the square with everything in it that is to stay; None where that needs nearly all of it."""
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
    """A place for the length within [0, size_px] that covers [low, high]; longer where it must be."""
    length = min(max(length, high - low), size_px)
    first, last = max(0, high - length), min(low, size_px - length)
    start = first + math.floor(draw * (last - first + 1))
    return start, start + length


def _around(middle: float, spread: float, draw: float) -> float:
    return _between(middle - spread, middle + spread, draw)


def _between(low: float, high: float, draw: float) -> float:
    return low + draw * (high - low)
