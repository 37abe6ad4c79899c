"""What four numbers of a box mean, and boxes in any form as xyxy in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cliprpn.data.checks import MAX_COORDINATE_PX, is_box
from cliprpn.detectors.results.keys import Fields, normalized

Order = Literal["xyxy", "xywh", "cxcywh", "yxyx"]
# Suffix of a format's name to the number that stands for the right and lower edge; None for pixels.
SCALES: dict[str, float | None] = {"": None, "_norm": 1, "_1000": 1000}


@dataclass(frozen=True)
class BoxForm:
    """
    Attributes:
        order: what the numbers are.
        full: the number that stands for the image's right and lower edge; None for pixels.
        known_order: the file says the order, such as by the names xmin, ymin, xmax, ymax.
        known_scale: the file says the scale, such as by the tokens of a model.
        bins: the numbers are bins whose center is meant.
        unsure: a language model's, which are pixels of its input or 0 to 1000: nothing is taken for granted.
    """

    order: Order
    full: float | None = None
    known_order: bool = False
    known_scale: bool = False
    bins: bool = False
    unsure: bool = False

    @property
    def name(self) -> str:
        return self.order + next((key for key, full in SCALES.items() if full == self.full), f"_{self.full}")


# Rows of COCO results, and lists that lie beside lists of scores.
ROW_FORM, LIST_FORM = BoxForm("xywh"), BoxForm("xyxy")
FORMATS: dict[str, BoxForm] = {
    order + suffix: BoxForm(order, full, known_order=True, known_scale=True)
    for order in ("xywh", "xyxy", "cxcywh", "yxyx")
    for suffix, full in SCALES.items()
}
_KEY_FORMS = {
    "bbox2d": BoxForm("xyxy", known_order=True, unsure=True),  # Qwen-VL.
    "box2d": BoxForm("yxyx", 1000, known_order=True, known_scale=True),  # Gemini.
    "xyxyn": BoxForm("xyxy", 1, known_order=True, known_scale=True),
    "xywhn": BoxForm("cxcywh", 1, known_order=True, known_scale=True),  # ultralytics: center and size.
    "detectionboxes": BoxForm("yxyx", 1),  # TensorFlow's models.
    **dict.fromkeys(
        ("xyxy", "bboxxyxy", "boxxyxy", "boxesxyxy", "bboxesxyxy"), BoxForm("xyxy", known_order=True)
    ),
}
_NAMED_SIDES: tuple[tuple[tuple[str, ...], Order], ...] = (
    (("xmin", "ymin", "xmax", "ymax"), "xyxy"),
    (("x1", "y1", "x2", "y2"), "xyxy"),
    (("left", "top", "right", "bottom"), "xyxy"),
    (("left", "top", "width", "height"), "xywh"),
    (("cx", "cy", "w", "h"), "cxcywh"),
    (("cx", "cy", "width", "height"), "cxcywh"),
    (("xcenter", "ycenter", "width", "height"), "cxcywh"),
    (("centerx", "centery", "width", "height"), "cxcywh"),
    (("x", "y", "width", "height"), "xywh"),
    (("x", "y", "w", "h"), "xywh"),
)


def form_of_key(key: str, usual: BoxForm) -> BoxForm:
    """What a box under this key is; `usual` if the key does not say it."""
    return _KEY_FORMS.get(key, usual)


def named_sides(fields: Fields) -> tuple[list[Any], BoxForm] | None:
    """The box that an object has in fields such as xmin, ymin, xmax and ymax; None if it has none.

    `x, y, width, height` beside a class and a confidence are Roboflow's: x and y are the center.
    """
    for keys, order in _NAMED_SIDES:
        if all(key in fields for key in keys):
            if keys[0] == "x" and "confidence" in fields and ("class" in fields or "classid" in fields):
                order = "cxcywh"
            sure = keys[0] != "x"
            return [fields[key] for key in keys], BoxForm(order, known_order=sure)
    return None


def read_box(value: Any, form: BoxForm) -> tuple[list[float], BoxForm] | None:
    """A box as four numbers, from a list or an object with named sides; None if it is not a box."""
    if isinstance(value, dict):
        sides = named_sides(normalized(value))
        if sides is None:
            return None
        value, form = sides[0], BoxForm(sides[1].order, form.full, sides[1].known_order, form.known_scale)
    if not is_box(value) or any(not abs(side) <= MAX_COORDINATE_PX for side in value):
        return None
    return value, form


def stated_form(value: Any) -> BoxForm | None:
    """The form that a file states, such as `"box_format": "xyxy"`; None if this is none that it can be."""
    if value in (0, 1) and isinstance(value, int):
        value = ("xyxy", "xywh")[value]  # detectron2's BoxMode.
    name = str(value).lower().split(".")[-1].removesuffix("_abs")
    form = FORMATS.get(name)
    return None if form is None else BoxForm(form.order, form.full, True, form.full is not None)


def to_xyxy(boxes: np.ndarray, form: BoxForm, sizes: np.ndarray) -> np.ndarray:
    """
    Args:
        boxes: [N, 4], in the given form.
        sizes: [N, 2], width and height of each box's image, pixels.

    Returns:
        [N, 4], xyxy, pixels.
    """
    boxes = boxes.astype(np.float64) + (0.5 if form.bins else 0)
    if form.order == "yxyx":
        boxes = boxes[:, [1, 0, 3, 2]]
    elif form.order != "xyxy":
        top_left = boxes[:, :2] - (boxes[:, 2:] / 2 if form.order == "cxcywh" else 0)
        boxes = np.concatenate([top_left, top_left + boxes[:, 2:]], axis=1)
    return boxes if form.full is None else boxes * np.tile(sizes, 2) / form.full
