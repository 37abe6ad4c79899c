"""Boxes in any coordinates as pixels of the original images, and whether they fit the coordinates that were said.

What fits is judged by the boxes and their images alone, never by hits: that would be a look at the answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliprpn.answers.answer_text import coordinates_of
from cliprpn.contract.generated import Coordinates
from cliprpn.errors import CliprpnError

Values = NDArray[np.float64]
ORDERS = ("xyxy", "xywh", "cxcywh")
SUFFIXES = ("", "_norm", "_1000")
# Of the boxes: in their images as said, and as another reading has them, for that to be the likely one.
MAX_FIT_AS_SAID, MIN_FIT_AS_LIKELY = 0.9, 0.97
MIN_BOXES = 5
# Log-likelihood of "all boxes lie in this part of their images by chance": 9 is 1 in 8,000.
CERTAIN = 9.0
EDGE_PX, EDGE_PART = 2.0, 0.01


def frame_sizes(coordinates: Coordinates, sizes: Values, row_frames: Values) -> Values:
    """Width and height of the image that the coordinates refer to: [N, 2], pixels; NaN where a row has none.

    Args:
        sizes: [N, 2], of the original images.
        row_frames: [N, 2], of the columns of each row; NaN where it has none.
    """
    frame = coordinates.frame
    if frame.kind == "original":
        return sizes
    if frame.kind == "fixed":
        return np.broadcast_to(np.array([frame.width, frame.height], dtype=np.float64), sizes.shape)
    if frame.kind == "columns":
        return row_frames
    if frame.kind == "long_side":
        return sizes * (frame.length / sizes.max(axis=1, keepdims=True))
    if frame.kind == "short_side":
        scale = frame.length / sizes.min(axis=1, keepdims=True)
        if frame.max_length is not None:
            scale = np.minimum(scale, frame.max_length / sizes.max(axis=1, keepdims=True))
        return sizes * scale
    unique, inverse = np.unique(sizes, axis=0, return_inverse=True)
    resized = [
        smart_resize(w, h, frame.factor, frame.min_pixels, frame.max_pixels) for w, h in unique.tolist()
    ]
    return np.array(resized, dtype=np.float64).reshape(-1, 2)[inverse.reshape(-1)]


def smart_resize(
    width: float, height: float, factor: int, min_pixels: int, max_pixels: int
) -> tuple[int, int]:
    """The size to which Qwen-VL's image processor resizes: multiples of `factor`, an area within the limits.

    The rule is that of Qwen2-VL's image processor in transformers.
    """
    w, h = max(factor, round(width / factor) * factor), max(factor, round(height / factor) * factor)
    if w * h > max_pixels:
        scale = math.sqrt(width * height / max_pixels)
        w = max(factor, math.floor(width / scale / factor) * factor)
        h = max(factor, math.floor(height / scale / factor) * factor)
    elif w * h < min_pixels:
        scale = math.sqrt(min_pixels / (width * height))
        w, h = math.ceil(width * scale / factor) * factor, math.ceil(height * scale / factor) * factor
    return w, h


def to_original(boxes: Values, coordinates: Coordinates, sizes: Values, row_frames: Values) -> Values:
    """Boxes as xyxy in pixels of the original images, neither clipped nor checked: [N, 4].

    Args:
        boxes: [N, 4], in these coordinates.
        sizes: [N, 2], of the original images.
        row_frames: [N, 2], see `frame_sizes`.
    """
    order, _, unit = coordinates.box_format.partition("_")
    corners = _corners(boxes, order)
    full = {"norm": 1.0, "1000": 1000.0}.get(unit)
    frames = frame_sizes(coordinates, sizes, row_frames) if full is None else np.full_like(sizes, full)
    return corners * np.tile(sizes / frames, 2)


def _corners(boxes: Values, order: str) -> Values:
    if order == "xyxy":
        return boxes
    top_left = boxes[:, :2] - (boxes[:, 2:] / 2 if order == "cxcywh" else 0)
    return np.concatenate([top_left, top_left + boxes[:, 2:]], axis=1)


@dataclass(frozen=True)
class Fit:
    """What the boxes say about their coordinates.

    Attributes:
        message: None if they fit; otherwise why not, and the reading that would fit.
        is_certain: whether the file should be refused; otherwise it is a warning.
        row: the first box that shows it.
    """

    message: str | None
    is_certain: bool = False
    row: int = 0


def check_fit(boxes: Values, coordinates: Coordinates, sizes: Values, row_frames: Values) -> Fit:
    """Whether the boxes fit these coordinates.

    Args:
        boxes: [N, 4], of rows without coordinates of their own.
    """
    if len(boxes) == 0:
        return Fit(None)
    name = coordinates.box_format
    corners = to_original(boxes, coordinates, sizes, row_frames)
    fits = _inside(corners, sizes)
    share, first = fits.mean(), int(np.argmin(fits))
    others = _other_readings(boxes, coordinates, sizes, row_frames)
    what = (
        f"{(~fits).sum():,} of {len(boxes):,} boxes are no boxes inside their images as {_name(coordinates)}"
    )
    if name.partition("_")[2] != "norm":
        tiny = (np.abs(boxes) <= 1.01).all(axis=1)
        if tiny.mean() >= 0.5:
            likely = [other for other in others if other.endswith("_norm")]
            return Fit(
                f"{tiny.sum():,} of {len(boxes):,} boxes have no number above 1: {_ask(likely or ['xyxy_norm'])}",
                True,
                int(np.argmax(tiny)),
            )
    if share <= MAX_FIT_AS_SAID and (~fits).sum() >= 3:
        likely = [other for other, fit in others.items() if fit >= MIN_FIT_AS_LIKELY and fit > share]
        if likely:
            return Fit(f"{what}: {_ask(likely)}", len(boxes) >= MIN_BOXES, first)
        if share < 0.5:
            resized = "are they of resized images? Name the size, such as --coordinates xyxy@1024x1024"
            return Fit(f"{what}: {resized}", len(boxes) >= MIN_BOXES, first)
        return Fit(f"{what}; they are clipped to their images", False, first)
    return _confined(boxes, corners, coordinates, sizes)


def _confined(boxes: Values, corners: Values, coordinates: Coordinates, sizes: Values) -> Fit:
    """Boxes that fit, but all lie in a part of their images that is the whole of another unit."""
    order, _, unit = coordinates.box_format.partition("_")
    evidence: dict[str, float] = {}
    if unit == "" and coordinates.frame.kind == "original":
        own = _corners(boxes, order)[:, 2:]
        if own.max() <= 1001 and (sizes > 1010).any():
            evidence[f"{order}_1000"] = -float(np.log(np.minimum(1000 / sizes, 1)).sum())
        elif own.max() <= 101 and (own.max(axis=0) >= 85).all():
            return Fit(
                f"no number of {len(boxes):,} boxes is above {own.max():g}: are they percent? Multiply them by 10 and "
                f"use --coordinates {order}_1000",
                len(boxes) >= 20,
            )
    elif unit == "1000":
        by_chance = -float(np.log(np.minimum(sizes / 1000, 1)).sum())
        for other in sorted(ORDERS, key=lambda name: name != order):
            if _inside(_corners(boxes, other), sizes).all():
                evidence[other] = by_chance
    for name, value in evidence.items():
        if value >= CERTAIN:
            return Fit(
                f"all {len(boxes):,} boxes also lie inside their images as {name}, which is unlikely by chance: "
                f"{_ask([name])}",
                len(boxes) >= MIN_BOXES,
            )
    reach = (corners[:, 2:] / sizes).max(axis=0)
    if len(boxes) >= 20 and reach.max() < 0.7:
        return Fit(
            f"no box reaches beyond {reach.max():.0%} of its image: are they of smaller, resized images? Name their "
            "size, such as --coordinates xyxy@448x448",
            False,
        )
    return Fit(None)


def fitting_readings(boxes: Values, sizes: Values) -> list[str]:
    """The readings in which nearly all boxes lie inside their images, the best first."""
    fits = _other_readings(boxes, None, sizes, np.full_like(sizes, np.nan))
    return [name for name, fit in sorted(fits.items(), key=lambda item: -item[1]) if fit >= MIN_FIT_AS_LIKELY]


def _other_readings(
    boxes: Values, said: Coordinates | None, sizes: Values, row_frames: Values
) -> dict[str, float]:
    """The part of the boxes that lie inside their images, for every other reading that is plausible."""
    found: dict[str, float] = {}
    for suffix in SUFFIXES:
        for order in ORDERS:
            name = order + suffix
            if said is not None and name == said.box_format and said.frame.kind == "original":
                continue
            if suffix == "_norm" and (np.abs(boxes) > 1.01).any(axis=1).mean() > 0.03:
                continue
            if suffix != "_norm" and (np.abs(boxes) <= 1.01).all(axis=1).mean() > 0.5:
                continue
            corners = to_original(boxes, coordinates_of(name), sizes, row_frames)
            found[name] = float(_inside(corners, sizes).mean())
    return found


def _inside(corners: Values, sizes: Values) -> NDArray[np.bool_]:
    """Whether boxes have an area and lie inside their images, up to two pixels or a hundredth."""
    tolerance = np.tile(np.maximum(EDGE_PX, EDGE_PART * sizes), 2)
    limits = np.tile(sizes, 2)
    has_area = (corners[:, 2:] > corners[:, :2]).all(axis=1)
    with np.errstate(invalid="ignore"):
        return has_area & (corners >= -tolerance).all(axis=1) & (corners <= limits + tolerance).all(axis=1)


def _ask(names: list[str]) -> str:
    listed = " or ".join(names[:3])
    return f"are they {listed}? Use --coordinates {names[0]}" + (
        "" if len(names) == 1 else f" (or {', '.join(names[1:3])})"
    )


def _name(coordinates: Coordinates) -> str:
    return (
        coordinates.box_format
        if coordinates.frame.kind == "original"
        else (f"{coordinates.box_format} of resized images ({coordinates.frame.kind.replace('_', ' ')})")
    )


def not_said(boxes: Values, sizes: Values, where: str) -> CliprpnError:
    """The error for a file whose format does not say what its numbers mean."""
    likely = fitting_readings(boxes, sizes)
    hint = f"{', '.join(likely[:4])} would fit" if likely else "no usual reading fits"
    return CliprpnError(
        "bad_input",
        f"{where}: expected the coordinates of the boxes: say what the four numbers mean with --coordinates, such as "
        f"xyxy (pixels), xywh, xyxy_norm (0 to 1), xyxy_1000 (0 to 1000) or xyxy@640x480 (pixels of a resized image); "
        f"{hint}, first box {[round(value, 4) for value in boxes[0].tolist()]}",
    )
