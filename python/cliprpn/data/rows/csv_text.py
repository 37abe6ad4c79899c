"""CSV with a header row; the separator is the one that the header has most of."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from cliprpn.data.problems import Problems
from cliprpn.data.records import shown
from cliprpn.data.rows.lines import read_lines

SEPARATORS = (",", ";", "\t")


def read_csv(path: Path, wanted: list[str], problems: Problems) -> Iterator[tuple[str, dict[str, str]]]:
    """Where it stands and what it says, for each row; rows that are blank are passed over.

    Args:
        wanted: columns that the header must have.
    """
    at = 1

    def lines() -> Iterator[str]:
        nonlocal at
        for number, line in read_lines(path, problems):
            at = number
            yield line

    text = lines()
    first = next(text, "")
    separator = max(SEPARATORS, key=first.count)
    try:
        header = [name.strip() for name in next(csv.reader([first], delimiter=separator, strict=True), [])]
        missing = [name for name in wanted if name not in header]
        if missing or len(set(header)) < len(header):
            problems.add(
                f"{path.name}:1: expected a header row with {', '.join(missing or wanted)}, each name once, "
                f"found {shown(', '.join(header))}"
            )
            return
        for values in csv.reader(text, delimiter=separator, strict=True):
            where = f"{path.name}:{at}"
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(header):
                problems.add(
                    f"{where}: expected {len(header)} values as in the header, found {len(values)}; "
                    f'a value that holds {separator!r} stands in quotes, such as "1,2,3,4"'
                )
                continue
            yield where, dict(zip(header, values, strict=True))
    except csv.Error as error:
        problems.add(f"{path.name}:{at}: expected CSV: {error}; is a quote left open?")
