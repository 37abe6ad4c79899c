"""Reads the values of a detection other than its box: image, score, class, and the size of its image."""

from __future__ import annotations

from typing import Any

from cliprpn.data.checks import is_integer, is_text, shorten
from cliprpn.detectors.results import keys
from cliprpn.detectors.results.keys import Fields, first, normalized

NO_CATEGORY = -(1 << 63)
BOX = "four finite numbers"
# An image by its name, its number, or both.
ImageRef = tuple[str | None, int | None]


class FaultError(Exception):
    """What is wrong with a detection, for a message."""


def image_ref(value: Any) -> ImageRef | None:
    """An image by name or number; None if the value is neither. Text of digits is a number."""
    number = read_integer(value)
    if number is not None:
        return None, number
    return (value, None) if isinstance(value, str) and is_text(value) and value.strip() else None


def frame_of(fields: Fields) -> tuple[float, float] | None:
    """Width and height of the image that detections lie below; None if it is not given."""
    image = fields.get("image")
    if isinstance(image, dict):
        fields = normalized(image)
    return frame_size(first(fields, keys.WIDTH_KEYS), first(fields, keys.HEIGHT_KEYS))


def frame_size(width: Any, height: Any) -> tuple[float, float] | None:
    sizes = [
        float(side)
        if isinstance(side, int | float) and not isinstance(side, bool) and 0 < side < 1e7
        else None
        for side in (width, height)
    ]
    return None if sizes[0] is None or sizes[1] is None else (sizes[0], sizes[1])


def class_of(fields: Fields) -> tuple[str | None, int]:
    """Class name and id. A name takes precedence, so an id beside it need not be COCO's."""
    word = next((key for key in keys.WORD_KEYS if fields.get(key) is not None), None)
    if word is not None:
        if not is_text(fields[word]):
            raise FaultError(f"expected a class name (text), found {shorten(fields[word])}")
        return fields[word], NO_CATEGORY
    ids = NO_CATEGORY
    for key in keys.CLASS_KEYS:
        value = fields.get(key)
        if value is None:
            continue
        if isinstance(value, dict):
            value = value.get("name", value.get("id"))
        number = read_integer(value)
        if number is not None:
            ids = number if ids == NO_CATEGORY else ids
        elif isinstance(value, str) and is_text(value):
            return value.strip(), NO_CATEGORY
        else:
            raise FaultError(f"expected a class (a name or an integer), found {shorten(value)}")
    return None, ids


def read_score(value: Any) -> float:
    """
    Raises:
        FaultError.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise FaultError(f"expected score (a number in [0, 1]), found {shorten(value)}")
    return float(value)


def read_integer(value: Any) -> int | None:
    """An integer, also as a float or as text; None if the value is none."""
    if isinstance(value, str) and len(value) <= 20 and value.isascii():
        text = value.strip().removesuffix(".0")
        value = int(text) if text.removeprefix("-").isdigit() else value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return value if is_integer(value) else None


def missing_box(item: dict[str, Any]) -> FaultError:
    return FaultError(f"expected bbox ({BOX}), found none among {shorten(', '.join(item))}")
