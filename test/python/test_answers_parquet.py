"""Parquet files of answers whose schema or sizes are odd or hostile."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_answers import NUM_VAL, VAL, convert, make_dataset

from cliprpn.answers.files.records import read_records
from cliprpn.errors import CliprpnError

BIG = "x" * 1_000_000
NUM = 200_000
BOXES = [list(each.answer) for each in VAL]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("answers") / "set")


def write(path: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), path, compression="zstd")
    return path


def test_decimals_are_ids_and_boxes(tmp_path: Path, dataset: Path) -> None:
    columns = {
        "sent_id": [Decimal(each.sent_id) for each in VAL],
        "pred_box": BOXES,
        "score": [Decimal("0.25")] * NUM_VAL,
    }
    (report,) = convert(write(tmp_path / "a.parquet", columns), dataset)
    assert (report.num_answered, report.num_by_sent_id, report.has_scores) == (NUM_VAL, NUM_VAL, True)


def test_a_column_with_dots_in_its_name_can_be_named(tmp_path: Path, dataset: Path) -> None:
    path = write(tmp_path / "a.parquet", {"doc.sent": [each.sent_id for each in VAL], "pred_box": BOXES})
    (report,) = convert(path, dataset, columns={"sent_id": "doc.sent"})
    assert report.num_by_sent_id == NUM_VAL


def test_texts_stay_texts_and_images_are_left_out(tmp_path: Path) -> None:
    columns = {
        "answer": ["a", "b", None],
        "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
        "texts": [["a"], None, ["b", "b"]],
        "doc": [{"id": 1, "name": "n"}, {"id": 2, "name": None}, None],
        "raw": [b"1", b"2", b"3"],
        "image": [{"bytes": b"1", "path": "p"}] * 3,
    }
    records = [record for _, record in read_records(write(tmp_path / "a.parquet", columns), [])]
    assert records == [
        {"answer": "a", "kind": "x", "texts": ["a"], "doc": {"id": 1, "name": "n"}},
        {"answer": "b", "kind": "y", "texts": None, "doc": {"id": 2, "name": None}},
        {"answer": None, "kind": "x", "texts": ["b", "b"], "doc": None},
    ]


def repeated() -> pa.Array:
    """One long text in every row, which takes a kilobyte on disk."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * NUM, pa.int32()), pa.array([BIG]))


BOMBS: dict[str, Callable[[], pa.Array]] = {
    "flat": repeated,
    "struct": lambda: pa.StructArray.from_arrays([repeated()], names=["pred"]),
    "list": lambda: pa.ListArray.from_arrays(pa.array(range(NUM + 1), pa.int32()), repeated()),
    "list_of_structs": lambda: pa.ListArray.from_arrays(
        pa.array(range(NUM + 1), pa.int32()), pa.StructArray.from_arrays([repeated()], names=["pred"])
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_its_texts_are_repeated(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.parquet", {"answer": BOMBS[name]()})
    assert path.stat().st_size < 2000
    with pytest.raises(CliprpnError, match="at most 2,147,483,648 bytes when unpacked"):
        read_records(path, [])


def deep() -> Any:
    value: Any = 1
    for _ in range(60):
        value = [value]
    return [value]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "deep": ({"pred_box": deep()}, "nested"),
    "wide": ({f"c{i}": [1] for i in range(10_001)}, "at most 10,000 columns, found 10,001"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_odd_schema_is_refused(tmp_path: Path, name: str) -> None:
    columns, said = REFUSED[name]
    with pytest.raises(CliprpnError, match=said) as caught:
        read_records(write(tmp_path / "a.parquet", columns), [])
    assert caught.value.code == "data_invalid" and len(caught.value.message) < 500


def test_a_table_of_very_many_columns_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(f"c{i}" for i in range(200_000)) + "\n")
    with pytest.raises(CliprpnError, match=":1: expected at most 10,000 columns"):
        read_records(path, [])
