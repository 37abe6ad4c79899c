"""Checks the records of untrusted files."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cliprpn.data.problems import Problems

MAX_COORDINATE_PX = 1e7
Record = dict[str, Any]
Check = Callable[[Any], bool]


def valid_records(
    items: list[Any], fields: Mapping[str, tuple[str, Check]], where: str, problems: Problems
) -> Iterator[Record]:
    """Yields the records whose fields are all valid; adds a problem for each invalid field, with the record's index.

    Args:
        fields: name to the expected value, as text and as a check.
        where: file and name of the list, such as `instances.json: images`.
    """
    for position, item in enumerate(items):
        if not isinstance(item, dict):
            found = shorten(item)
            expected = "expected an object"
            problems.add_row(
                f"{where}[{position}]: {expected}, found {found}", f"{where}: {expected}", is_sentence=False
            )
            continue
        invalid = [key for key, (_, is_valid) in fields.items() if key not in item or not is_valid(item[key])]
        for key in invalid[:1] if problems.allow_invalid else invalid:
            found = shorten(item[key]) if key in item else "none"
            expected = f"expected {key} ({fields[key][0]})"
            problems.add_row(
                f"{where}[{position}]: {expected}, found {found}", f"{where}: {expected}", is_sentence=False
            )
        if not invalid:
            yield item


def is_integer(value: Any) -> bool:
    """An integer of 64 bits, as the tables store it; not a bool."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def is_size(value: Any) -> bool:
    """A positive number of whole pixels."""
    return is_integer(value) and value > 0


def is_text(value: Any) -> bool:
    """Text that can be written as UTF-8."""
    return isinstance(value, str) and _can_encode(value, "strict")


def is_name(value: Any) -> bool:
    """Text that is not empty."""
    return is_text(value) and value != ""


def is_python2_text(value: Any) -> bool:
    """Text, or Python 2 bytes as the unpickler returns them; `clean_text` turns both into text."""
    return isinstance(value, str) and _can_encode(value, "surrogateescape")


def is_box(value: Any) -> bool:
    """Four numbers, in any format."""
    return isinstance(value, list | tuple) and len(value) == 4 and all(map(_is_number, value))


def shorten(value: Any) -> str:
    """A value for a message, cut if it is long, deeply nested or contains itself."""
    if isinstance(value, int) and not is_integer(value) and not isinstance(value, bool):
        return "a number that does not fit in 64 bits"  # Python refuses to print the largest ones.
    text = reprlib.repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _can_encode(text: str, errors: str) -> bool:
    """False for lone surrogates, which JSON and pickles can contain but UTF-8 files cannot."""
    try:
        text.encode("utf-8", errors)
    except UnicodeEncodeError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or is_integer(value)
