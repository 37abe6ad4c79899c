"""Keeps the expressions that a list names: by `sent_id`, `ref_id` or `ann_id`, or a list of reviewed annotations."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from cliprpn.contract.generated import RowsFile
from cliprpn.data.kept_ids import IDS, KeptIds, read_kept_ids
from cliprpn.errors import CliprpnError


class Expression(Protocol):
    """What lists can name; None where it is unknown. An object without a sentence is none and is always kept."""

    @property
    def image_id(self) -> int | str | None: ...
    @property
    def ann_id(self) -> int | str | None: ...
    @property
    def ref_id(self) -> int | str | None: ...
    @property
    def sent_id(self) -> int | str | None: ...
    @property
    def sentence(self) -> str | None: ...
    @property
    def split(self) -> str | None: ...


T = TypeVar("T", bound=Expression)


@dataclass
class _List:
    """The ids of a file, for all expressions or for those of a split."""

    name: str
    split: str | None
    ids: KeptIds
    key_of: Callable[[Expression], Hashable]


def keep_only(items: Sequence[T], files: Sequence[RowsFile], notes: list[str]) -> list[T]:
    """The expressions that a list names, and those of splits for which there is no list.

    Args:
        notes: lines are appended that say how many are kept, and how many ids of a list are unknown.

    Raises:
        CliprpnError: data_invalid, if a file is not a list of ids, or names none of the expressions.
    """
    lists = [_read_list(file) for file in files]
    matched: list[set[Hashable]] = [set() for _ in lists]
    kept: list[T] = []
    num_expressions = num_kept = 0
    for item in items:
        if item.sentence is None:
            kept.append(item)
            continue
        num_expressions += 1
        is_listed = False
        is_free = True
        for entry, found in zip(lists, matched, strict=True):
            if entry.split not in (None, item.split):
                continue
            is_free = False
            key = entry.key_of(item)
            if key in entry.ids.keys:
                is_listed = True
                found.add(key)
        if is_listed or is_free:
            num_kept += 1
            kept.append(item)
    for entry, found in zip(lists, matched, strict=True):
        if not found:
            raise _nothing_found(entry, items)
        num_unknown = len(entry.ids.keys) - len(found)
        if num_unknown:
            notes.append(f"{entry.name}: {num_unknown:,} of {len(entry.ids.keys):,} ids are not in the data")
    names = ", ".join(entry.name for entry in lists)
    notes.append(f"{num_kept:,} of {num_expressions:,} expressions are kept (--only {names})")
    return kept


def _read_list(file: RowsFile) -> _List:
    path = Path(file.file)
    if not path.is_file():
        raise CliprpnError("data_invalid", f"{path}: expected a file with ids (--only), found none")
    try:
        ids = read_kept_ids(path)
    except OSError as error:
        raise CliprpnError("data_invalid", f"{path}: expected a readable file: {error}") from error
    return _List(path.name, file.split, ids, _key_of(ids.fields))


def _key_of(fields: tuple[str, ...]) -> Callable[[Expression], Hashable]:
    def key(item: Expression) -> Hashable:
        values = tuple(getattr(item, field) for field in fields)
        return tuple(value.strip() if isinstance(value, str) else value for value in values)

    return key


def _nothing_found(entry: _List, items: Sequence[Expression]) -> CliprpnError:
    in_split = [item for item in items if item.sentence is not None and entry.split in (None, item.split)]
    if not in_split:
        found = f"no expression of the split {entry.split}"
    else:
        first = in_split[0]
        values = ", ".join(f"{field} {getattr(first, field)!r}" for field in entry.ids.fields)
        found = f"none of them in the data, whose first expression has {values[:200]}"
        if all(getattr(first, field) is None for field in entry.ids.fields if field in IDS):
            found += "; the annotations must have these ids"
    fields = ", ".join(entry.ids.fields)
    return CliprpnError(
        "data_invalid",
        f"{entry.name}: expected ids of expressions ({fields}), found {len(entry.ids.keys):,} ids and {found}",
    )
