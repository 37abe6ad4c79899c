"""Collects the problems of a dataset, and checks the records of untrusted files."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cliprpn.errors import CliprpnError

MAX_SHOWN = 20
MAX_COORDINATE_PX = 1e7
Record = dict[str, Any]
Check = Callable[[Any], bool]


class Problems:
    """Collects problems, so that a person sees all of them at once.

    Args:
        root: the file or folder that the problems are in.
        what: what is being checked, for the message.
    """

    def __init__(self, root: Path, what: str = "the dataset") -> None:
        self.root = root
        self.what = what
        self.messages: list[str] = []

    def add(self, message: str) -> None:
        self.messages.append(message)

    def raise_if_any(self) -> None:
        """Reports the collected problems.

        Raises:
            CliprpnError: data_invalid; lists the first 20 problems and counts the rest.
        """
        if not self.messages:
            return
        count = f"{len(self.messages)} problem{'s' if len(self.messages) > 1 else ''}"
        lines = [f"{self.root}: {count} in {self.what}", *(f"  {line}" for line in self.messages[:MAX_SHOWN])]
        if len(self.messages) > MAX_SHOWN:
            lines.append(f"  and {len(self.messages) - MAX_SHOWN} more")
        raise CliprpnError("data_invalid", "\n".join(lines))


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
            problems.add(f"{where}[{position}]: expected an object, found {shorten(item)}")
            continue
        invalid = [key for key, (_, is_valid) in fields.items() if key not in item or not is_valid(item[key])]
        for key in invalid:
            found = shorten(item[key]) if key in item else "none"
            problems.add(f"{where}[{position}]: expected {key} ({fields[key][0]}), found {found}")
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
