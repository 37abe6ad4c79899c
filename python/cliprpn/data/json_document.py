"""A JSON file, decoded entry by entry, so that each has a line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cliprpn.data.checks import shorten
from cliprpn.data.json_files import read_text, unique_keys
from cliprpn.errors import CliprpnError

SPACE = re.compile(r"[ \t\n\r]*")
# Entries in a file with longer lines are named by their position too.
MAX_CHARS_PER_LINE = 1000


@dataclass(frozen=True)
class Child:
    """An entry of a list or of an object.

    Attributes:
        key: its position or its name.
        start: of the value, in the text.
        label: its place in the document, such as `commands.3`.
    """

    key: str | int
    value: Any
    start: int
    label: str


class JsonDocument:
    """The text of a JSON file.

    Raises:
        CliprpnError: data_invalid, if it is not text; so do the methods, if it is not JSON.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._text = read_text(path)
        self._decoder = json.JSONDecoder(object_pairs_hook=unique_keys)
        num_lines = self._text.count("\n") + 1
        self._has_long_lines = len(self._text) > MAX_CHARS_PER_LINE * num_lines or num_lines <= 2
        self._counted = (0, 1)  # A position and its line.

    @property
    def is_json_lines(self) -> bool:
        """Whether the first line is an object, and other values follow."""
        start = self._skip(0)
        if not self._text.startswith("{", start):
            return False
        try:
            _, end = self._decoder.raw_decode(self._text, start)
        except (ValueError, RecursionError):
            return False
        return self._skip(end) < len(self._text) and "\n" not in self._text[start:end]

    def top(self) -> tuple[list[Child], bool]:
        """The entries of the document, and whether it is an object; several values are a list."""
        start = self._skip(0)
        opening = self._text[start : start + 1]
        if opening not in ("[", "{"):
            found = shorten(self._text[start : start + 60]) if opening else "an empty file"
            raise self.error(f"expected JSON with a list of rows, found {found}")
        children, end = self._entries(start, "")
        if self._skip(end) == len(self._text):
            return children, opening == "{"
        if opening == "[":
            raise self._broken("Extra data", self._skip(end))
        values: list[Child] = []
        while start < len(self._text):
            value, end = self._decode(start)
            values.append(Child(len(values), value, start, str(len(values))))
            start = self._skip(end)
        return values, False

    def children(self, parent: Child) -> list[Child]:
        """The entries of a list or of an object."""
        return self._entries(parent.start, parent.label)[0]

    def where(self, child: Child) -> str:
        """File and line of an entry; with its place if lines are long."""
        start, line = self._counted if self._counted[0] <= child.start else (0, 1)
        line += self._text.count("\n", start, child.start)
        self._counted = (child.start, line)
        return f"{self.name}:{line}{f'[{child.label}]' if self._has_long_lines else ''}"

    def error(self, problem: str) -> CliprpnError:
        """An error about the whole document."""
        return CliprpnError("data_invalid", f"{self._path}: {problem}")

    def _entries(self, start: int, label: str) -> tuple[list[Child], int]:
        """The entries of the list or object at a position, and the position after it."""
        is_object = self._text[start] == "{"
        closing = "}" if is_object else "]"
        entries: list[Child] = []
        keys: set[str] = set()
        at = self._skip(start + 1)
        if self._text.startswith(closing, at):
            return entries, at + 1
        while True:
            key: str | int = len(entries)
            if is_object:
                if not self._text.startswith('"', at):
                    raise self._broken("Expecting property name enclosed in double quotes", at)
                key, at = self._decode(at)
                if key in keys:
                    raise self._broken(f"duplicate key {str(key)[:40]!r} in an object", at)
                keys.add(str(key))
                at = self._skip(at)
                if not self._text.startswith(":", at):
                    raise self._broken("Expecting ':' delimiter", at)
                at = self._skip(at + 1)
            value, end = self._decode(at)
            place = f"{label}.{key}" if label else str(key)
            entries.append(Child(key, value, at, place[:80]))
            at = self._skip(end)
            if self._text.startswith(closing, at):
                return entries, at + 1
            if not self._text.startswith(",", at):
                raise self._broken("Expecting ',' delimiter", at)
            at = self._skip(at + 1)

    def _decode(self, start: int) -> tuple[Any, int]:
        try:
            return self._decoder.raw_decode(self._text, start)
        except json.JSONDecodeError as error:
            raise self._broken(error.msg, error.pos) from error
        except RecursionError as error:
            raise self._broken("lists or objects nested too deep", start) from error
        except ValueError as error:
            raise self._broken(str(error), start) from error

    def _skip(self, start: int) -> int:
        """The next position that is no white space."""
        match = SPACE.match(self._text, start)
        return start if match is None else match.end()

    def _broken(self, problem: str, at: int) -> CliprpnError:
        line = self._text.count("\n", 0, at) + 1
        column = at - self._text.rfind("\n", 0, at)
        return CliprpnError("data_invalid", f"{self._path}:{line}:{column}: expected JSON: {problem}")
