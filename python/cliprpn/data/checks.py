"""Collects problems of a dataset, and checks the records of its files."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cliprpn.errors import CliprpnError

MAX_SHOWN = 20


class Problems:
    """What is wrong with what lies in `root`."""

    def __init__(self, root: Path, what: str = "the data set") -> None:
        self.root = root
        self.what = what
        self.found: list[str] = []

    def add(self, problem: str) -> None:
        self.found.append(problem)

    def raise_if_any(self) -> None:
        """
        Raises:
            CliprpnError: data_invalid, listing the first twenty problems and counting the others.
        """
        if not self.found:
            return
        count = f"{len(self.found)} problem{'s' if len(self.found) > 1 else ''}"
        shown = [f"  {problem}" for problem in self.found[:MAX_SHOWN]]
        more = [f"  and {len(self.found) - MAX_SHOWN} more"] if len(self.found) > MAX_SHOWN else []
        lines = [f"{self.root}: {count} in {self.what}", *shown, *more]
        raise CliprpnError("data_invalid", "\n".join(lines))


Fits = Callable[[Any], bool]


def good_records(
    items: list[Any], fields: Mapping[str, tuple[str, Fits]], where: str, problems: Problems
) -> Iterator[dict[str, Any]]:
    """The records that have every field; each other one is a problem, named by its place in the list.

    Args:
        fields: name to what is expected there, in words and as a test.
        where: the list's file and name, such as `instances.json: images`.
    """
    for position, item in enumerate(items):
        if not isinstance(item, dict):
            problems.add(f"{where}[{position}]: expected an object, found {shown(item)}")
            continue
        wrong = [key for key, (_, fits) in fields.items() if key not in item or not fits(item[key])]
        for key in wrong:
            found = shown(item[key]) if key in item else "none"
            problems.add(f"{where}[{position}]: expected {key} ({fields[key][0]}), found {found}")
        if not wrong:
            yield item


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def is_size(value: Any) -> bool:
    return is_integer(value) and value > 0


def is_text(value: Any) -> bool:
    return isinstance(value, str) and _encodes(value, "strict")


def is_name(value: Any) -> bool:
    return is_text(value) and value != ""


def is_old_text(value: Any) -> bool:
    """Text, or Python 2's bytes as the unpickler gives them: `clean_text` makes text of both."""
    return isinstance(value, str) and _encodes(value, "surrogateescape")


def _encodes(text: str, errors: str) -> bool:
    """JSON and pickles can hold halves of characters, which no file can be written with."""
    try:
        text.encode("utf-8", errors)
    except UnicodeEncodeError:
        return False
    return True


def is_box(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 4 and all(map(_is_number, value))


def shown(value: Any) -> str:
    """A value in a message, cut where it is long, deep or holds itself: a broken file may hold anything."""
    if isinstance(value, int) and not is_integer(value) and not isinstance(value, bool):
        return "a number beyond 64 bits"  # Python refuses to write the largest ones out.
    text = reprlib.repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or is_integer(value)
