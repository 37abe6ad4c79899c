"""The value of each field of a record: under the usual names of its format, or the names that a person gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from cliprpn.answers.format_keys import Keys
from cliprpn.data.checks import Record, shorten
from cliprpn.detectors.results.keys import Fields, normalized
from cliprpn.errors import CliprpnError

# What people can name with --columns.
FIELD_NAMES = ("sent_id", "image", "expression", "box", "text", "score", "gt", "split", "width", "height")
# In place of a column's name, for a field that is not to be read.
NO_COLUMN = "-"
# By field, the paths of the columns that a person named.
Given = Mapping[str, list[list[str]]]


def given_paths(columns: Mapping[str, str]) -> Given:
    """Paths of the columns that a person named, by field."""
    for name in columns:
        if name not in FIELD_NAMES:
            raise CliprpnError(
                "bad_input", f"--columns {name}: expected one of the fields {', '.join(FIELD_NAMES)}"
            )
    return {name: [part.strip().split(".") for part in value.split("+")] for name, value in columns.items()}


class RowFields:
    """The fields of a record.

    Attributes:
        fields: by normalized keys.
    """

    def __init__(self, where: str, record: Record, keys: Keys, given: Given) -> None:
        self.where, self.record, self.given = where, record, given
        self.fields = normalized(record)
        self._present = _present(keys, frozenset(self.fields))

    def value(self, name: str) -> Any:
        """
        Raises:
            CliprpnError: data_invalid, if the record lacks a column that was named.
        """
        if name not in self.given:
            return _first(self.fields, self._present[name])
        if self.given[name] == [[NO_COLUMN]]:
            return None
        values = [_at(self.record, path, self.where) for path in self.given[name]]
        return values[0] if len(values) == 1 else values


@lru_cache(256)
def _present(keys: Keys, names: frozenset[str]) -> dict[str, list[str | tuple[str, ...]]]:
    """The keys of each field that rows with these names have; most rows of a file have the same names."""
    return {
        field: [
            key
            for key in getattr(keys, field)
            if (key in names if isinstance(key, str) else names.issuperset(key))
        ]
        for field in FIELD_NAMES
    }


def _first(fields: Fields, keys: Sequence[str | tuple[str, ...]]) -> Any:
    """The value of the first key, or of the first four keys, that is not empty; the row has all of them."""
    for key in keys:
        if isinstance(key, str):
            if fields[key] not in (None, ""):
                return fields[key]
        else:
            sides = [fields[side] for side in key]
            return None if all(side in (None, "") for side in sides) else sides
    return None


def _at(record: Record, path: Sequence[str], where: str) -> Any:
    """The value at a path of keys, and of positions in lists."""
    value: Any = record
    for position, key in enumerate(path):
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and len(key) < 6 and int(key) < len(value):
            value = value[int(key)]
        elif position == 0:
            raise CliprpnError(
                "data_invalid",
                f"{where}: expected a field {key!r} (--columns), found {shorten(', '.join(map(str, record)))}",
            )
        else:
            return None
    return value
