"""Whether the tables of a prepared data set agree with themselves, and with the pixels beside them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cliprpn.contract.generated import PreparedDataset, TableCheck
from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import read_manifest
from cliprpn.figures.dataset_stats.pixel_hashes import manifests

NUM_EXAMPLES = 5
# Boxes were clipped in float64; half a pixel is nobody's mistake.
SLACK_PX = 0.5


def table_checks(index: DatasetIndex, facts: PreparedDataset) -> list[TableCheck]:
    """What must hold, and where it does not.

    Raises:
        CliprpnError: data_invalid, where a manifest is broken.
    """
    return [
        _unique("images' ids are unique", index.images["image_id"]),
        _unique("objects' ids are unique", index.objects["ann_id"]),
        _unique("sentences' ids are unique", index.sentences["sent_id"]),
        _check("every sentence has its object, of its image", ~_has_object(index), _sentence_ids(index)),
        _check("every sentence says something", _is_empty(index), _sentence_ids(index)),
        _check("every sentence's box has an area and lies in its image", ~_fits(index), _sentence_ids(index)),
        _counts(index, facts),
        *_pixels(index),
    ]


def _check(expected: str, wrong: NDArray, labels: list[str] | NDArray) -> TableCheck:
    places = np.flatnonzero(wrong)
    examples = [str(labels[place]) for place in places[:NUM_EXAMPLES]]
    return TableCheck(expected=expected, num_checked=len(wrong), num_wrong=len(places), examples=examples)


def _unique(expected: str, ids: pa.ChunkedArray) -> TableCheck:
    numbers = ids.to_numpy()
    _, first = np.unique(numbers, return_index=True)
    wrong = np.ones(len(numbers), dtype=np.bool_)
    wrong[first] = False
    return _check(expected, wrong, numbers)


def _sentence_ids(index: DatasetIndex) -> NDArray:
    return np.char.add("sent_id ", index.sentences["sent_id"].to_numpy().astype(str))


def _has_object(index: DatasetIndex) -> NDArray[np.bool_]:
    own = index.objects.select(["ann_id", "image_id"]).group_by(["ann_id", "image_id"]).aggregate([])
    named = index.sentences.select(["ann_id", "image_id"])
    place = pa.array(np.arange(named.num_rows))
    there = named.append_column("place", place).join(own, keys=["ann_id", "image_id"], join_type="left semi")
    has = np.zeros(named.num_rows, dtype=np.bool_)
    has[there["place"].to_numpy()] = True
    return has


def _is_empty(index: DatasetIndex) -> NDArray[np.bool_]:
    words = pc.utf8_trim_whitespace(index.sentences["sentence"])
    return pc.equal(pc.utf8_length(words), 0).to_numpy()


def _fits(index: DatasetIndex) -> NDArray[np.bool_]:
    """Of images whose size nobody tells, that the box has an area."""
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
        & (left >= -SLACK_PX)
        & (top >= -SLACK_PX)
        & (right <= limits[0] + SLACK_PX)
        & (bottom <= limits[1] + SLACK_PX)
    )


def _counts(index: DatasetIndex, facts: PreparedDataset) -> TableCheck:
    told = {str(each.split): each.model_dump() for each in facts.splits}
    found = {str(each["split"]): each for each in index.counts()}
    names = sorted({*told, *found})
    wrong = [told.get(name) != found.get(name) for name in names]
    return _check("counts are those that dataset.json tells", np.array(wrong, dtype=np.bool_), names)


def _pixels(index: DatasetIndex) -> list[TableCheck]:
    """At each size, that the pixels of a row are of its image."""
    checks = []
    names, rows = index.images["file_name"].to_pylist(), index.images["pixel_row"].to_pylist()
    widths, heights = (index.images[key].to_pylist() for key in ("width", "height"))
    for path in manifests(index.root):
        pictures = [each for shard in read_manifest(path).shards for each in shard.pictures]
        told = list(zip(names, widths, heights, strict=True))
        wrong = [
            row is None
            or row >= len(pictures)
            or (pictures[row].file_name, pictures[row].width, pictures[row].height) != picture
            for row, picture in zip(rows, told, strict=True)
        ]
        expected = f"pixels/{path.parent.name} are of the images of the table"
        checks.append(_check(expected, np.array(wrong, dtype=np.bool_), names))
    return checks
