"""Values that say one thing many times over: small in a pickle, endless for whoever reads all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cliprpn.errors import CliprpnError

MAX_EXPANDED = 50_000_000


def refuse_endless(value: Any, path: Path) -> None:
    """
    Raises:
        CliprpnError: data_invalid, when a value holds itself, or has more entries than a file would have that
            wrote each of them out; text counts by its length.
    """
    sizes: dict[int, int | None] = {}  # By id; None while its parts are counted.
    open_values = [value]
    while open_values:
        top = open_values[-1]
        parts = _parts(top)
        if id(top) not in sizes:
            sizes[id(top)] = None
            for part in parts:
                if isinstance(part, list | tuple | dict):
                    if id(part) not in sizes:
                        open_values.append(part)
                    elif sizes[id(part)] is None:
                        raise _endless(path, "one that holds itself")
            continue
        open_values.pop()
        if sizes[id(top)] is None:
            size = 1 + sum(sizes.get(id(part)) or _leaf_size(part) for part in parts)
            if size > MAX_EXPANDED:
                raise _endless(path, f"one with more than {MAX_EXPANDED:,} entries when written out")
            sizes[id(top)] = size


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return list(value) if isinstance(value, list | tuple) else []


def _leaf_size(value: Any) -> int:
    return 1 + len(value) // 16 if isinstance(value, str | bytes | set | frozenset) else 1


def _endless(path: Path, found: str) -> CliprpnError:
    return CliprpnError("data_invalid", f"{path}: expected a value of plain rows, found {found}")
