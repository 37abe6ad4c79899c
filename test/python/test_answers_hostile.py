"""Hostile and odd files of answers: read right, or refused with what was expected, found and where."""

from __future__ import annotations

import gzip
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from made_answers import NUM_VAL, VAL, convert, make_dataset, row_of

from cliprpn.answers.files.records import read_records
from cliprpn.errors import CliprpnError

ROWS = [row_of(each) for each in VAL]
HEADER = "sent_id,pred_x1,pred_y1,pred_x2,pred_y2,text\n"
CSV = HEADER + "".join(
    f"{each.sent_id},{','.join(map(str, each.answer))},=1+cmd|' /C calc'!A0\n" for each in VAL
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("answers") / "set")


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def first(**changes: Any) -> bytes:
    return lines([{**ROWS[0], **changes}, *ROWS[1:]])


def answered(text: str) -> bytes:
    return lines([{"sent_id": VAL[0].sent_id, "answer": text}, *ROWS[1:]])


READ: dict[str, tuple[bytes, int]] = {
    "nan.jsonl": (first(bbox=[float("nan"), 1, 2, 3]), 1),
    "infinity.jsonl": (first(bbox=[float("inf"), 1, 2, 3]), 1),
    "1e300.jsonl": (first(bbox=[1e300, 1, 2, 3]), 1),
    "huge.jsonl": (first(bbox=[10**400, 1, 2, 3]), 1),
    "words.jsonl": (first(bbox=["a", "b", "c", "d"]), 1),
    "booleans.jsonl": (first(bbox=[True, False, True, True]), 1),
    "score.jsonl": (first(score="high"), 0),
    "texts.jsonl": (lines([{**row, "bbox": [str(side) for side in row["bbox"]]} for row in ROWS]), 0),
    "brackets.jsonl": (answered("[" * 10_000_000), 1),
    "objects.jsonl": (answered('{"a":[' * 3000), 1),
    "surrogate.jsonl": (answered("\ud800"), 1),
    "control.jsonl": (answered("\x1b[2J\r\n\u202eabc"), 1),
    "formulas.csv": (CSV.encode(), 0),
    "packed.json.gz": (gzip.compress(json.dumps(ROWS).encode()), 0),
    "split.jsonl": (lines([{**row, "split": "validation"} for row in ROWS]), 0),
    "word.jsonl": (lines([{**row, "split": "refcoco"} for row in ROWS]), 0),
}


@pytest.mark.parametrize("name", READ)
def test_odd_values_are_read_and_counted(tmp_path: Path, dataset: Path, name: str) -> None:
    content, num_unparsed = READ[name]
    (tmp_path / name).write_bytes(content)
    (report,) = convert(tmp_path / name, dataset)
    assert (report.num_answered, report.num_unparsed) == (NUM_VAL - num_unparsed, num_unparsed)
    report.model_dump_json()
    assert all(char.isprintable() for each in report.examples for char in each.text + each.where)


class Bomb:
    def __reduce__(self) -> Any:
        return os.mkdir, ("harm",)


LONG = "y\x1b[2J\n" * 5000
REFUSED: dict[str, tuple[bytes, str]] = {
    "deep.json": (b"[" * 100_000, "nested too deep"),
    "digits.jsonl": (first().replace(b"[352.0", b"[" + b"9" * 5000, 1), "4300 digits"),
    "twice.jsonl": (first().replace(b"{", b'{"bbox": 1, ', 1), "duplicate key"),
    "twice.csv": (b"sent_id,sent_id,x\n1,2,3\n", "'sent_id' twice"),
    "nul.csv": (CSV.replace("100,", "1\x0000,", 1).encode(), ":2: .*NUL"),
    "utf16.csv": (CSV.encode("utf-16-le"), "UTF-16"),
    "empty.csv": (b"", "empty file"),
    "empty.jsonl": (b"\n\n", "empty file"),
    "empty.json": (b"[]", "no row"),
    "header.csv": (HEADER.encode(), "no row"),
    "escape.csv": (b"\x1b[31mfoo,\x1b[2Jbar\n1,2\n", "pred_x1"),
    "lists.json": (json.dumps([[1, 2, 3, 4]] * 24).encode(), "expected an object"),
    "quote.csv": ((CSV + '100,1,2,3,4,"abc\n').encode(), "quote"),
    "comma.csv": (CSV.replace("=1", "a,b").encode(), ":2: expected 6 values"),
    "cut.json": (json.dumps(ROWS).encode()[:-5], "expected JSON"),
    "bomb.json.gz": (gzip.compress(b"[" + b" " * 2**25), "200 times"),
    "bomb.pth": (pickle.dumps([Bomb()]), "could run code"),
    "broken.parquet": (b"PAR1" + b"x" * 300 + b"PAR1", "Parquet"),
    "book.xlsx": (b"PK\x03\x04" + b"x" * 300, "Excel workbook, found a broken archive"),
    "book.csv": (b"PK\x03\x04" + b"x" * 300, "Excel workbook, found a broken archive"),
    "turned.jsonl": (lines([{**row, "bbox": [10, 10, -5, -5]} for row in ROWS]), "no boxes inside"),
    "ids.jsonl": (lines([{**row, "sent_id": "z\x1b" * 5000} for row in ROWS]), "match none"),
    "expressions.jsonl": (lines([{**row, "expression": LONG} for row in ROWS]), "another dataset"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_broken_files_are_refused_with_what_was_expected(
    tmp_path: Path, dataset: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, said = REFUSED[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CliprpnError, match=said) as caught:
        convert(tmp_path / name, dataset)
    message = caught.value.message
    assert caught.value.code in ("data_invalid", "bad_input") and name in message
    assert len(message) < 1500 and all(char.isprintable() for char in message)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(ROWS))

    def read_and_append(path: Path, notes: list[str]) -> Any:
        records = read_records(path, notes)
        path.write_bytes(path.read_bytes() + b"\n")
        return records

    monkeypatch.setattr("cliprpn.answers.rows.read_file.read_records", read_and_append)
    with pytest.raises(CliprpnError, match=r"a\.jsonl: changed while it was read"):
        convert(path, dataset)
