"""Broken tables, JSON documents, Parquet, archives and TransVG files: read, or rejected with a message.

Each reader gets `CLIPRPN_FUZZ_COUNT` mutated inputs (40 by default; `CLIPRPN_FUZZ_COUNT=10000` for a night);
`CLIPRPN_FUZZ_SEED` changes all of them. No input may crash, hang or show a stack trace.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import os
import pickle
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from fuzzing import broken_bytes, fuzz, odd, outcome
from user_data import make_rows, rows_source, write_csv, write_torch

COUNT = int(os.environ.get("CLIPRPN_FUZZ_COUNT", "40"))
SEED = int(os.environ.get("CLIPRPN_FUZZ_SEED", "0"))
Rows = list[dict[str, Any]]

BOX_SHAPES: list[Callable[[list[float]], Any]] = [
    lambda box: box,
    str,
    lambda box: str(tuple(box)),
    lambda box: f"array({box}, dtype=float32)",
    lambda box: f"[{', '.join(f'np.float64({number})' for number in box)}]",
    lambda box: " ".join(str(number).replace(".", ",") for number in box),
    lambda box: dict(zip(("x", "y", "width", "height"), box, strict=True)),
    lambda box: dict(zip(("left", "top", "w", "h"), map(str, box), strict=True)),
    lambda box: [box],
    lambda box: [box, box],
    lambda box: f"{[box, box]}",
    lambda box: {"x": 1, "y": 2, "width": 3, "height": 4, "original_width": 640, "original_height": 480},
]
SENTENCE_SHAPES: list[Callable[[str], Any]] = [
    lambda text: text,
    lambda text: [text, f"{text}!"],
    lambda text: [{"sent": text, "sent_id": 3}],
    lambda text: f"['{text}', \"x\"]",
]


def make_varied(rng: random.Random) -> Rows:
    """Rows with boxes, sentences, names and ids in a random shape each."""
    box, sentence = rng.choice(BOX_SHAPES), rng.choice(SENTENCE_SHAPES)
    names = rng.choice(
        [("image", "sentence", "box"), ("file_name", "caption", "bbox"), ("Image", "TEXT", "Box")]
    )
    rows = []
    for i, row in enumerate(make_rows(6)):
        values = (row["image"], sentence(row["sentence"]), box(row["box"]))
        extra = {
            "width": 640,
            "height": 480,
            "split": rng.choice(["train", "validation", "dev", None, float("nan")]),
        }
        extra |= {"ann_id": rng.choice([i, f"a{i}", float(i)])}
        rows.append(dict(zip(names, values, strict=True)) | (extra if rng.random() < 0.7 else {}))
    changed = odd(rows, rng)
    return changed if isinstance(changed, list) else rows


def json_text(rng: random.Random) -> bytes:
    rows = make_varied(rng)
    document: Any = rng.choice(
        [
            rows,
            {"info": 1, "rows": rows},
            {"train": rows[:3], "val": rows[3:]},
            {str(i): row for i, row in enumerate(rows)},
            {"a.jpg": rows},
            {"columns": list(rows[0]) if isinstance(rows[0], dict) else [], "data": [[1, 2, 3]]},
            {"images": rows, "annotations": rows},
        ]
    )
    return json.dumps(document, indent=rng.choice([None, 1])).encode()


def csv_text(rng: random.Random, folder: Path) -> bytes:
    rows = [row for row in make_varied(rng) if isinstance(row, dict)] or [{"image": "a"}]
    keys = list(rows[0])
    cells = [{key: str(row.get(key)).encode("utf-8", "replace").decode() for key in keys} for row in rows]
    text = write_csv(folder / "x.csv", cells).read_text(encoding="utf-8")
    text = text.replace(",", rng.choice([",", ";", "\t"])) if rng.random() < 0.3 else text
    return text.encode(rng.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]), "replace")


def parquet_bytes(rng: random.Random) -> bytes:
    jpeg = b"\xff\xd8\xff" + rng.randbytes(40)
    image: list[Any] = rng.choice(
        [
            ["a.jpg"] * 6,
            [{"bytes": jpeg, "path": rng.choice([None, "../a.jpg", "a.jpg", "x/y\0.jpg", "con"])}] * 6,
            [jpeg] * 6,
            [[{"bytes": jpeg, "path": None}]] * 6,
        ]
    )
    rows = make_rows(6)
    table = {
        "image": image,
        "sentence": [rng.choice([row["sentence"], row["sentence"]]) for row in rows],
        "box": [row["box"] for row in rows],
        "split": [rng.choice(["train", "val", None]) for _ in rows],
    }
    if rng.random() < 0.3:
        del table[rng.choice(list(table))]
    target = io.BytesIO()
    codec = rng.choice(["snappy", "none", "gzip", "zstd"])
    pq.write_table(pa.table(table), target, compression=codec, row_group_size=rng.choice([1, 2, 100]))
    return target.getvalue()


def packed(rng: random.Random, ending: str) -> bytes:
    content = "\n".join(map(json.dumps, make_varied(rng))).encode()
    target = io.BytesIO()
    if ending == ".gz":
        return gzip.compress(content)
    if ending == ".zip":
        with zipfile.ZipFile(target, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
            archive.writestr(rng.choice(["rows.jsonl", "a/b.jsonl", "x.txt"]), content)
        return target.getvalue()
    with tarfile.open(fileobj=target, mode="w:gz" if ending == ".tar.gz" else "w") as tar:
        info = tarfile.TarInfo(rng.choice(["rows.jsonl", "../rows.jsonl", "x.txt"]))
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return target.getvalue()


def torch_bytes(rng: random.Random, folder: Path) -> bytes:
    arrays: list[Callable[[list[float]], Any]] = [
        np.array,
        lambda box: np.array(box, np.float32),
        torch.tensor,
        lambda box: [np.float64(number) for number in box],
        lambda box: torch.tensor([box, box])[1],
        lambda box: box,
    ]
    box = rng.choice(arrays)
    rows: list[Any] = [(row["image"], "1", row["box"], row["sentence"], []) for row in make_rows(6)]
    rows = odd(rows, rng) if rng.random() < 0.5 else rows
    made = []
    for row in rows if isinstance(rows, list) else []:
        try:
            made.append((row[0], row[1], box(row[2]), row[3], row[4]))
        except (ValueError, TypeError, IndexError, KeyError, RuntimeError, OverflowError):
            made.append(copy.deepcopy(row))
    if rng.random() < 0.3:
        return pickle.dumps(made, 2)
    return write_torch(folder / "x.pth", made, legacy=rng.random() < 0.3).read_bytes()


def write_case(reader: str, folder: Path, rng: random.Random) -> tuple[Path, str, str | None]:
    """A file of a reader before it is broken, with its format and `--rows`."""
    rows_key = rng.choice([None, None, "rows", "a.b", "regions"]) if reader in ("json", "jsonl") else None
    if reader == "parquet":
        content, name = parquet_bytes(rng), "data.parquet"
    elif reader == "csv":
        content, name = csv_text(rng, folder), "data.csv"
    elif reader == "transvg":
        content, name = torch_bytes(rng, folder), "data.pth"
    elif reader in ("json", "jsonl"):
        content = json_text(rng)
        if reader == "jsonl" and rng.random() < 0.7:
            content = "\n".join(map(json.dumps, make_varied(rng))).encode()
        name = f"data.{reader}"
    else:
        content, name = packed(rng, reader), f"data.jsonl{reader}"
    path = folder / name
    path.write_bytes(content)
    return path, "jsonl" if reader.startswith(".") else reader, rows_key


@pytest.mark.parametrize(
    "reader", ["json", "jsonl", "csv", "parquet", "transvg", ".gz", ".tar", ".tar.gz", ".zip"]
)
def test_a_broken_file_is_read_or_rejected_with_a_message(tmp_path: Path, reader: str) -> None:
    def read(folder: Path, rng: random.Random) -> str:
        path, format, rows_key = write_case(reader, folder, rng)
        path.write_bytes(broken_bytes(path.read_bytes(), rng))
        box_format = rng.choice(["xywh", "xywh", "xyxy", "cxcywh_norm", "xywh_norm", "xyxy_1000"])
        pair = (path, "val") if rng.random() < 0.5 else path
        update = {
            "rows": rows_key,
            "first_box": rng.choice([None, True]),
            "allow_invalid": rng.choice([None, True]),
        }
        return outcome(
            rows_source(pair, format=format, box_format=box_format).model_copy(update=update), folder
        )

    fuzz(tmp_path, reader, COUNT, SEED, read)
