"""The box in the text that a model wrote, in bounded time."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from cliprpn.answers.answer_row import Box
from cliprpn.contract.generated import Coordinates
from cliprpn.data.checks import MAX_COORDINATE_PX
from cliprpn.detectors.results.box_forms import BoxForm
from cliprpn.detectors.results.texts import boxes_in_text, json_in_text

# The answer to "where is it" is short; what comes after it is not read.
MAX_CHARS = 20_000
NUMBER = r"(-?\d{1,7}(?:\.\d{1,12})?)"
# Numbers with nothing but separators between them. It also takes what is no number, such as 1e300, so that none of
# its digits count as one.
RUN = re.compile(r"(?<![\w.])-?\d(?:[\w+\-]|\.(?=\d))*(?:[\s,;]{1,5}-?\d(?:[\w+\-]|\.(?=\d))*)*")
SEPARATOR = re.compile(r"[\s,;]+")
PAIRS = re.compile(rf"\(\s*{NUMBER}\s*,\s*{NUMBER}\s*\)[\s,]{{0,5}}\(\s*{NUMBER}\s*,\s*{NUMBER}\s*\)")
BOX_KEYS = ("bbox_2d", "bbox", "box", "box_2d", "boxes", "bboxes", "coordinates", "answer")
MAX_DEPTH = 6


class TextBox(NamedTuple):
    """A box of a text, and its coordinates if the notation is certain."""

    box: Box
    coordinates: Coordinates | None
    num_boxes: int


def box_in_text(text: str) -> TextBox | None:
    """The first box of a text; None if there is none. Known notations of models come first."""
    text = _final(text)[:MAX_CHARS]
    boxes = boxes_in_text(text)
    if boxes:
        numbers, form, _ = boxes[0]
        return _certain(numbers, form, len(boxes))
    value = json_in_text(text) if "{" in text or "[" in text else None
    found = None if value is None else _in_json(value, 0)
    if found is not None:
        return TextBox(found, None, 1)
    pairs = PAIRS.search(text)
    sides = None if pairs is None else list(pairs.groups())
    if sides is None:
        runs = (SEPARATOR.split(match[0]) for match in RUN.finditer(text))
        sides = next((run for run in runs if _is_box(run)), None)
    box = None if sides is None else box_of([float(side) for side in sides])
    return None if box is None else TextBox(box, None, 1)


def _final(text: str) -> str:
    """What a model that thinks aloud says in the end; the boxes that it considered before are no answers."""
    after = text.rpartition("</think>")[2]
    _, tag, answer = after.rpartition("<answer>")
    # Thoughts that were cut off have no answer after them.
    return answer if tag else after.partition("<think>")[0]


def _is_box(run: list[str]) -> bool:
    return len(run) == 4 and all(re.fullmatch(NUMBER, each) for each in run)


def box_of(value: Any) -> Box | None:
    """Four finite numbers of a usual size; None for anything else. One list around them is taken off."""
    if not isinstance(value, (list, tuple)):
        return None
    if len(value) == 1 and isinstance(value[0], (list, tuple)):
        value = value[0]
    if len(value) != 4:
        return None
    a, b, c, d = map(_number, value)
    if a is None or b is None or c is None or d is None:
        return None
    return (a, b, c, d)


def _number(value: Any) -> float | None:
    """A finite number of a usual size."""
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, float) and (isinstance(value, bool) or not isinstance(value, int)):
        return None
    return float(value) if abs(value) <= MAX_COORDINATE_PX else None  # A NaN is not below.


def _certain(numbers: list[float], form: BoxForm, num_boxes: int) -> TextBox | None:
    """A box of a known notation, as coordinates of the contract."""
    if form.order == "yxyx":
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
    if form.bins:
        numbers = [number + 0.5 for number in numbers]
    order = "xyxy" if form.order == "yxyx" else form.order
    full = form.full
    if full is not None and full not in (1, 1000):
        numbers, full = [number / full for number in numbers], 1
    box = box_of(numbers)
    if box is None:
        return None
    if not (form.known_order and form.known_scale) or form.unsure:
        return TextBox(box, None, num_boxes)
    suffix = "" if full is None else "_norm" if full == 1 else "_1000"
    return TextBox(box, coordinates_of(order + suffix), num_boxes)


def coordinates_of(box_format: str) -> Coordinates:
    """Coordinates in the original image."""
    return Coordinates.model_validate({"box_format": box_format, "frame": {"kind": "original"}})


def _in_json(value: Any, depth: int) -> Box | None:
    """The first box in lists and objects."""
    if depth > MAX_DEPTH:
        return None
    box = box_of(value)
    if box is not None:
        return box
    if isinstance(value, dict):
        sides = [value.get(key) for key in ("x1", "y1", "x2", "y2")]
        box = box_of(sides)
        if box is not None:
            return box
        keys = [key for key in BOX_KEYS if key in value] or list(value)[:20]
        children = [value[key] for key in keys]
    elif isinstance(value, list):
        children = value[:20]
    else:
        return None
    return next((found for child in children if (found := _in_json(child, depth + 1)) is not None), None)
