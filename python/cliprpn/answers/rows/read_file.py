"""Reads a file of answers: its format by its content, and what each row says."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from cliprpn.answers.answer_row import NO_ANSWER, AnswerFile, AnswerRow
from cliprpn.answers.files.records import read_records
from cliprpn.answers.rows.read_rows import read_rows
from cliprpn.answers.rows.recognize import recognize
from cliprpn.contract.generated import AnswerReading
from cliprpn.data.checks import shorten
from cliprpn.errors import CliprpnError

CHUNK_BYTES = 2**20


def read_answer_file(path: Path, reading: AnswerReading) -> AnswerFile:
    """
    Raises:
        CliprpnError: not_found; data_invalid, with file and line, if the file is broken, or a column is missing;
            bad_input, if `reading.columns` names a field that there is not.
    """
    notes: list[str] = []
    sha256, state = _sha256(path), _state(path)
    records = read_records(path, notes)
    if _state(path) != state:
        raise CliprpnError("data_invalid", f"{path}: changed while it was read; run the command again")
    name = reading.format or recognize(records)
    rows, coordinates, notes_on_rows = read_rows(name, records, reading.columns or {})
    if all(row.box is None and not row.unparsed for row in rows):
        found = shorten(", ".join(map(str, records[0][1])))
        raise CliprpnError(
            "data_invalid",
            f"{records[0][0]}: expected predicted boxes, such as columns pred_x1, pred_y1, pred_x2, pred_y2, a box as "
            f"bbox, or a text as answer; found {found}; name them with --columns box=..., or text=...",
        )
    rows = [_without_empty_box(row) for row in rows]
    if all(row.box is None for row in rows):
        example = next(row for row in rows if row.unparsed)
        raise CliprpnError(
            "data_invalid",
            f"{example.where}: expected a box in some answer, found none in {len(rows):,} rows; the first answer is "
            f"{shorten(example.text)}. A box is four numbers, such as [10.5, 20, 110, 220]",
        )
    return AnswerFile(name, rows, coordinates, sha256, [*notes, *notes_on_rows])


def _without_empty_box(row: AnswerRow) -> AnswerRow:
    return (
        replace(row, box=None, unparsed=True, text=row.text or "0, 0, 0, 0") if row.box == NO_ANSWER else row
    )


def _sha256(path: Path) -> str:
    """Of a file; of nothing where there is none, which reading it reports."""
    digest = hashlib.sha256()
    if path.is_file():
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()


def _state(path: Path) -> tuple[int, int] | None:
    return (path.stat().st_size, path.stat().st_mtime_ns) if path.is_file() else None
