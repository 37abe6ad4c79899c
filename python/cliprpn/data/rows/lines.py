"""Reads JSON Lines and CSV line by line, in bounded memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from cliprpn.data.checks import shorten
from cliprpn.data.json_files import parse_json
from cliprpn.data.problems import Problems

SEPARATORS = (",", ";", "\t")
NOT_JSON = "lines without a JSON object"
MAX_LINE_BYTES = 16 * 2**20
# A file of another format has a problem in every line.
MAX_PROBLEMS = 100_000


def read_jsonl(path: Path, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields location and values of each object; blank lines are skipped."""
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
            continue
        yield where, values


def read_csv(path: Path, required: list[str], problems: Problems) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields location and values of each row; blank rows are skipped.

    The separator is the most frequent one in the header.

    Args:
        required: columns that the header must have.
    """
    line_number = 1

    def lines() -> Iterator[str]:
        nonlocal line_number
        for number, line in read_lines(path, problems):
            line_number = number
            yield line

    remaining = lines()
    first = next(remaining, "")
    separator = max(SEPARATORS, key=first.count)
    try:
        header = [name.strip() for name in next(csv.reader([first], delimiter=separator, strict=True), [])]
        missing = [name for name in required if name not in header]
        if missing or len(set(header)) < len(header):
            problems.add(
                f"{path.name}:1: expected a header row with {', '.join(missing or required)}, each name once, "
                f"found {shorten(', '.join(header))}"
            )
            return
        for values in csv.reader(remaining, delimiter=separator, strict=True):
            where = f"{path.name}:{line_number}"
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(header):
                problems.add_row(
                    f"{where}: expected {len(header)} values as in the header, found {len(values)}; "
                    f'put a value that contains {separator!r} in quotes, such as "1,2,3,4"',
                    "another number of values than in the header",
                )
                continue
            yield where, dict(zip(header, values, strict=True))
    except csv.Error as error:
        problems.add(f"{path.name}:{line_number}: expected CSV: {error}; is a closing quote missing?")


def read_lines(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Yields number and text of each line, with its line break; a line that is too long or not UTF-8 is a problem."""
    with path.open("rb") as file:
        for number in count(1):
            line = file.readline(MAX_LINE_BYTES + 1)
            if not line:
                return
            if problems.count > MAX_PROBLEMS:
                problems.add(f"{path.name}:{number}: the rest of the file was not read")
                return
            if len(line) > MAX_LINE_BYTES:
                problems.add_row(
                    f"{path.name}:{number}: expected a line of at most {MAX_LINE_BYTES:,} bytes",
                    "lines that are too long",
                )
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE_BYTES)
                continue
            if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
                problems.add(f"{path.name}:1: expected UTF-8, found UTF-16; save the file as UTF-8")
                return
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                byte = f"0x{line[error.start]:02x}"
                problems.add_row(
                    f"{path.name}:{number}: expected UTF-8, found byte {byte} at {error.start + 1}; "
                    "save the file as UTF-8",
                    "lines that are not UTF-8",
                )
