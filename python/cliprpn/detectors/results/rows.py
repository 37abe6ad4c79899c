"""Packs detections during JSON parsing, so that they never all exist as Python objects."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cliprpn.data.checks import is_text, shorten
from cliprpn.detectors.results import keys
from cliprpn.detectors.results.box_forms import (
    LIST_FORM,
    ROW_FORM,
    BoxForm,
    form_of_key,
    named_sides,
    read_box,
    stated_form,
)
from cliprpn.detectors.results.keys import Fields, first, normalized
from cliprpn.detectors.results.texts import boxes_in_text, json_in_text
from cliprpn.detectors.results.values import (
    BOX,
    NO_CATEGORY,
    FaultError,
    ImageRef,
    class_of,
    frame_of,
    frame_size,
    image_ref,
    missing_box,
    read_integer,
    read_score,
)

NONE = -1
# One packed row: 64 bytes; Python objects would take ten times as much. A missing score is NaN.
ROW_STRUCT = struct.Struct("<iiiiq5d")
ROW_DTYPE = np.dtype(
    [
        *((name, "<i4") for name in ("image", "name", "form", "frame")),
        *(("category_id", "<i8"), ("box", "<f8", 4), ("score", "<f8")),
    ]
)
MAX_TEXT_CHARS = 100_000


@dataclass
class Packer:
    """Packs detections, and numbers the images, class names, box forms and image sizes that they mention.

    Attributes:
        num_without_box: number of rows and texts that say that nothing was found.
        num_texts: number of texts that boxes were looked for in.
        text_without_box: the first text in which no box was found.
    """

    images: dict[ImageRef, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    forms: dict[BoxForm, int] = field(default_factory=dict)
    frames: dict[tuple[float, float], int] = field(default_factory=dict)
    num_without_box: int = 0
    num_texts: int = 0
    text_without_box: str = ""

    def hook(self, item: dict[str, Any]) -> Any:
        """Packs a detection, or all detections of an image, as bytes; any other object stays as it is."""
        if len(item) == 1:
            key, value = next(iter(item.items()))
            if key.startswith("<") and isinstance(value, bytes):
                return value  # Florence-2 writes {"<OD>": {...}}.
        try:
            packed = self.pack(item)
        except FaultError:
            return item
        return item if packed is None else packed

    def pack(self, item: dict[str, Any]) -> bytes | None:
        """Packs an object; None if it has neither boxes nor, with an image, a list of detections.

        Raises:
            FaultError.
        """
        fields = normalized(item)
        may_be_group, may_be_lists = keys.may_have_lists(fields)
        lists = _key_of_lists(fields) if may_be_lists else None
        if lists is not None:
            return self._placed(self._parallel(fields, lists), fields, keys.ID_KEYS)
        below = None
        if may_be_group:
            values = (_unwrapped(fields.get(key)) for key in keys.LIST_KEYS)
            below = next((value for value in values if _is_group(value)), None)
        if below is not None:
            if self._image(fields, keys.GROUP_ID_KEYS) is None:
                return None
            packed = self.pack_list(below) if isinstance(below, list) else below
            return self._placed(packed, fields, keys.GROUP_ID_KEYS)
        image = self._image(fields, keys.ID_KEYS)
        if (packed := self._detection(fields, image)) is not None:
            return packed
        text = next((fields[key] for key in keys.TEXT_KEYS if isinstance(fields.get(key), str)), None)
        if image is None or text is None:
            return None
        return self._placed(self.pack_text(text), fields, keys.ID_KEYS)

    def pack_list(self, items: list[Any]) -> bytes:
        """Packs a list of detections of one image: bytes, objects, or lists of numbers.

        Raises:
            FaultError: says which is wrong.
        """
        packed = []
        for position, item in enumerate(items):
            try:
                packed.append(self._pack_item(item))
            except FaultError as fault:
                raise FaultError(f"[{position}]: {fault}") from fault
        return b"".join(packed)

    def pack_text(self, text: str) -> bytes:
        """Packs the boxes in the answer of a language model; empty if there are none."""
        self.num_texts += 1
        text = text[:MAX_TEXT_CHARS]
        found = json_in_text(text)
        if found is not None:
            packed = self._pack_found(found)
            if packed:
                return packed
        rows = []
        for box, form, name in boxes_in_text(text):
            rows.append(self._row(box, form, math.nan, name if is_text(name) else None, NO_CATEGORY))
        if not rows:
            self.num_without_box += 1
            self.text_without_box = self.text_without_box or text
        return b"".join(rows)

    def placed(
        self, packed: bytes, image: ImageRef | None, frame: tuple[float, float] | None = None
    ) -> bytes:
        """Gives rows without an image this one, and rows without the size of their image this size."""
        if not packed or (image is None and frame is None):
            if image is not None:
                self._number_image(image)
            return packed
        rows = np.frombuffer(packed, dtype=ROW_DTYPE).copy()
        if image is not None:
            rows["image"][rows["image"] == NONE] = self._number_image(image)
        if frame is not None:
            rows["frame"][rows["frame"] == NONE] = self.frames.setdefault(frame, len(self.frames))
        return rows.tobytes()

    def stated(self, packed: bytes, form: BoxForm | None) -> bytes:
        """Gives rows whose box format was assumed the one that the file states."""
        if form is None or not packed:
            return packed
        rows = np.frombuffer(packed, dtype=ROW_DTYPE).copy()
        assumed = [number for each, number in self.forms.items() if not each.known_order]
        rows["form"][np.isin(rows["form"], assumed)] = self._number_form(form)
        return rows.tobytes()

    def pack_label(self, category_id: int, box: list[float], score: float, form: BoxForm) -> bytes:
        """Packs one line of a YOLO label file."""
        return self._row(box, form, score, None, category_id)

    def _pack_item(self, item: Any) -> bytes:
        if isinstance(item, bytes):
            return item
        if isinstance(item, list):
            return self._numbers(item, ROW_FORM if len(item) == 4 else LIST_FORM)
        if not isinstance(item, dict):
            raise FaultError(f"expected an object, found {describe(item)}")
        packed = self.pack(item)
        if packed is None:
            sides = named_sides(normalized(item))
            if sides is None:
                raise missing_box(item)
            return self._numbers(*sides)
        return packed

    def _pack_found(self, found: Any) -> bytes:
        """Packs JSON found in a text; what is no detection in it is skipped."""
        items = found if isinstance(found, list) else [found]
        packed = []
        for item in items:
            if not isinstance(item, dict):
                continue
            try:
                below = next((value for value in item.values() if isinstance(value, list) and value), None)
                row = self.pack(item)
                if row is None and below is not None and isinstance(below[0], dict):
                    row = self.pack_list(below)
                packed.append(row or b"")
            except FaultError:
                continue
        return self.stated(b"".join(packed), BoxForm("xyxy", known_order=True, unsure=True))

    def _numbers(self, values: list[Any], form: BoxForm) -> bytes:
        """Packs a list of numbers: a box, then in some files the score, then the class."""
        box = read_box(values[:4], form)
        if box is None or len(values) > 6:
            raise FaultError(f"expected a box ({BOX}), found {shorten(values)}")
        score = read_score(values[4]) if len(values) > 4 else math.nan
        category = read_integer(values[5]) if len(values) > 5 else NO_CATEGORY
        if category is None:
            raise FaultError(f"expected a class (an integer) as the sixth number, found {shorten(values)}")
        return self._row(*box, score, None, category)

    def _placed(self, packed: bytes, fields: Fields, id_keys: tuple[str, ...]) -> bytes:
        packed = self.stated(packed, stated_form(first(fields, keys.FORMAT_KEYS)))
        return self.placed(packed, self._image(fields, id_keys), frame_of(fields))

    def _parallel(self, fields: Fields, key: str) -> bytes:
        """Packs lists of boxes, scores and classes."""
        boxes = fields[key]
        scores, names, classes = (
            next((fields[each] for each in group if isinstance(fields.get(each), list)), None)
            for group in (keys.SCORES_KEYS, keys.WORDS_KEYS, keys.CLASSES_KEYS)
        )
        for what, values in (("scores", scores), ("classes", names or classes)):
            if values is not None and len(values) != len(boxes):
                raise FaultError(f"expected as many {what} as boxes, found {len(values)} and {len(boxes)}")
        form = form_of_key(key, LIST_FORM)
        if "phrases" in fields and "logits" in fields:
            form = BoxForm("cxcywh", 1, known_order=True, known_scale=True)  # Grounding DINO's `predict`.
        rows = []
        for i, value in enumerate(boxes):
            box = read_box(value, form)
            if box is None:
                if isinstance(value, list) and scores is None:
                    rows.append(self._numbers(value, form))
                    continue
                raise FaultError(f"{key}[{i}]: expected a box ({BOX}), found {shorten(value)}")
            score = math.nan if scores is None else read_score(scores[i])
            labels = {} if names is None else {"name": names[i]}
            labels |= {} if classes is None else {"label": classes[i]}
            rows.append(self._row(*box, score, *class_of(labels)))
        return b"".join(rows)

    def _detection(self, fields: Fields, image: ImageRef | None) -> bytes | None:
        """Packs one box, or several with the same score and class; None if there is none in the fields."""
        key = next((each for each in keys.BOX_KEYS if each in fields), None)
        if key is None:
            sides = named_sides(fields)
            if sides is None:
                return None
            value, form = sides
        else:
            value, form = fields[key], form_of_key(key, ROW_FORM)
        score = first(fields, keys.SCORE_KEYS)
        name, category = class_of(fields)
        if key is None and image is None and score is None and name is None and category == NO_CATEGORY:
            return None  # An object that is a box: its parent has the rest.
        form = stated_form(first(fields, keys.FORMAT_KEYS)) or form
        number = NONE if image is None else self._number_image(image)
        if value is None or value == []:
            self.num_without_box += 1
            return b""
        several = isinstance(value, list) and all(isinstance(each, list) for each in value)
        rows = []
        for each in value if several else [value]:
            box = read_box(each, form)
            if box is None:
                raise FaultError(f"expected {key or 'a box'} ({BOX}), found {shorten(value)}")
            rows.append(
                self._row(*box, math.nan if score is None else read_score(score), name, category, number)
            )
        width, height = (fields.get(f"image{side}", fields.get(f"img{side}")) for side in ("width", "height"))
        return self.placed(b"".join(rows), None, frame_size(width, height))

    def _row(
        self,
        box: list[float],
        form: BoxForm,
        score: float,
        name: str | None,
        category_id: int,
        image: int = NONE,
    ) -> bytes:
        number = NONE if name is None else self.names.setdefault(name, len(self.names))
        return ROW_STRUCT.pack(image, number, self._number_form(form), NONE, category_id, *box, score)

    def _number_form(self, form: BoxForm) -> int:
        return self.forms.setdefault(form, len(self.forms))

    def _number_image(self, image: ImageRef) -> int:
        return self.images.setdefault(image, len(self.images))

    def _image(self, fields: Fields, id_keys: tuple[str, ...]) -> ImageRef | None:
        """The image that an object is about; None if it names none.

        Raises:
            FaultError: the name or number is neither.
        """
        name = first(fields, keys.NAME_KEYS)
        number = first(fields, id_keys)
        if isinstance(name, list):  # Training frameworks write a list of the images of a prompt.
            name = name[0] if len(name) == 1 and not (isinstance(name[0], dict) and "id" in name[0]) else None
        if isinstance(name, dict):
            inner = normalized(name)
            name, number = first(inner, keys.NAME_KEYS), first(inner, keys.GROUP_ID_KEYS) or number
        refs = [image_ref(value) for value in (name, number) if value is not None]
        if None in refs:
            found = shorten(name if number is None else number)
            raise FaultError(f"expected image_id (an integer) or file_name (text), found {found}")
        if not refs:
            return None
        return next((ref[0] for ref in refs if ref and ref[0]), None), next(
            (ref[1] for ref in refs if ref and ref[1] is not None), None
        )


def describe(item: Any) -> str:
    """A value that is no detection; packed ones are not shown as bytes."""
    if isinstance(item, list) and any(isinstance(each, bytes) for each in item):
        return f"a list of {len(item):,} detections, whose image is not named"
    return shorten(item)


def _key_of_lists(fields: Fields) -> str | None:
    """The key of a list of boxes beside which lists of scores or classes may lie; None if there is none."""
    for key in keys.BOXES_KEYS:
        value = fields.get(key)
        if isinstance(value, list) and all(isinstance(each, list | dict) for each in value):
            return key
    beside = (*keys.SCORES_KEYS, *keys.WORDS_KEYS, *keys.CLASSES_KEYS)
    for key in ("bbox", "box"):
        value = fields.get(key)
        if isinstance(value, list) and value and all(isinstance(each, list) for each in value):
            return key if any(isinstance(fields.get(each), list) for each in beside) else None
    return None


def _unwrapped(value: Any) -> Any:
    """A list below one more key, as in FiftyOne's `{"predictions": {"detections": [..]}}`."""
    if not isinstance(value, dict):
        return value
    fields = normalized(value)
    return next((fields[key] for key in keys.LIST_KEYS if isinstance(fields.get(key), list)), value)


def _is_group(value: Any) -> bool:
    """Whether this may be the detections of an image."""
    if isinstance(value, list):
        return all(isinstance(each, bytes | dict | list) for each in value)
    return isinstance(value, bytes)
