"""Statistics of one split."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cliprpn.contract.generated import (
    AreaCuts,
    CategoryCount,
    DatasetFloor,
    Quantiles,
    SameCategory,
    SplitStats,
    WordBin,
)
from cliprpn.data.index import DatasetIndex
from cliprpn.figures.dataset_stats.distributions import area_stats, quantiles
from cliprpn.figures.floors import constant_iou
from cliprpn.metrics import HIT_IOU

MAX_CATEGORIES = 10
# Include the limits of the report's breakdown by length: 5 and fewer, 6 to 10, 11 and more.
WORD_BINS = ((1, 2), (3, 5), (6, 8), (9, 10), (11, 15), (16, 20), (21, None))
LEFT_RIGHT = r"\b(left|right)(most|hand)?\b"
WHOLE_IMAGE = np.array([0.0, 0.0, 1.0, 1.0])


def word_bins() -> list[WordBin]:
    """The bins of the histogram of sentence lengths."""
    return [WordBin(min_words=low, max_words=high) for low, high in WORD_BINS]


def split_stats(
    index: DatasetIndex,
    split: str,
    areas: NDArray,
    cuts: AreaCuts | None,
    constant_box: NDArray | None,
) -> SplitStats:
    """All statistics of a split.

    Args:
        split: a split with at least one sentence.
        areas: [S], relative areas of the boxes of all sentences.
        constant_box: [4], xyxy, normalized coordinates, fitted on train.
    """
    rows = index.split(split)
    sentences = index.sentences.take(pa.array(rows))
    num_words = _num_words(sentences["sentence"])
    image_rows = np.unique(index.image_rows[rows])
    categories = (
        sentences["category"].filter(pc.not_equal(sentences["category"], "")).value_counts().to_pylist()
    )
    categories.sort(key=lambda entry: (-entry["counts"], entry["values"]))
    return SplitStats.model_validate(
        {
            "split": split,
            "num_images": len(image_rows),
            "num_refs": len(sentences["ref_id"].unique()),
            "num_sentences": len(rows),
            "words": quantiles(num_words),
            "word_histogram": [
                int(((num_words >= low) & (num_words <= (np.inf if high is None else high))).sum())
                for low, high in WORD_BINS
            ],
            "num_left_right": _count(
                pc.match_substring_regex(sentences["sentence"], LEFT_RIGHT, ignore_case=True)
            ),
            "num_non_ascii": _count(pc.invert(pc.string_is_ascii(sentences["sentence"]))),
            "num_repeated": len(rows) - sentences.group_by(["ann_id", "sentence"]).aggregate([]).num_rows,
            "areas": area_stats(areas[rows], cuts),
            "same_category": _count_same_category(sentences["num_same_category"].to_numpy()),
            "num_categories": len(categories),
            "top_categories": [
                CategoryCount(category=entry["values"], num_sentences=entry["counts"])
                for entry in categories[:MAX_CATEGORIES]
            ],
            "objects_per_image": _objects_per_image(index, image_rows),
            "aspects": _aspects(index, image_rows),
            "floors": _dataset_floors(index, rows[np.isfinite(areas[rows])], constant_box),
        }
    )


def _num_words(sentences: pa.ChunkedArray) -> NDArray[np.int64]:
    """Number of words, separated by whitespace: [N]."""
    parts = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(sentences))
    return pc.list_value_length(parts).to_numpy().astype(np.int64)


def _count(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask, min_count=0).as_py()


def _count_same_category(counts: NDArray) -> SameCategory:
    return SameCategory(
        one=int((counts == 1).sum()),
        two=int((counts == 2).sum()),
        three_or_more=int((counts >= 3).sum()),
        unknown=int((counts == 0).sum()),
    )


def _objects_per_image(index: DatasetIndex, image_rows: NDArray) -> Quantiles:
    image_ids = index.images["image_id"].combine_chunks()
    rows = pc.drop_null(pc.index_in(index.objects["image_id"], value_set=image_ids))
    counts = np.bincount(rows.to_numpy(), minlength=len(image_ids))
    return quantiles(counts[image_rows])


def _aspects(index: DatasetIndex, image_rows: NDArray) -> Quantiles | None:
    width, height = (index.images[key].to_numpy()[image_rows].astype(float) for key in ("width", "height"))
    aspects = width / height
    known = aspects[np.isfinite(aspects)]
    return quantiles(known) if len(known) > 0 else None


def _dataset_floors(index: DatasetIndex, rows: NDArray, constant_box: NDArray | None) -> list[DatasetFloor]:
    """Metrics of the whole image and of the constant box as predictions."""
    if len(rows) == 0:
        return []
    boxes: dict[Literal["whole_image", "constant_box"], NDArray | None] = {
        "whole_image": WHOLE_IMAGE,
        "constant_box": constant_box,
    }
    floors = []
    for name, box in boxes.items():
        if box is not None:
            iou = constant_iou(box, index.gt_boxes[rows], index.image_sizes(rows).astype(np.float64))
            floors.append(
                DatasetFloor(name=name, miou=float(iou.mean()), acc_at_50=float((iou >= HIT_IOU).mean()))
            )
    return floors
