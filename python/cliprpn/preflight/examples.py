"""Chooses referring expressions to look at, and finds boxes that cannot be right."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.contract.generated import SampleExpressionsParams, SampleExpressionsResult
from cliprpn.data.boxes import EDGE_TOLERANCE_PX
from cliprpn.data.index import DatasetIndex, open_dataset, read_facts
from cliprpn.figures.dataset_stats.examples import choose_examples
from cliprpn.preflight.sample import part_of

# Not of test: nothing is evaluated on it, so nobody has to look at it.
SPLITS = ("train", "val")
MAX_SHOWN = 3


def sample_expressions(params: SampleExpressionsParams) -> SampleExpressionsResult:
    """Expressions of train and val, of different images, and of many categories; and boxes outside their images.

    Raises:
        CliprpnError: data_invalid.
    """
    root = Path(params.root)
    index = open_dataset(root, read_facts(root).id)
    outside = find_outside(index)
    splits = [split for split in SPLITS if len(index.split(split)) > 0]
    examples = []
    if splits:
        image_rows = np.unique(np.concatenate([index.image_rows[index.split(split)] for split in splits]))
        part = part_of(index, image_rows, SPLITS)
        areas = np.zeros(part.sentences.num_rows)
        examples = choose_examples(part, splits, areas, None, num_sentences=params.num_expressions)
    return SampleExpressionsResult(
        examples=examples,
        num_boxes=len(index.gt_boxes),
        num_outside=len(outside),
        outside=[_describe(index, row) for row in outside[:MAX_SHOWN].tolist()],
    )


def find_outside(index: DatasetIndex) -> np.ndarray:
    """Rows of the sentences of all splits whose boxes are not inside their image, or have no area."""
    low, high = index.gt_boxes[:, :2], index.gt_boxes[:, 2:]
    sizes = index.image_sizes(np.arange(len(index.gt_boxes)))  # NaN where the size is unknown.
    wrong = (high <= low).any(axis=1) | (low < -EDGE_TOLERANCE_PX).any(axis=1)
    wrong |= (high > sizes + EDGE_TOLERANCE_PX).any(axis=1) | ~np.isfinite(index.gt_boxes).all(axis=1)
    return np.flatnonzero(wrong)


def _describe(index: DatasetIndex, row: int) -> str:
    sentence = index.sentences.slice(row, 1).to_pylist()[0]
    image = index.images.slice(int(index.image_rows[row]), 1).to_pylist()[0]
    corners = ", ".join(f"{value:g}" for value in index.gt_boxes[row].tolist())
    size = f"{image['width']} x {image['height']}"
    return f"{image['file_name']} ({size}): box {corners} of sentence {sentence['sent_id']}"
