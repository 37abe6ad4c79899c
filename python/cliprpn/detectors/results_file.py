"""Proposals from a file of detections made elsewhere (COCO results JSON)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cliprpn.data.boxes import format_hint
from cliprpn.data.index import DatasetIndex
from cliprpn.detectors.coco_classes import coco_categories
from cliprpn.detectors.detection_rows import NO_CATEGORY, NO_NAME, DetectionRows, read_detection_rows
from cliprpn.detectors.known_boxes import all_image_sizes
from cliprpn.detectors.proposals import Proposals, make_proposals
from cliprpn.errors import CliprpnError

# Number of boxes that the box format is checked on.
FORMAT_SAMPLE = 10_000


class Results:
    """A file's boxes by image.

    Args:
        table: of ROW_DTYPE, boxes with a non-zero area; `name` indexes `names`.
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

    def proposals_of(self, image_row: int) -> Proposals:
        """The proposals of an image, by its row in the dataset; empty if the file has none."""
        rows = self._table[self._starts[image_row] : self._starts[image_row + 1]]
        return make_proposals(
            torch.from_numpy(_to_xyxy(rows)),
            torch.from_numpy(rows["score"].copy()),
            [self._names[name] for name in rows["name"]],
            *self._sizes[image_row],
        )


def read_results(file: Path, index: DatasetIndex) -> Results:
    """Reads a file of detections and matches it with a dataset.

    Raises:
        CliprpnError: not_found; data_invalid, if rows are malformed (lists them), if no row is about an image of the
            dataset, or if boxes appear to be in another format than xywh.
    """
    image_ids = index.images["image_id"].to_pylist()
    rows = read_detection_rows(file, {image_id: row for row, image_id in enumerate(image_ids)})
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


def _resolve_names(rows: DetectionRows, file: Path) -> tuple[list[str], np.ndarray, list[str]]:
    """Class names, the index of each row's name, and notes.

    A row's category_name takes precedence, then the file's `categories`, then COCO's names. COCO's are used only if
    all ids are COCO's: with another numbering they would be wrong.

    Raises:
        CliprpnError: data_invalid, if the file's `categories` lack an id.
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
    """Drops boxes that are empty or outside their image. Returns the rest, and notes about the dropped ones.

    Args:
        table: of ROW_DTYPE.
        sizes: [I, 2], width and height of each image, pixels.

    Raises:
        CliprpnError: data_invalid, if boxes appear to be in another format than xywh.
    """
    limits = sizes[table["image_row"]]  # [N, 2]
    hint = format_hint(
        table["box"][:FORMAT_SAMPLE].tolist(),
        "xywh",
        [(width, height) for width, height in limits[:FORMAT_SAMPLE].tolist()],
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
    """Boxes of a table: [N, 4], xyxy, pixels."""
    top_left, size = table["box"][:, :2], table["box"][:, 2:]
    return np.concatenate([top_left, top_left + size], axis=1)


def _examples(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:3])) + (", ..." if len(ids) > 3 else "")
