"""Odd values inside files of answers of each format: converted, or rejected with a message. No crash, hang or other
exception, and what is written are finite boxes inside their images.

The suite runs a few inputs of each; `CLIPRPN_FUZZ_COUNT=10000` runs more, `CLIPRPN_FUZZ_SEED` others.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from fuzzing import MAX_MESSAGE_CHARS, broken_bytes, fuzz, odd
from user_data import rows_source, write_jsonl

from cliprpn.answers import convert
from cliprpn.answers.convert import convert_answers
from cliprpn.contract.generated import (
    AnswerReading,
    AnswerTarget,
    ReadAnswersParams,
)
from cliprpn.data.index import DatasetIndex, open_tables
from cliprpn.data.sources import read_source
from cliprpn.data.tables import write_tables
from cliprpn.errors import CliprpnError

COUNT = int(os.environ.get("CLIPRPN_FUZZ_COUNT", "40"))
SEED = int(os.environ.get("CLIPRPN_FUZZ_SEED", "0"))
WIDTH, HEIGHT = 640, 480
NUM = 6
ROWS = [
    {
        "image": f"{index}.jpg",
        "sentence": f"thing {index}",
        "box": [10 * index, 20, 10 * index + 50, 80],
        "sent_id": index,
        "split": "val",
        "width": WIDTH,
        "height": HEIGHT,
    }
    for index in range(NUM)
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> DatasetIndex:
    folder = tmp_path_factory.mktemp("answers")
    write_jsonl(folder / "rows.jsonl", ROWS)
    source = rows_source(folder / "rows.jsonl", box_format="xyxy")
    write_tables(read_source(source).annotations, None, folder / "set")
    return open_tables(folder / "set", "own", None, source.box_format)


def table_rows() -> list[dict[str, Any]]:
    keys = ("x1", "y1", "x2", "y2")
    return [
        {
            "sent_id": row["sent_id"],
            **{f"pred_{k}": v for k, v in zip(keys, row["box"], strict=True)},
            "score": 0.5,
        }
        for row in ROWS
    ]


def text_rows() -> list[dict[str, Any]]:
    return [
        {
            "image": row["image"],
            "expression": row["sentence"],
            "answer": f'```json\n{{"bbox_2d": {row["box"]}}}\n```',
        }
        for row in ROWS
    ]


def to_tsv(rows: Any) -> bytes:
    return to_csv(rows, "\t")


def to_csv(rows: Any, delimiter: str = ",") -> bytes:
    rows = [row for row in rows if isinstance(row, dict)] or [{"sent_id": 1}]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), extrasaction="ignore", delimiter=delimiter)
    writer.writeheader()
    writer.writerows({str(k): escaped(v) for k, v in row.items()} for row in rows)
    return out.getvalue().encode("utf-8", "replace")


def escaped(value: Any) -> str:
    return str(value).replace("\0", "")


def to_lines(rows: Any) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def to_json(rows: Any) -> bytes:
    return json.dumps(rows).encode()


def to_parquet(rows: Any) -> bytes:
    sink = io.BytesIO()
    texts = [json.dumps(row) for row in rows]
    try:
        table = pa.Table.from_pylist([row for row in rows if isinstance(row, dict)])
    except (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError):
        table = pa.table({"answer": texts})
    pq.write_table(table, sink)
    return sink.getvalue()


def to_torch(rows: Any) -> bytes:
    sink = io.BytesIO()
    torch.save(rows, sink)
    return sink.getvalue()


def xywh(box: list[int]) -> list[int]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def share(box: list[int]) -> list[float]:
    return [value / side for value, side in zip(box, (WIDTH, HEIGHT) * 2, strict=True)]


KINDS: dict[str, tuple[str, Callable[[], Any], Callable[[Any], bytes]]] = {
    "csv": ("a.csv", table_rows, to_csv),
    "tsv": ("a.tsv", text_rows, to_tsv),
    "jsonl": ("a.jsonl", text_rows, to_lines),
    "json": ("a.json", table_rows, to_json),
    "parquet": ("a.parquet", table_rows, to_parquet),
    "torch": ("a.pth", table_rows, to_torch),
    "coco": (
        "a.json",
        lambda: [
            {
                "sent_id": row["sent_id"],
                "image_id": row["sent_id"],
                "category_id": 1,
                "bbox": xywh(row["box"]),
                "score": 0.5,
            }
            for row in ROWS
        ],
        to_json,
    ),
    "lmms_eval": (
        "a.jsonl",
        lambda: [
            {
                "doc": {"file_name": row["image"]},
                "IoU": {
                    "answer": row["sentence"],
                    "pred": share(row["box"]),
                    "ann_id": index,
                    "bbox": share(row["box"]),
                },
            }
            for index, row in enumerate(ROWS)
        ],
        to_lines,
    ),
    "internvl": (
        "a.json",
        lambda: [
            {
                "answer": f"<box>[{row['box']}]</box>",
                "gt_bbox": row["box"],
                "hw": [HEIGHT, WIDTH],
                "image": row["image"],
                "expression": row["sentence"],
            }
            for row in ROWS
        ],
        to_json,
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_broken_file_is_converted_or_rejected_with_a_message(
    tmp_path: Path, index: DatasetIndex, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "open_dataset", lambda root, dataset_id: index)
    file_name, make, encode = KINDS[name]

    def read(folder: Path, rng: random.Random) -> str:
        path = folder / file_name
        content = encode(odd(make(), rng))
        path.write_bytes(broken_bytes(content, rng) if rng.random() < 0.5 else content)
        box_format = rng.choice(["xyxy", "xyxy", "xyxy_norm", "xywh", "xyxy_1000", None])
        return outcome(path, folder / "out", index, box_format, rng.random() < 0.5)

    fuzz(tmp_path, name, COUNT, SEED, read)


def outcome(path: Path, out: Path, index: DatasetIndex, box_format: str | None, force: bool) -> str:
    reading = AnswerReading.model_validate(
        {
            "format": None,
            "columns": None,
            "coordinates": None
            if box_format is None
            else {"box_format": box_format, "frame": {"kind": "original"}},
            "force_coordinates": force,
        }
    )
    dataset = {"name": "own", "split_by": "own", "root": str(index.root), "id": "own"}
    target = AnswerTarget.model_validate({"dataset": dataset, "split": "val", "out_dir": str(out)})
    try:
        result = convert_answers(ReadAnswersParams(file=str(path), reading=reading, targets=[target]))
    except CliprpnError as error:
        assert error.code in ("data_invalid", "bad_input"), error.code
        assert 0 < len(error.message) < MAX_MESSAGE_CHARS
        assert all(char.isprintable() or char == "\n" for char in error.message), repr(error.message)
        assert not out.exists()
        return "rejected"
    (report,) = result.reports
    assert report.num_expressions == NUM == report.num_answered + report.num_missing + report.num_unparsed
    table = pq.read_table(out / "predictions-val.parquet")
    boxes = np.array(table["pred_box_xyxy"].to_pylist())
    assert boxes.shape == (NUM, 4) and np.isfinite(boxes).all()
    assert (boxes >= 0).all() and (boxes <= [WIDTH, HEIGHT] * 2).all()
    iou = table["iou"].to_numpy()
    assert np.isfinite(iou).all() and (iou >= 0).all() and (iou <= 1).all()
    return "read"
