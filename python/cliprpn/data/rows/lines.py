"""Reads JSON Lines line by line, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.data.annotation_files import open_annotations
from cliprpn.data.checks import shorten
from cliprpn.data.json_files import parse_json
from cliprpn.data.problems import Problems
from cliprpn.data.rows.nested import rows_below
from cliprpn.data.rows.text_lines import read_lines

NOT_JSON = "lines without a JSON object"


def read_jsonl(path: Path, rows_key: str | None, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields location and values of each object; blank lines are skipped.

    Args:
        rows_key: of the list of rows inside each object, with dots for nested objects; None if each object is a row.
    """
    for number, line in read_lines(path, problems):
        where = f"{path.name}:{number}"
        if not line.strip():
            continue
        try:
            values = parse_json(line)
        except ValueError as error:
            problems.add_row(f"{where}: expected a JSON object: {error}", NOT_JSON)
            continue
        if not isinstance(values, dict):
            problems.add_row(f"{where}: expected a JSON object, found {shorten(values)}", NOT_JSON)
        elif rows_key is None:
            yield where, values
        else:
            for row in rows_below(values, rows_key, where, problems):
                yield where, row


def holds_json_document(path: Path) -> bool:
    """Whether a file of JSON Lines is in fact one JSON document: a list, or an object over several lines."""
    with open_annotations(path) as file:
        start = file.read(64).decode("utf-8", "ignore").lstrip("\ufeff \t\r\n")
    return start.startswith("[") or (start[:1] == "{" and start[1:].lstrip(" \t\r").startswith("\n"))
