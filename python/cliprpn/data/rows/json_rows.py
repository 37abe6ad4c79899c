"""Reads rows from a JSON document: a list, a list below a key, or an object of rows or of columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.data.checks import Record, shorten
from cliprpn.data.problems import Problems
from cliprpn.data.rows.fields import Fields
from cliprpn.data.rows.json_document import Child, JsonDocument
from cliprpn.data.rows.lines import read_jsonl
from cliprpn.data.rows.nested import rows_below
from cliprpn.data.rows.split_names import split_named

IMAGE_ENDING = re.compile(r"\.(jpe?g|png|webp|gif|tiff?|bmp|avif)$", re.IGNORECASE)
Located = tuple[str, Record]


def read_json_rows(
    path: Path, rows_key: str | None, fields: Fields, notes: list[str], problems: Problems
) -> Iterator[Located]:
    """Yields location and values of each row.

    Args:
        rows_key: of the list of rows, with dots for nested objects; None if the document has only one that it can be.
        notes: a line is appended for each choice that the file does not make certain.

    Raises:
        CliprpnError: data_invalid, if it is not JSON, or it is not certain where the rows are.
    """
    document = JsonDocument(path)
    if document.is_json_lines:
        yield from read_jsonl(path, rows_key, problems)
        return
    top, is_object = document.top()
    keys = [] if rows_key is None else rows_key.split(".")
    if is_object and keys:
        children, keys = _descend(document, top, keys)
        yield from _rows(document, children, ".".join(keys), fields, problems)
    elif is_object:
        yield from _rows_of_object(document, top, fields, notes, problems)
    else:
        yield from _rows(document, top, rows_key or "", fields, problems)


def _descend(document: JsonDocument, children: list[Child], keys: list[str]) -> tuple[list[Child], list[str]]:
    """The entries at the first keys of `--rows`, and the keys that lead on inside each entry."""
    for position, key in enumerate(keys):
        child = next((child for child in children if child.key == key), None)
        if child is None:
            if children and all(isinstance(child.value, dict) for child in children):
                return children, keys[position:]  # An object of objects, such as one for each image.
            raise document.error(f"expected the key {key!r} of --rows, found {_keys(children)}")
        if not isinstance(child.value, list | dict):
            raise document.error(f"--rows {key}: expected a list of rows, found {shorten(child.value)}")
        children = document.children(child)
        if isinstance(child.value, list):
            return children, keys[position + 1 :]
    return children, []


def _rows(
    document: JsonDocument,
    children: list[Child],
    rest: str,
    fields: Fields,
    problems: Problems,
    outer: Any = None,
) -> Iterator[Located]:
    """The rows that entries are, or that are below a key of each."""
    for child in children:
        where = document.where(child)
        value = child.value
        if not isinstance(value, dict):
            problems.add_row(f"{where}: expected an object, found {shorten(value)}", "expected an object")
            continue
        around = {**(outer or {}), **_named_after(child.key, fields)}
        found = rows_below(value, rest, where, problems) if rest else [value]
        for row in found:
            missing = {key: name for key, name in around.items() if fields.lacks(key, row)}
            yield where, {**{fields.name(key): name for key, name in missing.items()}, **row}


def _named_after(key: str | int, fields: Fields) -> Record:
    """What the key of a row in an object says about it: its image."""
    return {"image": key} if isinstance(key, str) and IMAGE_ENDING.search(key) else {}


def _rows_of_object(
    document: JsonDocument, children: list[Child], fields: Fields, notes: list[str], problems: Problems
) -> Iterator[Located]:
    """The rows of an object without `--rows`."""
    names = [str(child.key) for child in children]
    values = {str(child.key): child.value for child in children}
    if {"images", "annotations"} <= values.keys():
        first = values["images"][:1] if isinstance(values["images"], list) else []
        is_mdetr = any(isinstance(image, dict) and "caption" in image for image in first)
        raise document.error(
            f"expected a list of rows, found COCO's JSON; use --format {'mdetr' if is_mdetr else 'coco'}"
        )
    table = _table(values, fields)
    if table is not None:
        for position, row in enumerate(table):
            yield f"{document.name}[{position}]", row
        return
    if fields.is_complete(names):
        yield f"{document.name}:1", values
        return
    lists = [child for child in children if _is_list_of_objects(child.value)]
    if lists and all(split_named(child.key) for child in lists):
        for child in lists:
            yield from _rows(document, document.children(child), "", fields, problems, {"split": child.key})
    elif lists and len(lists) == len(children) and all(IMAGE_ENDING.search(name) for name in names):
        for child in lists:
            yield from _rows(document, document.children(child), "", fields, problems, {"image": child.key})
    elif len(lists) == 1:
        notes.append(f"{document.name}: the rows are read from {lists[0].key!r}, the only list of objects")
        yield from _rows(document, document.children(lists[0]), "", fields, problems)
    elif lists:
        ways = " or ".join(f"--rows {child.key}" for child in lists[:10])
        raise document.error(f"expected one list of rows, found {len(lists)}; choose with {ways}")
    elif children and all(isinstance(child.value, dict) for child in children):
        yield from _rows(document, children, "", fields, problems)
    else:
        raise document.error(
            f"expected a list of rows, found {_keys(children)}; use --rows KEY if they are below one of these"
        )


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(entry, dict) for entry in value)


def _table(values: Record, fields: Fields) -> list[Record] | None:
    """The rows of a table by column, or as pandas writes it; None if the object is something else."""
    columns, data = values.get("columns"), values.get("data")
    has_columns = isinstance(columns, list) and all(isinstance(name, str) for name in columns)
    if has_columns and isinstance(data, list):
        return [dict(zip(columns or [], row, strict=False)) for row in data if isinstance(row, list)]
    if not fields.is_complete(list(values)):
        return None
    lengths = {len(value) for value in values.values() if isinstance(value, list)}
    if all(isinstance(value, list) for value in values.values()) and len(lengths) == 1:
        return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
    first = next(iter(values.values()))
    if all(isinstance(value, dict) and value.keys() == first.keys() for value in values.values()):
        return [{name: value[key] for name, value in values.items()} for key in first]
    return None


def _keys(children: list[Child]) -> str:
    text = ", ".join(repr(str(child.key)[:40]) for child in children[:20])
    return f"an object with {text}{', ...' if len(children) > 20 else ''}" if children else "an empty one"
