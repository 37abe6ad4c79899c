"""Broken files of the layouts of published datasets are read, or rejected with a message; no crash, hang or other
exception.

The suite runs a few inputs of each; `CLIPRPN_FUZZ_COUNT=10000` runs more, `CLIPRPN_FUZZ_SEED` others.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzzing import MAX_MESSAGE_CHARS, broken_bytes, fuzz, odd, outcome
from layout_data import LAYOUTS, write_json
from test_layouts import make_multi_target
from user_data import rows_source, write_jsonl

from cliprpn.contract.generated import RowsFile, RowsSource
from cliprpn.data.sources import read_source
from cliprpn.errors import CliprpnError

COUNT = int(os.environ.get("CLIPRPN_FUZZ_COUNT", "40"))
SEED = int(os.environ.get("CLIPRPN_FUZZ_SEED", "0"))
FOLDERS = ("voc", "flickr30k")


def write_mdetr(folder: Path) -> Path:
    return write_json(folder / "finetune_grefcoco_val.json", make_multi_target())


WRITERS = {**LAYOUTS, "mdetr": (write_mdetr, "xywh")}


@pytest.mark.parametrize("name", [*WRITERS, "only"])
def test_a_broken_file_is_read_or_rejected_with_a_message(tmp_path: Path, name: str) -> None:
    def read(folder: Path, rng: random.Random) -> str:
        source = write_broken_list(folder, rng) if name == "only" else write_broken(name, folder, rng)
        if rng.random() < 0.3:
            source = source.model_copy(update={"allow_invalid": True, "first_box": True})
        # Tables and exports take longer, and their inputs are checked records.
        return (outcome if rng.random() < 0.1 else read_only)(source, folder)

    fuzz(tmp_path, name, COUNT, SEED, read)


def read_only(source: RowsSource, folder: Path) -> str:
    """As `outcome`, without tables and exports."""
    try:
        read_source(source)
    except CliprpnError as error:
        assert error.code == "data_invalid", error.code
        assert 0 < len(error.message) < MAX_MESSAGE_CHARS
        assert all(char.isprintable() or char == "\n" for char in error.message), repr(error.message)
        return "rejected"
    return "read"


def write_broken(name: str, folder: Path, rng: random.Random) -> RowsSource:
    write, box_format = WRITERS[name]
    path = write(folder)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    file = rng.choice(files)
    if name not in FOLDERS and rng.random() < 0.7:
        _change_values(file, rng)
    else:
        file.write_bytes(broken_bytes(file.read_bytes(), rng))
    sentence = rng.choice(["sentence", "sentence", "sentence", "phrase", "caption", "name"])
    pair = (path, "val") if rng.random() < 0.5 else path
    return rows_source(pair, format=name, box_format=box_format, sentence=sentence)


def _change_values(file: Path, rng: random.Random) -> None:
    if file.suffix == ".jsonl":
        lines = odd([json.loads(line) for line in file.read_text().splitlines()], rng)
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    else:
        write_json(file, odd(json.loads(file.read_bytes()), rng))


LISTS: list[Callable[[Path], Path]] = [
    lambda folder: write_json(folder / "only.json", {"sent_id": [0, 1, 2]}),
    lambda folder: write_json(folder / "only.json", [{"ref_id": 0}, {"ref_id": 1, "caption_quality": 0}]),
    lambda folder: write_jsonl(folder / "only.jsonl", [{"ann_id": 11}, {"ann_id": 12}]),
    lambda folder: _write_text(folder / "only.csv", "sent_id,x\n0,a\n2,b\n"),
    lambda folder: write_json(folder / "only.json", make_multi_target()),
]


def write_broken_list(folder: Path, rng: random.Random) -> RowsSource:
    path = LAYOUTS["grefcoco"][0](folder)
    file = rng.choice(LISTS)(folder)
    if file.suffix != ".csv" and rng.random() < 0.5:
        _change_values(file, rng)
    else:
        file.write_bytes(broken_bytes(file.read_bytes(), rng))
    only = [RowsFile(file=str(file), split=rng.choice([None, "val", "test"]))]
    return rows_source(path, format="grefcoco").model_copy(update={"only": only})


def _write_text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
