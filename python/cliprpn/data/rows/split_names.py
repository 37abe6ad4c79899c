"""Reads the splits of rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cliprpn.data.rows.values import is_blank
from cliprpn.data.split_names import split_named


class SplitNames:
    """Reads the splits of rows, and counts the names that had to be translated."""

    def __init__(self) -> None:
        self._translated = Counter[tuple[str, str]]()

    def read(self, value: Any) -> tuple[str | None, bool]:
        """The split, None for a row without one; and whether the value is valid."""
        if is_blank(value):
            return None, True
        split = split_named(value)
        if split is not None and split != value:
            self._translated[value, split] += 1
        return split, split is not None

    def notes(self) -> list[str]:
        """One line for each name."""
        return [
            f"split {name!r}: taken as {split} in {count:,} rows"
            for (name, split), count in self._translated.items()
        ]
