"""Expressions of objects anywhere in images of different sizes, and files of answers to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made_answers
import numpy as np

from cliprpn.contract.generated import AnswersReport, Coordinates
from cliprpn.data.index import DatasetIndex, open_tables
from cliprpn.data.predictions import PredictionColumns
from cliprpn.data.read_predictions import read_numbers

Record = dict[str, Any]
SIZES = [(640, 480), (480, 640), (1200, 800), (500, 375), (1920, 1080), (640, 427)]
ORIGINAL: Record = {"kind": "original"}
COLUMNS = ("iou", "intersection", "union", "pointing", "pred_box_xyxy")


def make_expressions(num: int = 60, split: str = "val", first: int = 0) -> list[Record]:
    """Rows of a dataset: two objects of each image, with whole numbers in pixels, xyxy."""
    rng = np.random.default_rng(5 + first)
    rows = []
    for i in range(first, first + num):
        width, height = SIZES[i // 2 % len(SIZES)]
        w, h = 10 * rng.integers(4, width // 20), 10 * rng.integers(4, height // 20)
        x, y = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
        rows.append(
            {
                "image": f"photos/{split}-{i // 2}.jpg",
                "sentence": f"The dog, number {i}!",
                "box": [int(x), int(y), int(x + w), int(y + h)],
                "sent_id": 1000 + i,
                "split": split,
                "width": width,
                "height": height,
            }
        )
    return rows


def index_of(root: Path) -> DatasetIndex:
    return open_tables(root, "made", None, "xyxy")


def coordinates(box_format: str, frame: Record = ORIGINAL) -> Coordinates:
    return Coordinates.model_validate({"box_format": box_format, "frame": frame})


def convert(
    file: Path,
    root: Path,
    said: Coordinates | None = None,
    *,
    splits: tuple[str, ...] = ("val",),
    dataset_id: str = "made",
    **options: Any,
) -> list[AnswersReport]:
    """Reads a file for splits of a dataset; the predictions lie beside the file."""
    written = None if said is None else said.model_dump()
    return made_answers.convert(file, root, *splits, name=dataset_id, said=written, **options)


def predictions(file: Path, split: str = "val", names: tuple[str, ...] = COLUMNS) -> PredictionColumns:
    """What `convert` wrote."""
    return read_numbers(file.parent / "out" / f"predictions-{split}.parquet", names)
