"""Proposals from a file of detections made elsewhere (COCO results JSON).

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
import torch

from cliprpn.data.boxes import format_hint
from cliprpn.data.checks import Problems, is_box, is_integer, is_text, shorten, valid_records
from cliprpn.data.index import DatasetIndex
from cliprpn.data.json_files import read_json
from cliprpn.detectors.coco_classes import coco_categories
from cliprpn.detectors.known_boxes import all_image_sizes
from cliprpn.detectors.proposals import Proposals, make_proposals
from cliprpn.errors import CliprpnError

LISTS = ("annotations", "dets")
MAX_PIXELS_A_SIDE = 1e7
# Number of boxes that the box format is checked on.
SAMPLE = 10_000
NO_NAME, NO_CATEGORY = -1, -(1 << 63)
# One packed row: 64 bytes; Python objects would take ten times as much.
PACKED = struct.Struct("<qqq5d")
ROW = np.dtype(
    [("image_row", "<i8"), ("name", "<i8"), ("category_id", "<i8"), ("box", "<f8", 4), ("score", "<f8")]
)
# Stands for a valid row about an image that is not in the dataset.
UNKNOWN_IMAGE = b""


class Results:
    """A file's boxes by image.

    Args:
        table: of ROW, boxes with a non-zero area; `name` indexes `names`.
        names: class names.
        sizes: width and height of all images of the dataset, pixels.

    Attributes:
        classes: class names of the boxes, sorted.
        notes: messages for the user about boxes that were left out.
    """

    def __init__(
        self, table: np.ndarray, names: list[str], sizes: list[tuple[int, int]], notes: list[str]
    ) -> None:
        self.notes = notes
        self.classes = sorted(set(names) - {""})
        self._table = table[np.argsort(table["image_row"], kind="stable")]
        self._starts = np.searchsorted(self._table["image_row"], np.arange(len(sizes) + 1))
        self._names = names
        self._sizes = sizes

    def of(self, image_row: int) -> Proposals:
        """The proposals of an image, by its row in the dataset; empty if the file has none."""
        rows = self._table[self._starts[image_row] : self._starts[image_row + 1]]
        return make_proposals(
            torch.from_numpy(_to_xyxy(rows)),
            torch.from_numpy(rows["score"].copy()),
            [self._names[name] for name in rows["name"]],
            *self._sizes[image_row],
        )


def read_results(file: Path, index: DatasetIndex) -> Results:
    """
    Raises:
        CliprpnError: not_found; data_invalid, if rows are malformed (lists them), if no row is about an image of the
            dataset, or if boxes appear to be in another format than xywh.
    """
    image_ids = index.images["image_id"].to_pylist()
    rows = _read_rows(file, {image_id: row for row, image_id in enumerate(image_ids)})
    if rows.num_rows > 0 and len(rows.table) == 0:
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected boxes of the dataset's images (image_id {_examples(image_ids)}), found only other "
            f"image_id: {_examples(rows.unknown_ids)}",
        )
    notes = []
    if num_unknown := rows.num_rows - len(rows.table):
        notes.append(f"{num_unknown:,} of {rows.num_rows:,} boxes are of images that are not in the dataset")
    names, name_numbers, name_notes = _resolve_names(rows, file)
    sizes = all_image_sizes(index)
    table = rows.table.copy()
    table["name"] = name_numbers
    table, box_notes = _drop_unusable(table, np.array(sizes, dtype=np.float64).reshape(-1, 2), file)
    notes += [*name_notes, *box_notes]
    return Results(table, names, sizes, [f"{file.name}: {note}" for note in notes])


@dataclass(frozen=True)
class DetectionRows:
    """
    Attributes:
        table: of ROW, rows about images of the dataset, in the file's order: `box` is xywh, pixels; `name` indexes
            `names` or is NO_NAME; `category_id` may be NO_CATEGORY.
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


