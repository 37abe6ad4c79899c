"""Proposals from detections made elsewhere: a file, or a folder with a file for each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from cliprpn.contract.generated import FileDetector
from cliprpn.data.checks import shorten
from cliprpn.data.index import DatasetIndex
from cliprpn.detectors.known_boxes import all_image_sizes
from cliprpn.detectors.proposals import Proposals, make_proposals
from cliprpn.detectors.results.assemble import Collected
from cliprpn.detectors.results.class_names import resolve_names
from cliprpn.detectors.results.match_images import AMBIGUOUS, MISSING, image_names, match_images
from cliprpn.detectors.results.overlaps import Objects, annotated_objects, best_overlaps
from cliprpn.detectors.results.read_boxes import read_boxes
from cliprpn.detectors.results.read_file import read_file
from cliprpn.detectors.results.rows import ROW_DTYPE, Packer
from cliprpn.detectors.results.scores import read_scores
from cliprpn.detectors.results.values import ImageRef
from cliprpn.errors import CliprpnError


class Results:
    """A file's boxes by image.

    Args:
        image_rows: [N], row of each box's image in the dataset.
        boxes: [N, 4], xyxy, pixels.
        scores: [N], in [0, 1].
        name_rows: [N], index of each box's class name in `names`.
        sizes: width and height of all images of the dataset, pixels.

    Attributes:
        classes: class names of the boxes, sorted.
        notes: messages for the user: what was assumed, and boxes that were left out.
    """

    def __init__(
        self,
        image_rows: np.ndarray,
        boxes: np.ndarray,
        scores: np.ndarray,
        name_rows: np.ndarray,
        names: list[str],
        sizes: list[tuple[int, int]],
        notes: list[str],
    ) -> None:
        order = np.argsort(image_rows, kind="stable")
        self.notes = notes
        self.classes = sorted(set(names) - {""})
        self._boxes, self._scores, self._name_rows = boxes[order], scores[order], name_rows[order]
        self._starts = np.searchsorted(image_rows[order], np.arange(len(sizes) + 1))
        self._names = names
        self._sizes = sizes

    def proposals_of(self, image_row: int) -> Proposals:
        """The proposals of an image, by its row in the dataset; empty if the file has none."""
        rows = slice(self._starts[image_row], self._starts[image_row + 1])
        return make_proposals(
            torch.from_numpy(self._boxes[rows]),
            torch.from_numpy(self._scores[rows]),
            [self._names[name] for name in self._name_rows[rows]],
            *self._sizes[image_row],
        )


def read_results(detector: FileDetector, index: DatasetIndex) -> Results:
    """Reads detections and matches them with a dataset.

    Raises:
        CliprpnError: not_found; data_invalid, if detections are malformed (lists them), if none is about an image of
            the dataset, or if boxes, scores or classes are not what they are taken for.
    """
    file = Path(detector.file)
    packer = Packer()
    collected = read_file(file, packer)
    table = np.frombuffer(b"".join(collected.chunks), dtype=ROW_DTYPE).copy()
    table["score"], notes = read_scores(table["score"], detector.score_max, file, collected.place_of)
    objects, sizes = annotated_objects(index), all_image_sizes(index)
    placed = _place(table, packer, collected, detector, index, objects, sizes)
    names = resolve_names(
        placed.table,
        placed.boxes,
        list(packer.names),
        collected.categories,
        detector.category_ids,
        objects,
        file,
    )
    keep, box_notes = _usable(placed, np.array(sizes, dtype=np.float64).reshape(-1, 2))
    notes = [*_note_on_empty(packer, len(table), file), *placed.notes, *notes, *names.notes, *box_notes]
    return Results(
        placed.table["image"][keep],
        placed.boxes[keep],
        placed.table["score"][keep],
        names.rows[keep],
        names.names,
        sizes,
        [f"{file.name}: {note}" for note in notes],
    )


@dataclass(frozen=True)
class _Placed:
    """Detections of the dataset's images.

    Attributes:
        table: of ROW_DTYPE; `image` is the image's row in the dataset.
        boxes: [N, 4], xyxy, pixels.
    """

    table: np.ndarray
    boxes: np.ndarray
    notes: list[str]


def _place(
    table: np.ndarray,
    packer: Packer,
    collected: Collected,
    detector: FileDetector,
    index: DatasetIndex,
    objects: Objects,
    sizes: list[tuple[int, int]],
) -> _Placed:
    """Finds the images and reads the boxes. If numbers can be ids or file names, the boxes tell which.

    Raises:
        CliprpnError: data_invalid.
    """
    file = Path(detector.file)
    image_ids, file_names = (index.images[key].to_pylist() for key in ("image_id", "file_name"))
    refs = list(packer.images)
    readings = match_images(refs, image_names(image_ids, file_names), collected.image_names)
    _check_known(readings[0], refs, image_ids, file_names, file)
    results: list[tuple[float, _Placed]] = []
    errors = []
    for image_rows in readings:
        rows = np.array([*image_rows, MISSING])[table["image"]]
        kept = np.flatnonzero(rows >= 0)
        part = table[kept]
        part["image"] = rows[kept]
        try:
            boxes, notes = read_boxes(
                part,
                list(packer.forms),
                list(packer.frames),
                np.array(sizes, dtype=np.float64).reshape(-1, 2),
                objects,
                detector.box_format,
                file,
                partial(_place_of, collected, kept),
            )
        except CliprpnError as error:
            errors.append(error)
            continue
        if num_unknown := len(table) - len(kept):
            notes.insert(
                0, f"{num_unknown:,} of {len(table):,} boxes are of images that are not in the dataset"
            )
        overlaps = best_overlaps(part["image"], boxes, objects)
        results.append((float(overlaps.mean()) if len(overlaps) else 0.0, _Placed(part, boxes, notes)))
    if not results:
        raise errors[0]
    best = max(results, key=lambda each: each[0])[1]
    if len(readings) > 1:
        best.notes.append(
            "its image numbers are both ids and file names of the dataset, of different images: those are meant "
            "whose annotated objects the boxes overlap more"
        )
    return best


def _place_of(collected: Collected, kept: np.ndarray, row: int) -> str:
    return collected.place_of(int(kept[row]))


def _check_known(
    image_rows: list[int], refs: list[ImageRef], image_ids: list[int], file_names: list[str], file: Path
) -> None:
    """
    Raises:
        CliprpnError: data_invalid, if the file names no image of the dataset, or one that could be several.
    """
    if AMBIGUOUS in image_rows:
        name = refs[image_rows.index(AMBIGUOUS)][0]
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected names that are unique in the dataset, found {shorten(name)}, which several of its "
            "images have in different folders; write their paths",
        )
    if refs and max(image_rows) < 0:
        found = [name if name is not None else number for name, number in refs[:3]]
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected boxes of the dataset's images (image_id {_examples(image_ids)}; file_name "
            f"{_examples(file_names)}), found only other images: {_examples(found)}",
        )


def _usable(placed: _Placed, sizes: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Rows of boxes that have an area inside of their image: [N], bool, and notes about the others."""
    boxes, limits = placed.boxes, sizes[placed.table["image"]]
    empty = (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
    outside = ~empty & ((boxes[:, :2] >= limits) | (boxes[:, 2:] <= 0)).any(axis=1)
    dropped = [(empty, "have no area"), (outside, "lie outside of their image")]
    return ~empty & ~outside, [
        f"{mask.sum():,} boxes {reason} and are left out" for mask, reason in dropped if mask.any()
    ]


def _note_on_empty(packer: Packer, num_boxes: int, file: Path) -> list[str]:
    """
    Raises:
        CliprpnError: data_invalid, if answers of a language model have no box that can be read.
    """
    if packer.num_without_box == 0:
        return []
    if packer.num_texts > 0 and num_boxes == 0:
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected boxes in the answers, in the notation of Qwen-VL, InternVL, DeepSeek-VL2, Florence-2 or "
            f"PaliGemma, or as JSON with `bbox_2d`; found none in {packer.num_texts:,}, the first is "
            f"{shorten(packer.text_without_box)}; write the boxes as COCO results JSON",
        )
    what = "answer" if packer.num_texts else "entr"
    ending = ("y has", "ies have") if what == "entr" else (" has", "s have")
    return [f"{packer.num_without_box:,} {what}{ending[packer.num_without_box > 1]} no box"]


def _examples(values: Sequence[object]) -> str:
    shown = ", ".join(
        str(value) if isinstance(value, int) else shorten(value).strip("'\"") for value in values[:3]
    )
    return shown + (", ..." if len(values) > 3 else "")
