"""The rows of a file of detections, checked and packed while they are parsed.

A list of `{"image_id", "category_id", "bbox": [x, y, w, h], "score"}`; or an object that has it under `annotations` or
`dets`, with the classes' names under `categories`. MAttNet's files say `box`, and the class as `category_name`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cliprpn.data.checks import Problems, good_records, is_box, is_integer, is_text, shown
from cliprpn.data.json_files import read_json
from cliprpn.errors import CliprpnError

LISTS = ("annotations", "dets")
MAX_PIXELS_A_SIDE = 1e7
NO_NAME, NO_CATEGORY = -1, -(1 << 63)
# A row as it is kept: 64 bytes, where Python's own objects take ten times as much.
PACKED = struct.Struct("<qqq5d")
ROW = np.dtype(
    [("image_row", "<i8"), ("name", "<i8"), ("category_id", "<i8"), ("box", "<f8", 4), ("score", "<f8")]
)


@dataclass(frozen=True)
class DetectionRows:
    """
    Attributes:
        table: of ROW, in the file's order, those of known images: `box` is xywh, pixels; `name` a row of `names`, or
            NO_NAME; `category_id` may be NO_CATEGORY.
        names: of the classes that rows name themselves.
        categories: the file's own names of its category_id.
        num_rows: of the file.
        other_ids: a few image_id of other images.
    """

    table: np.ndarray
    names: list[str]
    categories: dict[int, str]
    num_rows: int
    other_ids: list[int]


def read_detection_rows(file: Path, image_rows: dict[int, int]) -> DetectionRows:
    """
    Args:
        image_rows: of the known images, by image_id.

    Raises:
        CliprpnError: not_found; data_invalid, naming the rows that are wrong.
    """
    packer = _Packer(image_rows)
    items, categories = _lists(_parsed(file, packer.packed), file)
    problems = Problems(file, "the detections")
    for position, item in enumerate(items):
        if not isinstance(item, bytes):
            expected, found = _fault(item)
            problems.add(f"row {position}: expected {expected}, found {found}")
    problems.raise_if_any()
    table = np.frombuffer(b"".join(items), dtype=ROW).copy()
    return DetectionRows(table, list(packer.names), categories, len(items), packer.other_ids)


def _parsed(file: Path, packed: Callable[[dict[str, Any]], Any]) -> Any:
    try:
        return read_json(file, object_hook=packed)
    except FileNotFoundError as error:
        raise CliprpnError(
            "not_found", f"{file}: expected detections (COCO results JSON), found no file"
        ) from error
    except OSError as error:
        raise CliprpnError("data_invalid", f"{file}: expected detections: {error}") from error


def _lists(content: Any, file: Path) -> tuple[list[Any], dict[int, str]]:
    """The rows, and the classes' names by category_id, where the file has them."""
    if isinstance(content, list):
        return content, {}
    named = content if isinstance(content, dict) else {}
    rows = next((named[key] for key in LISTS if key in named), None)
    if not isinstance(rows, list):
        found = f"an object with {shown(', '.join(content))}" if isinstance(content, dict) else shown(content)
        if isinstance(content, bytes):
            found = "a single detection"
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected a list of detections, or an object with a list `annotations` or `dets`, found {found}",
        )
    categories = named.get("categories", [])
    if not isinstance(categories, list):
        raise CliprpnError("data_invalid", f"{file}: expected a list `categories`, found {shown(categories)}")
    problems = Problems(file, "the detections")
    fields = {"id": ("an integer", is_integer), "name": ("text", is_text)}
    names = {each["id"]: each["name"] for each in good_records(categories, fields, "categories", problems)}
    problems.raise_if_any()
    return rows, names


# A good row about another image.
OF_ANOTHER = b""


@dataclass
class _Packer:
    """Packs rows while they are parsed, so that they are never all there as objects.

    Attributes:
        image_rows: by image_id.
        names: numbers of the classes that rows name.
        other_ids: a few image_id of other images.
    """

    image_rows: dict[int, int]
    names: dict[str, int] = field(default_factory=dict)
    other_ids: list[int] = field(default_factory=list)

    def packed(self, row: dict[str, Any]) -> Any:
        """A good row as bytes; whatever else is an object in the file as it is."""
        if any(not fits(row) for _, fits in FIELDS.values()):
            return row
        image_row = self.image_rows.get(row["image_id"])
        if image_row is None:
            if len(self.other_ids) < 3 and row["image_id"] not in self.other_ids:
                self.other_ids.append(row["image_id"])
            return OF_ANOTHER
        name, category = row.get("category_name"), row.get("category_id")
        number = NO_NAME if name is None else self.names.setdefault(name, len(self.names))
        return PACKED.pack(
            image_row, number, NO_CATEGORY if category is None else category, *_box(row), row["score"]
        )


def _box(row: dict[str, Any]) -> Any:
    return row["bbox"] if "bbox" in row else row.get("box")


def _is_good_box(row: dict[str, Any]) -> bool:
    box = _box(row)
    return is_box(box) and all(abs(side) <= MAX_PIXELS_A_SIDE for side in box) and box[2] >= 0 <= box[3]


def _is_score(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


# What a row must have, in words and as a test; the first that fails is told. Comparisons refuse NaN.
FIELDS: dict[str, tuple[str, Callable[[dict[str, Any]], bool]]] = {
    "image_id": ("an integer", lambda row: is_integer(row.get("image_id"))),
    "bbox": ("four finite numbers, x, y, width, height, no size negative", _is_good_box),
    "score": ("a number in [0, 1]", lambda row: _is_score(row.get("score"))),
    "category_id": ("an integer", lambda row: _is_none_or(is_integer, row.get("category_id"))),
    "category_name": ("text", lambda row: _is_none_or(is_text, row.get("category_name"))),
}


def _is_none_or(fits: Callable[[Any], bool], value: Any) -> bool:
    return value is None or fits(value)


def _fault(item: Any) -> tuple[str, str]:
    """What was expected of a row that is not good, and what was found."""
    if not isinstance(item, dict):
        return "an object", shown(item)
    name, words = next((name, words) for name, (words, fits) in FIELDS.items() if not fits(item))
    key = "box" if name == "bbox" and "bbox" not in item and "box" in item else name
    return f"{key} ({words})", shown(item[key]) if key in item else f"none among {shown(', '.join(item))}"
