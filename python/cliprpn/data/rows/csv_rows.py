"""Reads CSV and TSV line by line, in bounded memory."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cliprpn.data.checks import shorten
from cliprpn.data.problems import Problems
from cliprpn.data.rows.box_values import NUMBER, parse_box_text
from cliprpn.data.rows.fields import Fields
from cliprpn.data.rows.text_lines import read_lines

SEPARATORS = (",", ";", "\t", "|")
# The first line that Excel writes to name the separator.
EXCEL_SEPARATOR = re.compile(r"sep=([,;|:\t ])\s*", re.IGNORECASE)


def read_csv(path: Path, fields: Fields, problems: Problems) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields location and values of each row; blank rows are skipped.

    The separator is the one that gives the names of the columns, or else the most frequent one in the header.

    Args:
        fields: finds the columns; a header without the required ones is a problem.
    """
    line_number = 1

    def lines() -> Iterator[str]:
        nonlocal line_number
        for number, line in read_lines(path, problems):
            line_number = number
            yield line

    remaining = lines()
    first = next(remaining, "")
    named = EXCEL_SEPARATOR.fullmatch(first)
    if named is not None:
        first = next(remaining, "")
    separator = _separator(first, path, fields) if named is None else named.group(1)
    try:
        header = _header(first, separator)
        if (problem := _header_problem(header, separator, fields)) is not None:
            problems.add(f"{path.name}:{line_number}: {problem}")
            return
        box_columns = _decimal_columns(header, separator, fields)
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
            row = {name: value for name, value in zip(header, values, strict=True) if name}
            yield where, row | {name: row[name].replace(",", ".") for name in box_columns}
    except csv.Error as error:
        problems.add(
            f"{path.name}:{line_number}: expected CSV: {_printable(error)}; is a closing quote missing?"
        )


def _decimal_columns(header: list[str], separator: str, fields: Fields) -> list[str]:
    """The four columns of a box in a table with semicolons, where a comma in a number is a decimal one for certain."""
    paths = fields.places(tuple(header)).paths.get("box", [])
    return [path[0] for path in paths if len(paths) == 4 and separator == ";" and path[0] in header]


def _printable(error: csv.Error) -> str:
    return str(error).replace("\t", "\\t")


def _separator(first: str, path: Path, fields: Fields) -> str:
    candidates = sorted(SEPARATORS, key=first.count, reverse=True)
    for separator in candidates:
        try:
            if fields.is_complete(_header(first, separator)):
                return separator
        except csv.Error:
            continue
    return "\t" if ".tsv" in path.name.lower() else candidates[0]


def _header(first: str, separator: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([first], delimiter=separator, strict=True), [])]


def _header_problem(header: list[str], separator: str, fields: Fields) -> str | None:
    """Why these are not the names of columns; None if they are."""
    missing = fields.missing(header)
    if header and header[0].startswith(("{", "[{")):
        return f"expected CSV, found JSON; use --format json or jsonl: {shorten(', '.join(header))}"
    found = f"found {shorten(', '.join(header))}"
    if missing and _looks_like_a_row(header):
        names = separator.join(("image", "sentence", "box"))
        return f"expected a header row, found a row of values; put a line such as {names!r} first; {found}"
    if missing:
        reasons = "; ".join(f"{key}: {reason}" for key, reason in missing.items())
        return f"expected a header row with {', '.join(missing)}, each name once, found {reasons}"
    repeated = [name for name, count in Counter(name for name in header if name).items() if count > 1]
    return f"expected each name once in the header, found {', '.join(repeated)} twice" if repeated else None


def _looks_like_a_row(header: list[str]) -> bool:
    """Whether the first row has a box, numbers or the name of an image instead of names of columns."""
    return any(
        NUMBER.fullmatch(value)
        or (parse_box_text(value) is not None and len(value) > 6)
        or re.search(r"\.(jpe?g|png|webp|gif|tiff?|bmp|avif)$", value, re.IGNORECASE)
        for value in header
    )
