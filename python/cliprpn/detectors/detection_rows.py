"""Reads the rows of a file of detections (COCO results JSON).

The file is a list of `{"image_id", "category_id", "bbox": [x, y, w, h], "score"}`, or an object with that list under
`annotations` or `dets` and optional class names under `categories`. MAttNet's files use the keys `box` and
`category_name`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cliprpn.data.checks import MAX_COORDINATE_PX, is_box, is_integer, is_text, shorten, valid_records
from cliprpn.data.json_files import read_json
from cliprpn.data.problems import Problems
from cliprpn.errors import CliprpnError

LIST_KEYS = ("annotations", "dets")
NO_NAME, NO_CATEGORY = -1, -(1 << 63)
# One packed row: 64 bytes; Python objects would take ten times as much.
ROW_STRUCT = struct.Struct("<qqq5d")
ROW_DTYPE = np.dtype(
    [("image_row", "<i8"), ("name", "<i8"), ("category_id", "<i8"), ("box", "<f8", 4), ("score", "<f8")]
)
# Stands for a valid row about an image that is not in the dataset.
UNKNOWN_IMAGE = b""


@dataclass(frozen=True)
class DetectionRows:
    """The checked rows of a file.

    Attributes:
        table: of ROW_DTYPE, rows about images of the dataset, in the file's order: `box` is xywh, pixels; `name`
            indexes `names` or is NO_NAME; `category_id` may be NO_CATEGORY.
        names: class names given by rows (`category_name`).
        categories: class names given by the file's `categories`, by category_id.
        num_rows: number of rows in the file.
        unknown_ids: up to three image_id that are not in the dataset.
    """

    table: np.ndarray
    names: list[str]
    categories: dict[int, str]
    num_rows: int
    unknown_ids: list[int]


def read_detection_rows(file: Path, image_rows: dict[int, int]) -> DetectionRows:
    """Reads and checks a file of detections.

    Args:
        image_rows: row of each image of the dataset, by image_id.

    Raises:
        CliprpnError: not_found; data_invalid, if rows are malformed (lists them).
    """
    packer = _Packer(image_rows)
    items, categories = _find_lists(_parse(file, packer.pack), file)
    problems = Problems(file, "the detections")
    for position, item in enumerate(items):
        if not isinstance(item, bytes):
            expected, found = _describe_fault(item)
            problems.add(f"row {position}: expected {expected}, found {found}")
    problems.raise_if_any()
    table = np.frombuffer(b"".join(items), dtype=ROW_DTYPE).copy()
    return DetectionRows(table, list(packer.names), categories, len(items), packer.unknown_ids)


def _parse(file: Path, object_hook: Callable[[dict[str, Any]], Any]) -> Any:
    """
    Raises:
        CliprpnError: not_found, data_invalid.
    """
    try:
        return read_json(file, object_hook=object_hook)
    except FileNotFoundError as error:
        raise CliprpnError(
            "not_found", f"{file}: expected detections (COCO results JSON), found no file"
        ) from error
    except OSError as error:
        raise CliprpnError("data_invalid", f"{file}: expected detections: {error}") from error


def _find_lists(content: Any, file: Path) -> tuple[list[Any], dict[int, str]]:
    """The rows, and the class names by category_id if the file has `categories`.

    Raises:
        CliprpnError: data_invalid.
    """
    if isinstance(content, list):
        return content, {}
    fields = content if isinstance(content, dict) else {}
    rows = next((fields[key] for key in LIST_KEYS if key in fields), None)
    if not isinstance(rows, list):
        found = (
            f"an object with {shorten(', '.join(content))}" if isinstance(content, dict) else shorten(content)
        )
        if isinstance(content, bytes):
            found = "a single detection"
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected a list of detections, or an object with a list `annotations` or `dets`, found {found}",
        )
    return rows, _category_names(fields.get("categories", []), file)


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
    category_fields = {"id": ("an integer", is_integer), "name": ("text", is_text)}
    records = valid_records(categories, category_fields, "categories", problems)
    names = {record["id"]: record["name"] for record in records}
    problems.raise_if_any()
    return names


@dataclass
class _Packer:
    """Packs rows during JSON parsing, so that they never all exist as Python objects.

    Attributes:
        image_rows: row of each image of the dataset, by image_id.
        names: number of each class name given by rows.
        unknown_ids: up to three image_id that are not in the dataset.
    """

    image_rows: dict[int, int]
    names: dict[str, int] = field(default_factory=dict)
    unknown_ids: list[int] = field(default_factory=list)

    def pack(self, item: dict[str, Any]) -> Any:
        """A valid row as bytes; any other object unchanged."""
        if any(not is_valid(item) for _, is_valid in FIELDS.values()):
            return item
        image_row = self.image_rows.get(item["image_id"])
        if image_row is None:
            if len(self.unknown_ids) < 3 and item["image_id"] not in self.unknown_ids:
                self.unknown_ids.append(item["image_id"])
            return UNKNOWN_IMAGE
        name, category = item.get("category_name"), item.get("category_id")
        number = NO_NAME if name is None else self.names.setdefault(name, len(self.names))
        return ROW_STRUCT.pack(
            image_row, number, NO_CATEGORY if category is None else category, *_box(item), item["score"]
        )


def _box(item: dict[str, Any]) -> Any:
    """A row's box: `bbox`, or `box` in MAttNet's files."""
    return item["bbox"] if "bbox" in item else item.get("box")


def _is_valid_box(item: dict[str, Any]) -> bool:
    box = _box(item)
    return is_box(box) and all(abs(side) <= MAX_COORDINATE_PX for side in box) and box[2] >= 0 <= box[3]


def _is_score(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_missing_or(is_valid: Callable[[Any], bool], value: Any) -> bool:
    return value is None or is_valid(value)


# Fields of a row: the expected value, and its check. The first that fails is reported. Comparisons reject NaN.
FIELDS: dict[str, tuple[str, Callable[[dict[str, Any]], bool]]] = {
    "image_id": ("an integer", lambda item: is_integer(item.get("image_id"))),
    "bbox": ("four finite numbers, x, y, width, height, no negative size", _is_valid_box),
    "score": ("a number in [0, 1]", lambda item: _is_score(item.get("score"))),
    "category_id": ("an integer", lambda item: _is_missing_or(is_integer, item.get("category_id"))),
    "category_name": ("text", lambda item: _is_missing_or(is_text, item.get("category_name"))),
}


def _describe_fault(item: Any) -> tuple[str, str]:
    """The first invalid field of a row: what was expected, and what was found."""
    if not isinstance(item, dict):
        return "an object", shorten(item)
    name, expected = next(
        (name, expected) for name, (expected, is_valid) in FIELDS.items() if not is_valid(item)
    )
    key = "box" if name == "bbox" and "bbox" not in item and "box" in item else name
    found = shorten(item[key]) if key in item else f"none among {shorten(', '.join(item))}"
    return f"{key} ({expected})", found
