"""Proposals that somebody else has made, from a file of detections (see results_rows.py)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cliprpn.data.boxes import format_hint
from cliprpn.data.index import DatasetIndex
from cliprpn.detectors.coco_classes import coco_categories
from cliprpn.detectors.known_boxes import image_sizes
from cliprpn.detectors.proposals import Proposals, proposals
from cliprpn.detectors.results_rows import NO_CATEGORY, NO_NAME, DetectionRows, read_detection_rows
from cliprpn.errors import CliprpnError

# Enough to see which format boxes are in.
SAMPLE = 10_000


class Results:
    """A file's boxes by image.

    Args:
        table: of ROW, boxes that have an area; `name` is a row of `names`.
        sizes: of all images of the data set.

    Attributes:
        classes: names of its boxes' classes, sorted.
        notes: what was left out, for a person.
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
        """The proposals of a row of the data set's images; none where the file has none."""
        own = self._table[self._starts[image_row] : self._starts[image_row + 1]]
        return proposals(
            torch.from_numpy(_corners(own)),
            torch.from_numpy(own["score"].copy()),
            [self._names[name] for name in own["name"]],
            *self._sizes[image_row],
        )


def read_results(file: Path, index: DatasetIndex) -> Results:
    """
    Raises:
        CliprpnError: not_found; data_invalid, naming the rows that are wrong, or where nothing in the file is about
            the data set's images, or boxes look like another format than xywh.
    """
    image_ids = index.images["image_id"].to_pylist()
    rows = read_detection_rows(file, {image_id: row for row, image_id in enumerate(image_ids)})
    if rows.num_rows > 0 and len(rows.table) == 0:
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected boxes of the data set's images (image_id {_some(image_ids)}), found none: its "
            f"image_id are {_some(rows.other_ids)}",
        )
    notes = []
    if of_others := rows.num_rows - len(rows.table):
        notes.append(
            f"{of_others:,} of {rows.num_rows:,} boxes are of images that the data set does not have"
        )
    names, numbers, unnamed = _named(rows, file)
    sizes = image_sizes(index)
    table = rows.table.copy()
    table["name"] = numbers
    inside, left_out = _inside(table, np.array(sizes, dtype=np.float64).reshape(-1, 2), file)
    return Results(inside, names, sizes, [f"{file.name}: {note}" for note in [*notes, *unnamed, *left_out]])


def _named(rows: DetectionRows, file: Path) -> tuple[list[str], np.ndarray, list[str]]:
    """Names of classes, the number of each row's, and notes.

    A row's own category_name comes first, then the file's categories, then COCO's: these only where all ids are
    COCO's, since another numbering would give wrong names.
    """
    ids, places = np.unique(rows.table["category_id"], return_inverse=True)
    own = rows.table["name"]
    asked = sorted({int(each) for each in ids[places[own == NO_NAME]]} - {NO_CATEGORY})
    known, notes = rows.categories, []
    if known and (unknown := [each for each in asked if each not in known]):
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected a name of every category_id in its categories, found none of {_some(unknown)}",
        )
    if not known:
        known = {each: name for each, name in enumerate(coco_categories()) if name}
        if any(each not in known for each in asked):
            known = {}
            notes.append("its category_id are not COCO's and nothing names them: its boxes have no class")
    names = [*rows.names, *(known.get(int(each), "") for each in ids)]
    return names, np.where(own == NO_NAME, len(rows.names) + places, own), notes


def _inside(table: np.ndarray, sizes: np.ndarray, file: Path) -> tuple[np.ndarray, list[str]]:
    """The rows whose box has an area and shares some with its image, and notes of the others.

    Raises:
        CliprpnError: data_invalid, where boxes look like another format than xywh.
    """
    limits = sizes[table["image_row"]]  # [N, 2]
    hint = format_hint(
        table["box"][:SAMPLE].tolist(),
        "xywh",
        [(width, height) for width, height in limits[:SAMPLE].tolist()],
    )
    if hint is not None:
        raise CliprpnError("data_invalid", f"{file}: {hint}")
    corners = _corners(table)
    empty = (table["box"][:, 2:] == 0).any(axis=1)
    outside = ~empty & ((corners[:, :2] >= limits) | (corners[:, 2:] <= 0)).any(axis=1)
    counted = [(empty, "have no area"), (outside, "lie outside of their image")]
    notes = [f"{each.sum():,} boxes {words} and are left out" for each, words in counted if each.any()]
    return table[~empty & ~outside], notes


def _corners(table: np.ndarray) -> np.ndarray:
    """[N, 4], xyxy."""
    left_top, sides = table["box"][:, :2], table["box"][:, 2:]
    return np.concatenate([left_top, left_top + sides], axis=1)


def _some(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:3])) + (", ..." if len(ids) > 3 else "")
