"""Reads a person's files, whatever their format, to checked records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cliprpn.contract.generated import Columns, RowsFile, RowsSource
from cliprpn.data.annotations import Annotations
from cliprpn.data.boxes import WORDS
from cliprpn.data.checks import Problems
from cliprpn.data.rows.assemble import assemble
from cliprpn.data.rows.coco import read_coco, read_mdetr
from cliprpn.data.rows.lines import read_csv, read_jsonl
from cliprpn.data.rows.row import Row, checked_row
from cliprpn.data.rows.transvg import read_transvg
from cliprpn.errors import CliprpnError

# What the readers of formats that are not tables call their values.
PLAIN = Columns(image="image", sentence="sentence", box="box", split="split")


def read_rows(source: RowsSource, problems: Problems) -> Annotations:
    """All rows of all files, in order. What is wrong with a row is a problem, named by file and line.

    Raises:
        CliprpnError: data_invalid, when a file is not there or not of its format at all.
    """
    notes: list[str] = []
    rows: list[Row] = []
    for file in source.files:
        path = Path(file.file)
        if not path.is_file():
            raise CliprpnError("data_invalid", f"{path}: expected a file of annotations, found none")
        try:
            found = list(_rows_of(path, source, problems))
        except OSError as error:
            raise CliprpnError("data_invalid", f"{path}: expected a readable file: {error}") from error
        if not any(row.sentence is not None for row in found):
            problems.add(f"{path.name}: expected rows with a sentence, found none that is good")
        rows += _in_split(found, file, notes)
    return assemble(rows, source.box_format, problems, notes)


def _rows_of(path: Path, source: RowsSource, problems: Problems) -> Iterator[Row]:
    columns = source.columns if source.format in ("jsonl", "csv") else PLAIN
    for where, raw in _raws_of(path, source, problems):
        alone = source.format == "coco" and "sentence" not in raw
        row = checked_row(raw, where, columns, WORDS[source.box_format], problems, alone=alone)
        if row is not None:
            yield row


def _raws_of(path: Path, source: RowsSource, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    columns = source.columns
    if source.format == "jsonl":
        return read_jsonl(path, problems)
    if source.format == "csv":
        return read_csv(path, [columns.image, columns.sentence, columns.box], problems)
    if source.format == "coco":
        return read_coco(path, columns, problems)
    if source.format == "mdetr":
        return read_mdetr(path, columns, problems)
    return read_transvg(path, problems)


def _in_split(rows: list[Row], file: RowsFile, notes: list[str]) -> list[Row]:
    """A file's split is that of all its rows, whatever they say themselves."""
    if file.split is None:
        return rows
    others = sum(row.split not in (None, file.split) for row in rows)
    if others:
        notes.append(f"{Path(file.file).name}: {others} rows name another split; taken as {file.split}")
    return [replace(row, split=file.split) for row in rows]
