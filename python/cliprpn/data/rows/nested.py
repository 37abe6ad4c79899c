"""Rows inside an object, such as the regions of an image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cliprpn.data.checks import Record, shorten
from cliprpn.data.problems import Problems


def rows_below(value: Record, rows_key: str, where: str, problems: Problems) -> Iterator[Record]:
    """The rows at a key of an object; each also has the values of the objects around it.

    Args:
        rows_key: with dots for nested objects; a list on the way is followed entry by entry.
        where: file and line, for the problems.
    """
    yield from _follow(value, rows_key.split("."), {}, f"{where}: {rows_key}", problems)


def _follow(value: Any, keys: list[str], outer: Record, where: str, problems: Problems) -> Iterator[Record]:
    if isinstance(value, list):
        for entry in value:
            yield from _follow(entry, keys, outer, where, problems)
        return
    if not isinstance(value, dict):
        problems.add_row(f"{where}: expected an object, found {shorten(value)}", "expected an object")
        return
    if not keys:
        yield {**outer, **value}
        return
    if keys[0] not in value:
        problems.add_row(
            f"{where}: expected the key {keys[0]!r} of --rows, found {shorten(', '.join(map(str, value)))}",
            "expected the key of --rows",
        )
        return
    rest = {key: entry for key, entry in value.items() if key != keys[0]}
    yield from _follow(value[keys[0]], keys[1:], {**outer, **rest}, where, problems)
