"""Consistency of a prepared dataset's tables with each other, with dataset.json and with the pixels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cliprpn.contract.generated import PreparedDataset, TableCheck
from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import list_manifests, read_manifest

MAX_WRONG_SHOWN = 5
# Boxes were clipped in float64 and are read as float32; half a pixel is no error.
TOLERANCE_PX = 0.5


def table_checks(index: DatasetIndex, facts: PreparedDataset) -> list[TableCheck]:
    """One entry per check, with the number of rows that violate it and examples.

    Raises:
        CliprpnError: data_invalid, if a manifest is damaged.
    """
    return [
        _check_unique("image ids are unique", index.images["image_id"]),
        _check_unique("object ids are unique", index.objects["ann_id"]),
        _check_unique("sentence ids are unique", index.sentences["sent_id"]),
        _make_check("every sentence has an object in its image", ~_has_object(index), _sentence_ids(index)),
        _make_check("every sentence has text", _text_is_empty(index), _sentence_ids(index)),
        _make_check(
            "every sentence's box has a positive area and lies in its image",
            ~_box_is_in_image(index),
            _sentence_ids(index),
        ),
        _check_counts(index, facts),
        *_check_pixels(index),
    ]


def _make_check(expected: str, wrong: NDArray, labels: list[str] | NDArray) -> TableCheck:
    """
    Args:
        wrong: [N], bool.
        labels: N names for the examples.
    """
    wrong_rows = np.flatnonzero(wrong)
    examples = [str(labels[row]) for row in wrong_rows[:MAX_WRONG_SHOWN]]
    return TableCheck(expected=expected, num_checked=len(wrong), num_wrong=len(wrong_rows), examples=examples)


def _check_unique(expected: str, ids: pa.ChunkedArray) -> TableCheck:
    numbers = ids.to_numpy()
    _, first = np.unique(numbers, return_index=True)
    wrong = np.ones(len(numbers), dtype=np.bool_)
    wrong[first] = False
    return _make_check(expected, wrong, numbers)


def _sentence_ids(index: DatasetIndex) -> NDArray:
    return np.char.add("sent_id ", index.sentences["sent_id"].to_numpy().astype(str))


def _has_object(index: DatasetIndex) -> NDArray[np.bool_]:
    """Whether the table of objects has each sentence's object, in the same image: [S]."""
    keys = ["ann_id", "image_id"]
    objects = index.objects.select(keys).group_by(keys).aggregate([])
    sentences = index.sentences.select(keys)
    row = pa.array(np.arange(sentences.num_rows))
    matches = sentences.append_column("row", row).join(objects, keys=keys, join_type="left semi")
    has_object = np.zeros(sentences.num_rows, dtype=np.bool_)
    has_object[matches["row"].to_numpy()] = True
    return has_object


def _text_is_empty(index: DatasetIndex) -> NDArray[np.bool_]:
    words = pc.utf8_trim_whitespace(index.sentences["sentence"])
    return pc.equal(pc.utf8_length(words), 0).to_numpy()


def _box_is_in_image(index: DatasetIndex) -> NDArray[np.bool_]:
    """Whether each sentence's box has an area and, if the image size is known, lies in the image: [S]."""
    boxes = index.gt_boxes.astype(np.float64)
    limits = [
        np.nan_to_num(index.images[key].to_numpy()[index.image_rows].astype(float), nan=np.inf)
        for key in ("width", "height")
    ]
    left, top, right, bottom = boxes.T
    return (
        np.isfinite(boxes).all(axis=1)
        & (left < right)
        & (top < bottom)
        & (left >= -TOLERANCE_PX)
        & (top >= -TOLERANCE_PX)
        & (right <= limits[0] + TOLERANCE_PX)
        & (bottom <= limits[1] + TOLERANCE_PX)
    )


def _check_counts(index: DatasetIndex, facts: PreparedDataset) -> TableCheck:
    expected = {str(split.split): split.model_dump() for split in facts.splits}
    counts = {str(count["split"]): count for count in index.counts()}
    names = sorted({*expected, *counts})
    wrong = [expected.get(name) != counts.get(name) for name in names]
    return _make_check("counts agree with dataset.json", np.array(wrong, dtype=np.bool_), names)


def _check_pixels(index: DatasetIndex) -> list[TableCheck]:
    """Whether the pixels of a row belong to its image, at each prepared size."""
    checks = []
    names, rows = index.images["file_name"].to_pylist(), index.images["pixel_row"].to_pylist()
    widths, heights = (index.images[key].to_pylist() for key in ("width", "height"))
    for path in list_manifests(index.root):
        entries = [entry for shard in read_manifest(path).shards for entry in shard.pictures]
        wrong = [
            row is None
            or row >= len(entries)
            or (entries[row].file_name, entries[row].width, entries[row].height) != expected_entry
            for row, expected_entry in zip(rows, zip(names, widths, heights, strict=True), strict=True)
        ]
        expected = f"pixels/{path.parent.name} match the images of the table"
        checks.append(_make_check(expected, np.array(wrong, dtype=np.bool_), names))
    return checks
