"""The box in lists and objects that a model wrote as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cliprpn.answers.coordinates.coordinates import coordinates_of
from cliprpn.answers.rows.best_scored import best_of_row
from cliprpn.answers.text.box_values import BRACKETED, TextBox, box_of

# Gemini's boxes are ymin, xmin, ymax, xmax from 0 to 1000.
GEMINI_KEY = "box_2d"
BOX_KEYS = ("bbox_2d", GEMINI_KEY, "bbox", "box", "boxes", "bboxes", "bounding_box", "coordinates", "answer")
SIDES = (("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax"), ("left", "top", "right", "bottom"))
SCORES = "scores"
MAX_DEPTH, MAX_ITEMS = 6, 20
_BRACKETED = re.compile(BRACKETED)


def box_in_json(value: Any) -> TextBox | None:
    """The first box, under a usual key or as the only list of four numbers; None if there is none."""
    boxes = list(_boxes(value, 0))
    return None if not boxes else boxes[0]._replace(num_boxes=len(boxes))


def gemini_box(box: TextBox) -> TextBox:
    y1, x1, y2, x2 = box.box
    return box._replace(box=(x1, y1, x2, y2), coordinates=coordinates_of("xyxy_1000"))


def has_fours(value: Any, depth: int = 0) -> bool:
    """Whether there is a list of four numbers anywhere."""
    if depth > MAX_DEPTH or not isinstance(value, list | dict):
        return False
    children = list(value.values()) if isinstance(value, dict) else value
    return box_of(value) is not None or any(has_fours(child, depth + 1) for child in children[:MAX_ITEMS])


def _boxes(value: Any, depth: int) -> Iterator[TextBox]:
    if depth > MAX_DEPTH:
        return
    box = box_of(value)
    if box is not None:
        yield TextBox(box, None, 1)
    elif isinstance(value, dict):
        yield from _boxes_of_object(value, depth)
    elif isinstance(value, list | tuple):
        for child in value[:MAX_ITEMS]:
            yield from _boxes(child, depth + 1)


def _boxes_of_object(value: dict[str, Any], depth: int) -> Iterator[TextBox]:
    for names in SIDES:
        box = box_of([value.get(name) for name in names])
        if box is not None:
            yield TextBox(box, None, 1)
            return
    keys = [key for key in BOX_KEYS if key in value]
    for key in keys:
        child, _ = best_of_row(value[key], value.get(SCORES))
        if isinstance(child, str):
            match = _BRACKETED.search(f"[{child.strip()[:200].strip('[]()')}]")
            child = None if match is None else list(match.groups())
        found = list(_boxes(child, depth + 1))
        if found:
            yield from map(gemini_box, found) if key == GEMINI_KEY else found
            return
    children = [child for child in list(value.values())[:MAX_ITEMS] if isinstance(child, list | dict)]
    # Of several lists of four numbers without a usual key, none is known to be the box.
    if keys or sum(box_of(child) is not None for child in children) > 1:
        return
    for child in children:
        yield from _boxes(child, depth + 1)
