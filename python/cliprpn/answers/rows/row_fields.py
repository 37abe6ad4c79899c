"""The value of each field of a record: under the usual names of its format, or the names that a person gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from cliprpn.answers.rows.format_keys import Keys
from cliprpn.data.checks import Record, shorten
from cliprpn.detectors.results.keys import normalized
from cliprpn.errors import CliprpnError

# What people can name with --columns.
FIELD_NAMES = ("sent_id", "image", "expression", "box", "text", "score", "gt", "split", "width", "height")
# What formats have besides.
OTHER_FIELDS = ("hw", "gemini_box")
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
    """The fields of a record."""

    def __init__(self, where: str, record: Record, keys: Keys, given: Given) -> None:
        self.where, self.record, self.given = where, record, given
        self._present = _present(keys, tuple(record))

    def value(self, name: str) -> Any:
        """
        Args:
            name: one of `FIELD_NAMES` or `OTHER_FIELDS`.

        Raises:
            CliprpnError: data_invalid, if the record lacks a column that was named.
        """
        if name not in self.given:
            return _first(self.record, self._present[name])
        if self.given[name] == [[NO_COLUMN]]:
            return None
        values = [_at(self.record, path, self.where) for path in self.given[name]]
        return values[0] if len(values) == 1 else values


@lru_cache(256)
def _present(keys: Keys, names: tuple[str, ...]) -> dict[str, list[str | list[str]]]:
    """By field, the names that count in a record with these names; most records of a file have the same names."""
    name_of = normalized({name: name for name in names})
    present: dict[str, list[str | list[str]]] = {field: [] for field in (*FIELD_NAMES, *OTHER_FIELDS)}
    for field, found in present.items():
        for key in getattr(keys, field):
            if isinstance(key, tuple) and all(side in name_of for side in key):
                found.append([name_of[side] for side in key])
            elif key in name_of:
                found.append(name_of[key])
    return present


def _first(record: Record, names: Sequence[str | list[str]]) -> Any:
    """The value under the first name, or under the first four names, that is not empty; the record has all of them."""
    for name in names:
        if isinstance(name, str):
            if record[name] not in (None, ""):
                return record[name]
        else:
            sides = [record[side] for side in name]
            return None if all(side in (None, "") for side in sides) else sides
    return None


def _at(record: Record, path: Sequence[str], where: str) -> Any:
    """The value at a path of keys, and of positions in lists; a column may have dots in its name."""
    name = ".".join(path)
    if name in record:
        return record[name]
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
