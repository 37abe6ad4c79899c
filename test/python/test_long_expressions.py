"""Expressions longer than CLIP's text encoder reads are counted by split."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from helpers import small_dataset
from prepared import prepare

from cliprpn.data import long_expressions
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.long_expressions import dataset_warnings, long_expression_lines, long_expressions_of

pytestmark = pytest.mark.usefixtures("no_open_datasets")

# 75 words of one token each: with start and end exactly what is read.
FITS = " ".join(["dog"] * 75)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> DatasetIndex:
    folder = tmp_path_factory.mktemp("long")
    prepare(small_dataset(folder / "data"), folder / "prepared")
    return open_dataset(folder / "prepared", "blocks")


def with_values(index: DatasetIndex, column: str, values: dict[int, object]) -> DatasetIndex:
    changed = index.sentences[column].to_pylist()
    for row, value in values.items():
        changed[row] = value
    number = index.sentences.column_names.index(column)
    array = pa.array(changed, index.sentences.schema.field(column).type)
    return replace(index, sentences=index.sentences.set_column(number, column, array))


def test_short_expressions_give_no_line(index: DatasetIndex) -> None:
    assert long_expression_lines(index) == []
    assert long_expression_lines(with_values(index, "sentence", {4: FITS})) == []


def test_an_expression_of_one_more_token_is_cut_off(index: DatasetIndex) -> None:
    (line,) = long_expression_lines(with_values(index, "sentence", {4: f"{FITS} cat"}))
    assert line.startswith("val: 1 of 4 expressions is longer than the 77 tokens") and "Only" not in line


def test_those_that_differ_only_in_the_end_are_counted(index: DatasetIndex) -> None:
    """Rows 4 and 5 are of one image, row 16 of another."""
    long = with_values(index, "sentence", {4: f"{FITS} cat", 5: f"{FITS} cow", 16: f"{FITS} cat"})
    (line,) = long_expression_lines(with_values(long, "ann_id", {4: 1, 5: 2}))
    assert line.startswith("val: 3 of 4 expressions are longer")
    assert "Only by the part that is cut off, 2 of them differ" in line
    (same_object,) = long_expression_lines(with_values(long, "ann_id", {4: 1, 5: 1}))
    assert "Only" not in same_object


def test_one_that_fits_may_be_read_as_one_that_does_not(index: DatasetIndex) -> None:
    long = with_values(index, "sentence", {4: FITS, 5: f"{FITS} cow"})
    (line,) = long_expression_lines(with_values(long, "ann_id", {4: 1, 5: 2}))
    assert "1 of 4 expressions is longer" in line and "1 of them differs" in line


def test_words_of_a_template_count(index: DatasetIndex) -> None:
    long, rows = with_values(index, "sentence", {4: FITS}), index.split("val")
    line = long_expressions_of(long, "val", rows, ("{}", "a photo of {}"))
    assert line is not None and "val: 1 of 4 expressions, with the templates" in line
    assert long_expressions_of(long, "val", rows, ("{}",)) is None


def test_a_dataset_of_an_earlier_version_is_searched_once(
    index: DatasetIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_expressions._known.clear()
    long = with_values(index, "sentence", {4: f"{FITS} cat"})
    assert len(dataset_warnings(long)) == 1
    monkeypatch.setattr(long_expressions, "long_expression_lines", lambda index: pytest.fail("again"))
    assert len(dataset_warnings(long)) == 1
    long_expressions._known.clear()


def test_recorded_warnings_are_those_of_the_dataset(index: DatasetIndex) -> None:
    file: Path = index.root / "dataset.json"
    before = file.read_text()
    long_expressions._known.clear()
    try:
        file.write_text(json.dumps({**json.loads(before), "warnings": ["the frame is unknown"]}))
        assert dataset_warnings(index) == ["the frame is unknown"]
    finally:
        file.write_text(before)
        long_expressions._known.clear()
