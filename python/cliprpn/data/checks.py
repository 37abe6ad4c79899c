"""Collects the problems of a dataset, and checks the records of untrusted files."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cliprpn.errors import CliprpnError

MAX_SHOWN = 20
MAX_COORDINATE_PX = 1e7
Record = dict[str, Any]
Check = Callable[[Any], bool]


class Problems:
    """Collects problems, so that a person sees all of them at once. Only the first 20 of each kind are kept.

    Args:
        root: the file or folder that the problems are in.
        what: what is being checked, for the message.
        allow_invalid: whether rows with a problem may be left out; they are counted.
    """

    def __init__(self, root: Path, what: str = "the dataset", allow_invalid: bool = False) -> None:
        self.root = root
        self.what = what
        self.allow_invalid = allow_invalid
        self.left_out = Counter[str]()
        self.hints: list[str] = []
        self._kinds: dict[str, _Kind] = {}

    def add(self, message: str, kind: str = "") -> None:
        """Adds a problem, which stops the preparation.

        Args:
            message: begins with the place in the user's file, such as `rows.jsonl:17: `.
            kind: problems of a kind are shown together, such as "boxes outside their image".
        """
        entry = self._kinds.setdefault(kind, _Kind())
        entry.count += 1
        if len(entry.messages) < MAX_SHOWN:
            entry.messages.append(message)

    def add_row(self, message: str, kind: str) -> None:
        """Adds a problem of one row. With `allow_invalid`, the row is counted as left out instead.

        The caller leaves the row out, and calls this once for each row that it leaves out.
        """
        if self.allow_invalid:
            self.left_out[kind] += 1
        else:
            self.add(message, kind)

    def add_hint(self, message: str) -> None:
        """Adds a problem that explains others; it is shown first."""
        self.hints.append(message)

    @property
    def count(self) -> int:
        """The number of problems so far."""
        return len(self.hints) + sum(entry.count for entry in self._kinds.values())

    @property
    def messages(self) -> list[str]:
        """The hints and the first 20 problems of each kind."""
        return [*self.hints, *(line for entry in self._kinds.values() for line in entry.messages)]

    def raise_if_any(self) -> None:
        """Reports the collected problems.

        Raises:
            CliprpnError: data_invalid; lists the first 20 problems of each kind and counts the rest.
        """
        if self.count == 0:
            return
        lines = [f"{self.root}: {self.count:,} problem{'s' if self.count > 1 else ''} in {self.what}"]
        lines += [f"  {line}" for line in self.hints]
        for kind, entry in self._kinds.items():
            lines += [f"  {line}" for line in entry.messages]
            if entry.count > len(entry.messages):
                lines.append(f"  and {entry.count - len(entry.messages):,} more{f': {kind}' if kind else ''}")
        raise CliprpnError("data_invalid", "\n".join(lines))


@dataclass
class _Kind:
    """Problems of one kind: their number, and the first messages."""

    count: int = 0
    messages: list[str] = field(default_factory=list)


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
