"""A dataset whose images differ in size, and files of answers to it whose IoUs are known by construction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from prepared import dataset_facts
from user_data import rows_source, write_jsonl

from cliprpn.answers.convert import convert_answers
from cliprpn.contract.generated import AnswersReport, ReadAnswersParams
from cliprpn.data.sources import read_source
from cliprpn.data.tables import write_tables

SIZES = [(640, 480), (480, 640), (1600, 1200), (500, 375)]
# A predicted box has the object's left part, so that its IoU is the part of the width.
PARTS = (1.0, 0.9, 0.75, 0.5, 0.3, 0.1)
NUM_VAL, NUM_TEST = 24, 12
FIRST_SENT_ID = 100
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Asked:
    """An expression: its boxes are xyxy, in pixels of the original image."""

    sent_id: int
    image: str
    expression: str
    split: str
    size: tuple[int, int]
    truth: Box
    answer: Box
    iou: float


def make_asked() -> list[Asked]:
    """Objects lie to the right and below, so that only one reading of the four numbers is a box in the image."""
    asked = []
    for i in range(NUM_VAL + NUM_TEST):
        width, height = SIZES[i % len(SIZES)]
        x1, y1, x2, y2 = 0.55 * width // 1, 0.5 * height // 1, 0.95 * width // 1, 0.9 * height // 1
        part = PARTS[i % len(PARTS)]
        asked.append(
            Asked(
                FIRST_SENT_ID + i,
                f"p{i:03d}.jpg",
                f"The thing, number {i}",
                "val" if i < NUM_VAL else "test",
                (width, height),
                (x1, y1, x2, y2),
                (x1, y1, x1 + part * (x2 - x1), y2),
                part,
            )
        )
    return asked


ASKED = make_asked()
VAL = ASKED[:NUM_VAL]


def make_dataset(root: Path, asked: list[Asked] = ASKED, name: str = "made") -> Path:
    """Prepares the dataset, without pixels. Returns its folder."""
    rows = [
        {
            "image": each.image,
            "sentence": each.expression,
            "box": list(each.truth),
            "split": each.split,
            "sent_id": each.sent_id,
            "width": each.size[0],
            "height": each.size[1],
        }
        for each in asked
    ]
    return prepare_rows(root, rows, name)


def prepare_rows(root: Path, rows: list[dict[str, Any]], name: str) -> Path:
    """Prepares rows with boxes in xyxy and sizes, without pixels. Returns the folder."""
    root.mkdir()
    source = rows_source(write_jsonl(root / "rows.jsonl", rows), box_format="xyxy")
    read = read_source(source)
    write_tables(read.annotations, None, root)
    own = {"id": name, "name": name, "split_by": "own"}
    facts = dataset_facts(own | {"source": source.model_dump(), "split_rule": read.split_rule})
    (root / "dataset.json").write_text(json.dumps(facts))
    return root


def coordinates(name: str, **frame: Any) -> dict[str, Any]:
    """Coordinates of the contract; of the original image without a frame."""
    return {"box_format": name, "frame": frame or {"kind": "original"}}


def reading(
    said: dict[str, Any] | str | None = "xyxy",
    format: str | None = None,
    columns: dict[str, str] | None = None,
    force: bool = False,
) -> dict[str, Any]:
    return {
        "format": format,
        "columns": columns,
        "coordinates": coordinates(said) if isinstance(said, str) else said,
        "force_coordinates": force,
    }


def convert(
    file: Path, dataset: Path, *splits: str, name: str = "made", **options: Any
) -> list[AnswersReport]:
    """Converts a file for splits of a dataset, val by default; the predictions lie in `out` beside the file."""
    targets = [
        {
            "dataset": {"id": name, "name": name, "root": str(dataset), "split_by": "own"},
            "split": split,
            "out_dir": str(file.parent / "out"),
        }
        for split in splits or ("val",)
    ]
    params = {"file": str(file), "reading": reading(**options), "targets": targets}
    return convert_answers(ReadAnswersParams.model_validate(params)).reports


def predictions(file: Path, split: str = "val") -> dict[str, list[Any]]:
    """The columns that were written."""
    columns: dict[str, list[Any]] = pq.read_table(
        file.parent / "out" / f"predictions-{split}.parquet"
    ).to_pydict()
    return columns


def row_of(each: Asked, **changes: Any) -> dict[str, Any]:
    """A row of a table of answers; a change to None leaves the field out."""
    row = {"sent_id": each.sent_id, "bbox": list(each.answer)} | changes
    return {key: value for key, value in row.items() if value is not None}
