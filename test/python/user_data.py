"""Users' annotation files in every supported format, and the source that describes them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import torch

from cliprpn.contract.generated import RowsSource
from cliprpn.data.annotations import Annotations
from cliprpn.data.problems import Problems
from cliprpn.data.rows.read import read_rows

Record = dict[str, Any]


def rows_source(
    *files: Path | tuple[Path, str], format: str = "jsonl", box_format: str = "xywh", **columns: str
) -> RowsSource:
    """A source of files; a pair is a file and the split of all its rows."""
    pairs = [file if isinstance(file, tuple) else (file, None) for file in files]
    names = {"image": "image", "sentence": "sentence", "box": "box", "split": "split"} | columns
    return RowsSource.model_validate(
        {
            "layout": "rows",
            "format": format,
            "files": [{"file": str(file), "split": split} for file, split in pairs],
            "box_format": box_format,
            "columns": names,
            "split_seed": 0,
        }
    )


def read(source: RowsSource) -> tuple[Annotations, list[str]]:
    """The annotations and the problems."""
    problems = Problems(Path(source.files[0].file).parent)
    return read_rows(source, problems), problems.messages


def make_rows(num: int = 6) -> list[Record]:
    """Two sentences for each of two objects per image; the boxes are not normalized coordinates."""
    return [
        {
            "image": f"train/p{i // 4}.jpg",
            "sentence": f"the {'left' if i % 4 < 2 else 'right'} dog, {i}",
            "box": [10.5 + 50 * (i % 4 // 2), 20, 30.25, 40],
        }
        for i in range(num)
    ]


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


def write_csv(path: Path, rows: list[Record]) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def make_coco() -> Record:
    """Two images; two of the three objects of the first one have sentences."""
    return {
        "images": [
            {"id": 7, "file_name": "a.jpg", "width": 640, "height": 480},
            {"id": 9, "file_name": "b.jpg", "width": 320, "height": 240},
        ],
        "annotations": [
            {
                "id": 1,
                "image_id": 7,
                "category_id": 18,
                "bbox": [1, 2, 30, 40],
                "sentences": ["a dog", "the dog"],
            },
            {
                "id": 2,
                "image_id": 7,
                "category_id": 18,
                "bbox": [50, 60, 70, 80.5],
                "sentence": "the other dog",
            },
            {"id": 3, "image_id": 7, "category_id": 18, "bbox": [5, 5, 5, 5]},
            {
                "id": 4,
                "image_id": 9,
                "category_id": 1,
                "bbox": [0, 0, 10, 20],
                "sentences": [{"sent": "a man"}],
            },
        ],
        "categories": [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}],
    }


def make_mdetr() -> Record:
    """As written by MDETR's scripts: an image and an annotation for each sentence."""
    entries = [
        (131074, 1719310, "the nearer cup"),
        (131074, 1719310, "a red cup"),
        (393230, 66, "a café table"),
    ]
    return {
        "info": {},
        "licenses": [],
        "images": [
            {
                "file_name": f"COCO_train2014_{original:012d}.jpg",
                "height": 428,
                "width": 640,
                "id": 40 + i,
                "original_id": original,
                "caption": caption,
                "dataset_name": "refcocog",
                "tokens_negative": [[0, 3]],
            }
            for i, (original, _, caption) in enumerate(entries)
        ],
        "annotations": [
            {
                "area": 100.5,
                "iscrowd": 0,
                "image_id": 40 + i,
                "category_id": 47,
                "id": 90 + i,
                "bbox": [10.5, 20, 30, 40 + ann_id % 7],
                "original_id": ann_id,
                "tokens_positive": [[0, 3]],
            }
            for i, (_, ann_id, _) in enumerate(entries)
        ],
        "categories": [{"supercategory": "kitchen", "id": 47, "name": "cup"}],
    }


def make_transvg() -> list[tuple[Any, ...]]:
    """As in `gref_umd_train.pth`."""
    attributes = [("r1", ["none"]), ("r2", ["none"])]
    return [
        (
            "COCO_train2014_000000131074.jpg",
            "1719310.pth",
            [10.5, 20, 30, 40.25],
            "the nearer cup",
            attributes,
        ),
        ("COCO_train2014_000000131074.jpg", "1719310.pth", [10.5, 20, 30, 40.25], "a café cup", attributes),
        ("COCO_train2014_000000393230.jpg", "66.pth", [0, 0, 5, 6], "table", attributes),
    ]


def write_torch(path: Path, value: Any, legacy: bool) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    return path
