"""Boxes given as an object or in four columns: the names of the four numbers say their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Order = Literal["xywh", "xyxy", "cxcywh"]

# Names in lower case without `_`, `-` and spaces.
ORDERS: dict[tuple[str, str, str, str], Order] = {
    ("xmin", "ymin", "xmax", "ymax"): "xyxy",
    ("minx", "miny", "maxx", "maxy"): "xyxy",
    ("x1", "y1", "x2", "y2"): "xyxy",
    ("x0", "y0", "x1", "y1"): "xyxy",
    ("left", "top", "right", "bottom"): "xyxy",
    ("l", "t", "r", "b"): "xyxy",
    ("xtl", "ytl", "xbr", "ybr"): "xyxy",
    ("startx", "starty", "endx", "endy"): "xyxy",
    ("x", "y", "w", "h"): "xywh",
    ("x", "y", "width", "height"): "xywh",
    ("left", "top", "width", "height"): "xywh",
    ("l", "t", "w", "h"): "xywh",
    ("xmin", "ymin", "width", "height"): "xywh",
    ("xmin", "ymin", "w", "h"): "xywh",
    ("cx", "cy", "w", "h"): "cxcywh",
    ("cx", "cy", "width", "height"): "cxcywh",
    ("xc", "yc", "w", "h"): "cxcywh",
    ("xcenter", "ycenter", "width", "height"): "cxcywh",
    ("centerx", "centery", "width", "height"): "cxcywh",
    ("xcenter", "ycenter", "w", "h"): "cxcywh",
}
# Names that published files have for the whole box.
BOX_NAMES = frozenset(
    (
        *(
            "box",
            "bbox",
            "boxes",
            "bboxes",
            "boundingbox",
            "boundingboxes",
            "gtbox",
            "gtbbox",
            "2dbox",
            "box2d",
        ),
        *("bbox2d", "targetbox", "targetbbox", "bndbox"),
    )
)
# `bbox_x1`, `box.left`
PREFIX = re.compile(r"^(gt)?(bbox|bndbox|box)(?=[a-z])")


@dataclass(frozen=True)
class NamedBox:
    """Four names in the order of their numbers."""

    names: tuple[str, str, str, str]
    order: Order


def named_box(names: Iterable[str]) -> NamedBox | None:
    """The four names among these that stand for a box; None if it is not certain which do.

    Corners come first: a width and a height beside them may be the image's.
    """
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(PREFIX.sub("", plain_name(name)), name)
    matches = [group for group in ORDERS if all(name in by_plain for name in group)]
    corners = [group for group in matches if ORDERS[group] == "xyxy"]
    certain = corners or matches
    if len(certain) != 1:
        return None
    a, b, c, d = (by_plain[name] for name in certain[0])
    return NamedBox((a, b, c, d), ORDERS[certain[0]])


def plain_name(name: str) -> str:
    """A name as it is compared with others: `X_Min` is `xmin`."""
    return re.sub(r"[\s_\-.]+", "", name).lower()


def order_of(box_format: str) -> str:
    """The order of the numbers in a box format: that of `xyxy_norm` is `xyxy`."""
    return box_format.split("_")[0]


def box_from_object(value: Mapping[str, Any], number: Any) -> tuple[list[float], Order] | None:
    """The numbers of a box and their order, from an object such as `{"x": 1, "y": 2, "width": 3, "height": 4}`.

    Label Studio gives percentages, and the image's size beside them; they are converted to pixels. A rotated box is
    none.

    Args:
        number: converts a value to a float; None if it is no number.
    """
    found = named_box(key for key in value if isinstance(key, str))
    if found is None or number(value.get("rotation", value.get("angle", 0)) or 0) != 0:
        return None
    numbers = [number(value[name]) for name in found.names]
    if any(entry is None for entry in numbers):
        return None
    width, height = (number(value.get(f"original_{side}")) for side in ("width", "height"))
    if width and height and found.order == "xywh":
        a, b, c, d = numbers
        numbers = [a * width / 100, b * height / 100, c * width / 100, d * height / 100]
    return numbers, found.order


def reorder(numbers: list[float], order: str, wanted: str) -> list[float]:
    """The same box with its numbers in another order."""
    a, b, c, d = numbers
    if order == wanted:
        return numbers
    if order == "xyxy":
        c, d = c - a, d - b
    elif order == "cxcywh":
        a, b = a - c / 2, b - d / 2
    if wanted == "xyxy":
        return [a, b, a + c, b + d]
    return [a, b, c, d] if wanted == "xywh" else [a + c / 2, b + d / 2, c, d]