def _read_rows(file: Path, image_rows: dict[int, int]) -> DetectionRows:
    """
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
    table = np.frombuffer(b"".join(items), dtype=ROW).copy()
    return DetectionRows(table, list(packer.names), categories, len(items), packer.unknown_ids)


def _parse(file: Path, object_hook: Callable[[dict[str, Any]], Any]) -> Any:
    try:
        return read_json(file, object_hook=object_hook)
    except FileNotFoundError as error:
        raise CliprpnError(
            "not_found", f"{file}: expected detections (COCO results JSON), found no file"
        ) from error
    except OSError as error:
        raise CliprpnError("data_invalid", f"{file}: expected detections: {error}") from error


def _find_lists(content: Any, file: Path) -> tuple[list[Any], dict[int, str]]:
    """The rows, and the class names by category_id if the file has `categories`."""
    if isinstance(content, list):
        return content, {}
    fields = content if isinstance(content, dict) else {}
    rows = next((fields[key] for key in LISTS if key in fields), None)
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
    categories = fields.get("categories", [])
    if not isinstance(categories, list):
        raise CliprpnError(
            "data_invalid", f"{file}: expected a list `categories`, found {shorten(categories)}"
        )
    problems = Problems(file, "the detections")
    category_fields = {"id": ("an integer", is_integer), "name": ("text", is_text)}
    records = valid_records(categories, category_fields, "categories", problems)
    names = {record["id"]: record["name"] for record in records}
    problems.raise_if_any()
    return rows, names


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
        return PACKED.pack(
            image_row, number, NO_CATEGORY if category is None else category, *_box(item), item["score"]
        )


def _box(item: dict[str, Any]) -> Any:
    return item["bbox"] if "bbox" in item else item.get("box")


def _is_valid_box(item: dict[str, Any]) -> bool:
    box = _box(item)
    return is_box(box) and all(abs(side) <= MAX_PIXELS_A_SIDE for side in box) and box[2] >= 0 <= box[3]


def _is_score(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_none_or(is_valid: Callable[[Any], bool], value: Any) -> bool:
    return value is None or is_valid(value)


# Fields of a row: what is expected, and its check. The first that fails is reported. Comparisons reject NaN.
FIELDS: dict[str, tuple[str, Callable[[dict[str, Any]], bool]]] = {
    "image_id": ("an integer", lambda item: is_integer(item.get("image_id"))),
    "bbox": ("four finite numbers, x, y, width, height, no negative size", _is_valid_box),
    "score": ("a number in [0, 1]", lambda item: _is_score(item.get("score"))),
    "category_id": ("an integer", lambda item: _is_none_or(is_integer, item.get("category_id"))),
    "category_name": ("text", lambda item: _is_none_or(is_text, item.get("category_name"))),
}


def _describe_fault(item: Any) -> tuple[str, str]:
    """What was expected of an invalid row, and what was found."""
    if not isinstance(item, dict):
        return "an object", shorten(item)
    name, expected = next(
        (name, expected) for name, (expected, is_valid) in FIELDS.items() if not is_valid(item)
    )
    key = "box" if name == "bbox" and "bbox" not in item and "box" in item else name
    found = shorten(item[key]) if key in item else f"none among {shorten(', '.join(item))}"
    return f"{key} ({expected})", found


def _resolve_names(rows: DetectionRows, file: Path) -> tuple[list[str], np.ndarray, list[str]]:
    """Class names, the index of each row's name, and notes.

    A row's category_name takes precedence, then the file's `categories`, then COCO's names. COCO's are used only if
    all ids are COCO's: with another numbering they would be wrong.
    """
    category_ids, id_numbers = np.unique(rows.table["category_id"], return_inverse=True)
    row_names = rows.table["name"]
    unnamed = category_ids[id_numbers[row_names == NO_NAME]]
    used_ids = sorted({int(category_id) for category_id in unnamed} - {NO_CATEGORY})
    id_names, notes = rows.categories, []
    if id_names and (missing := [category_id for category_id in used_ids if category_id not in id_names]):
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected a name in `categories` for every category_id, found none for {_examples(missing)}",
        )
    if not id_names:
        id_names = {category_id: name for category_id, name in enumerate(coco_categories()) if name}
        if any(category_id not in id_names for category_id in used_ids):
            id_names = {}
            notes.append(
                "the file has no category names, and its category_id are not COCO's: its boxes have no class"
            )
    names = [*rows.names, *(id_names.get(int(category_id), "") for category_id in category_ids)]
    return names, np.where(row_names == NO_NAME, len(rows.names) + id_numbers, row_names), notes


def _drop_unusable(table: np.ndarray, sizes: np.ndarray, file: Path) -> tuple[np.ndarray, list[str]]:
    """Drops boxes that are empty or outside their image. Returns the other rows, and notes about the dropped ones.

    Args:
        table: of ROW.
        sizes: [I, 2], width and height of each image, pixels.

    Raises:
        CliprpnError: data_invalid, if boxes appear to be in another format than xywh.
    """
    limits = sizes[table["image_row"]]  # [N, 2]
    hint = format_hint(
        table["box"][:SAMPLE].tolist(),
        "xywh",
        [(width, height) for width, height in limits[:SAMPLE].tolist()],
    )
    if hint is not None:
        raise CliprpnError("data_invalid", f"{file}: {hint}")
    xyxy = _to_xyxy(table)
    empty = (table["box"][:, 2:] == 0).any(axis=1)
    outside = ~empty & ((xyxy[:, :2] >= limits) | (xyxy[:, 2:] <= 0)).any(axis=1)
    dropped = [(empty, "have no area"), (outside, "lie outside of their image")]
    notes = [f"{mask.sum():,} boxes {reason} and are left out" for mask, reason in dropped if mask.any()]
    return table[~empty & ~outside], notes


def _to_xyxy(table: np.ndarray) -> np.ndarray:
    """[N, 4], xyxy."""
    top_left, size = table["box"][:, :2], table["box"][:, 2:]
    return np.concatenate([top_left, top_left + size], axis=1)


def _examples(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:3])) + (", ..." if len(ids) > 3 else "")
