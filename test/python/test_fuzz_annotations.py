"""Broken annotation files of every format are read, or rejected with a message; no crash, hang or other exception.

The suite runs a few hundred cases; set `CLIPRPN_FUZZ_RUNS=10000` for more, `CLIPRPN_FUZZ_SEED` for others.
"""

from __future__ import annotations

import json
import os
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
from fuzzing import Source, broken_bytes, fuzz, odd, outcome
from helpers import make_records
from user_data import (
    make_coco,
    make_mdetr,
    make_rows,
    make_transvg,
    rows_source,
    write_csv,
    write_torch,
)

from cliprpn.contract.generated import RefcocoSource
from cliprpn.data.boxes import FORMAT_NAMES

RUNS = int(os.environ.get("CLIPRPN_FUZZ_RUNS", "300"))
SEED = int(os.environ.get("CLIPRPN_FUZZ_SEED", "0"))


@pytest.mark.parametrize(
    "name", ["jsonl", "csv", "coco", "mdetr", "transvg", "transvg legacy", "refs", "instances"]
)
def test_a_broken_file_is_read_or_rejected_with_a_message(tmp_path: Path, name: str) -> None:
    def read(folder: Path, rng: random.Random) -> str:
        source, path = write_case(name, folder, rng)
        path.write_bytes(broken_bytes(path.read_bytes(), rng))
        return outcome(source, folder)

    fuzz(tmp_path, name, max(RUNS // 8, 1), SEED, read, least=12)


def write_case(name: str, folder: Path, rng: random.Random) -> tuple[Source, Path]:
    """A source with some odd values, and the file to break."""
    box_format = rng.choice(["xywh"] * 7 + list(FORMAT_NAMES))
    format = name.removesuffix(" legacy")
    path = folder / f"data.{format}"
    if name in ("refs", "instances"):
        return write_refcoco(name, folder, rng)
    if name in ("jsonl", "csv"):
        rows = odd(known_rows(), rng)
        if name == "csv":
            flat = [row for row in rows if isinstance(row, dict)] or [{"image": "a.jpg"}]
            keys = list(flat[0])
            write_csv(path, [{key: escaped(row.get(key)) for key in keys} for row in flat])
        else:
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    elif format == "transvg":
        write_torch(path, odd(make_transvg(), rng), legacy=name != format)
    else:
        path.write_text(json.dumps(odd(make_coco() if format == "coco" else make_mdetr(), rng)))
    pair = (path, "val") if rng.random() < 0.5 else path
    return rows_source(pair, format=format, box_format=box_format), path


def write_refcoco(name: str, folder: Path, rng: random.Random) -> tuple[Source, Path]:
    instances, refs = make_records(4)
    if name == "refs":
        refs = odd(refs, rng)
    else:
        instances = odd(instances, rng)
    (folder / "instances.json").write_text(json.dumps(instances))
    (folder / "refs(umd).p").write_bytes(pickle.dumps(refs, rng.randrange(6)))
    source = RefcocoSource(
        layout="refcoco",
        instances_file=str(folder / "instances.json"),
        refs_file=str(folder / "refs(umd).p"),
    )
    return source, folder / ("refs(umd).p" if name == "refs" else "instances.json")


def known_rows() -> list[Any]:
    known = {"width": 640, "height": 480, "category": "dog"}
    return [{**row, **known, "image_id": 1 + i // 4, "sent_id": i} for i, row in enumerate(make_rows())]


def escaped(value: Any) -> str:
    """Text of a cell; lone surrogates cannot be written."""
    return str(value).encode("utf-8", "replace").decode()
