"""The detections of a parsed file: a list of them, or objects by image."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cliprpn.data.checks import is_integer, is_name, is_text, shorten, valid_records
from cliprpn.data.problems import Problems
from cliprpn.detectors.results import keys
from cliprpn.detectors.results.box_forms import stated_form
from cliprpn.detectors.results.keys import first, normalized
from cliprpn.detectors.results.rows import NONE, ROW_DTYPE, Packer, describe
from cliprpn.detectors.results.texts import boxes_in_text
from cliprpn.detectors.results.values import FaultError, ImageRef, frame_of, image_ref, missing_box
from cliprpn.errors import CliprpnError

# Texts by image are recognized by a box in one of the first.
MAX_TEXTS_TRIED = 100
SHAPES = (
    "a list of detections, an object with such a list (`annotations`, `detections`, `predictions`), or an object with "
    "the detections of each image by its name"
)


@dataclass
class Collected:
    """Packed detections, and where in the file they come from.

    Attributes:
        chunks: packed rows of each entry: an item of the list, a line, or an image's value.
        places: the entries, as messages name them; the number of the entry where there is none.
        categories: class names given by the file's `categories`, by category_id.
        image_names: file names given by the file's `images`, by image_id.
    """

    problems: Problems
    chunks: list[bytes] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    categories: dict[int, str] = field(default_factory=dict)
    image_names: dict[int, str] = field(default_factory=dict)
    _ends: np.ndarray | None = None

    def add(self, packed: bytes, place: str = "") -> None:
        self.chunks.append(packed)
        if place:
            self.places.append(place)

    def place_of(self, row: int) -> str:
        """The entry that a row of the table comes from."""
        if self._ends is None:
            self._ends = np.cumsum([len(chunk) for chunk in self.chunks]) // ROW_DTYPE.itemsize
        entry = int(np.searchsorted(self._ends, row, side="right"))
        return self.places[entry] if self.places else f"row {entry}"


def collect(content: Any, packer: Packer, collected: Collected, usual: ImageRef | None, file: Path) -> None:
    """Adds the detections of a parsed JSON file; malformed ones are added as problems.

    Args:
        content: with packed rows, as `Packer.hook` leaves them.
        usual: the image of detections that name none.

    Raises:
        CliprpnError: data_invalid, if the file has another structure.
    """
    if isinstance(content, bytes):
        add_item(content, packer, collected, usual, "the file")
        return
    if isinstance(content, list):
        for position, item in enumerate(content):
            add_item(item, packer, collected, usual, f"row {position}", keep_place=False)
        return
    if not isinstance(content, dict) or not content:
        raise wrong_shape(content, file)
    fields = normalized(content)
    below = next(
        (fields[key] for key in keys.LIST_KEYS if isinstance(fields.get(key), list | bytes | dict)), None
    )
    if below is not None:
        collected.categories |= _category_names(fields.get("categories", []), file)
        collected.image_names |= _image_names(fields.get("images", []))
        start = len(collected.chunks)
        collect(below, packer, collected, usual, file)
        form, frame = stated_form(first(fields, keys.FORMAT_KEYS)), frame_of(fields)
        for i in range(start, len(collected.chunks)):
            collected.chunks[i] = packer.placed(packer.stated(collected.chunks[i], form), None, frame)
        return
    if usual is None and _is_by_image(content):
        for key, value in content.items():
            add_image(key, value, packer, collected)
        return
    try:
        packed = packer.pack(content)
    except FaultError as fault:
        collected.problems.add(f"the file: {fault}")
        return
    if packed is None:
        raise wrong_shape(content, file)
    add_item(packed, packer, collected, usual, "the file")


def add_item(
    item: Any,
    packer: Packer,
    collected: Collected,
    usual: ImageRef | None,
    place: str,
    keep_place: bool = True,
) -> None:
    """Adds a detection, or the detections of an image.

    Args:
        keep_place: False if `place` is the number of the entry, which need not be kept.
    """
    try:
        packed = item if isinstance(item, bytes) else _pack_item(item, packer)
        packed = packer.placed(packed, usual)
        if np.frombuffer(packed, dtype=ROW_DTYPE)["image"].min(initial=0) == NONE:
            found = f" among {shorten(', '.join(item))}" if isinstance(item, dict) else ""
            raise FaultError(
                f"expected an image (image_id or file_name, or a file per image in a folder), found none{found}"
            )
    except FaultError as fault:
        collected.problems.add(f"{place}: {fault}")
        packed = b""
    collected.add(packed, place if keep_place else "")


def add_image(name: str, value: Any, packer: Packer, collected: Collected) -> None:
    """Adds the detections of one image of an object by image."""
    place = f"image {shorten(name)}"
    image = image_ref(name)
    try:
        if image is None:
            raise FaultError("expected the name or the number of an image as the key")
        packed = _pack_value(value, packer)
        collected.add(packer.placed(packed, image), place)
    except FaultError as fault:
        collected.problems.add(f"{place}: {fault}")


def wrong_shape(content: Any, file: Path) -> CliprpnError:
    found = shorten(content)
    if isinstance(content, dict):
        found = f"an object with {shorten(', '.join(content))}" if content else "an empty object"
    return CliprpnError("data_invalid", f"{file}: expected {SHAPES}; found {found}")


def _pack_item(item: Any, packer: Packer) -> bytes:
    if not isinstance(item, dict):
        raise FaultError(f"expected an object, found {describe(item)}")
    packed = packer.pack(item)
    if packed is None:
        raise missing_box(item)
    return packed


def _pack_value(value: Any, packer: Packer) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return packer.pack_text(value)
    if isinstance(value, list):
        return packer.pack_list(value)
    if not isinstance(value, dict):
        raise FaultError(f"expected a list of detections, found {shorten(value)}")
    below = next(
        (
            each
            for key, each in normalized(value).items()
            if key in keys.LIST_KEYS and isinstance(each, list | bytes)
        ),
        None,
    )
    if below is not None:
        form, frame = stated_form(first(normalized(value), keys.FORMAT_KEYS)), frame_of(normalized(value))
        packed = below if isinstance(below, bytes) else packer.pack_list(below)
        return packer.placed(packer.stated(packed, form), None, frame)
    return _pack_item(value, packer)


def _is_by_image(content: dict[str, Any]) -> bool:
    """Whether all values can be the detections of an image, and one surely is."""
    values = content.values()
    if all(isinstance(value, str) for value in values):
        return any(boxes_in_text(value) for value in list(values)[:MAX_TEXTS_TRIED])
    return all(isinstance(value, bytes | list | dict | str) for value in values) and any(
        isinstance(value, bytes)
        or (isinstance(value, list) and all(isinstance(each, bytes | dict | list) for each in value))
        or isinstance(value, dict)
        for value in values
    )


def _category_names(categories: Any, file: Path) -> dict[int, str]:
    """Class names by category_id.

    Raises:
        CliprpnError: data_invalid.
    """
    if not isinstance(categories, list):
        raise CliprpnError(
            "data_invalid", f"{file}: expected a list `categories`, found {shorten(categories)}"
        )
    problems = Problems(file, "the detections")
    fields = {"id": ("an integer", is_integer), "name": ("text", is_text)}
    names = {
        record["id"]: record["name"] for record in valid_records(categories, fields, "categories", problems)
    }
    problems.raise_if_any()
    return names


def _image_names(images: Any) -> dict[int, str]:
    """File names by image_id; entries without one are skipped, as their number may be the dataset's."""
    records = images if isinstance(images, list) else []
    return {
        record["id"]: record["file_name"]
        for record in records
        if isinstance(record, dict) and is_integer(record.get("id")) and is_name(record.get("file_name"))
    }
