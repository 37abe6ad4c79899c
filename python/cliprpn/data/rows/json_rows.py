"""Reads rows from a JSON document: a list, a list below a key, or an object of rows or of columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.data.checks import Record, shorten
from cliprpn.data.json_document import Child, JsonDocument
from cliprpn.data.problems import Problems
from cliprpn.data.rows.fields import Fields
from cliprpn.data.rows.lines import read_jsonl
from cliprpn.data.rows.nested import rows_below
from cliprpn.data.split_names import split_named

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
    if rest == "" and any(_is_label_studio(child.value) for child in children[:1]):
        raise document.error(
            "expected rows, found Label Studio's JSON, in which boxes and texts are separate results; export the "
            "project as JSON-MIN or COCO"
        )
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


def _is_label_studio(value: Any) -> bool:
    """Whether an entry is a task of Label Studio, with its results in `annotations`."""
    tasks = value.get("annotations", value.get("completions")) if isinstance(value, dict) else None
    return isinstance(tasks, list) and any(isinstance(task, dict) and "result" in task for task in tasks)


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
    table = _table(document, values, fields)
    if table is not None:
        for position, row in enumerate(table):
            yield f"{document.name}[{position}]", row
        return
    if fields.is_complete(names):
        yield f"{document.name}:1", values
        return
    lists = [child for child in children if _is_list_of_objects(child.value)]
    if lists and all(split_named(child.key) for child in lists):
        for child in children:
            if split_named(child.key) and isinstance(child.value, list | dict):
                yield from _rows(
                    document, document.children(child), "", fields, problems, {"split": child.key}
                )
    elif children and all(IMAGE_ENDING.search(name) for name in names):
        for child in children:
            inside = document.children(child) if isinstance(child.value, list) else [child]
            yield from _rows(document, inside, "", fields, problems, {"image": child.key})
    elif len(lists) == 1:
        notes.append(f"{document.name}: the rows are read from {lists[0].key!r}, the only list of objects")
        yield from _rows(document, document.children(lists[0]), "", fields, problems)
    elif lists:
        ways = " or ".join(f"--rows {child.key}" for child in lists[:10])
        raise document.error(f"expected one list of rows, found {len(lists)}; choose with {ways}")
    elif (below := _list_below(children)) is not None:
        raise document.error(f"expected a list of rows, found an object; use --rows {below}")
    elif children and all(isinstance(child.value, dict) for child in children):
        yield from _rows(document, children, "", fields, problems)
    else:
        raise document.error(
            f"expected a list of rows, found {_keys(children)}; use --rows KEY if they are below one of these"
        )


def _list_below(children: list[Child]) -> str | None:
    """The keys of the only list of objects one level below, if there is one."""
    found = [
        f"{child.key}.{key}"
        for child in children
        if isinstance(child.value, dict)
        for key, value in child.value.items()
        if _is_list_of_objects(value)
    ]
    return found[0] if len(found) == 1 else None


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(entry, dict) for entry in value)


def _table(document: JsonDocument, values: Record, fields: Fields) -> list[Record] | None:
    """The rows of a table by column, or as pandas writes it; None if the object is something else.

    Raises:
        CliprpnError: data_invalid, if rows or columns differ in length.
    """
    columns, data = values.get("columns"), values.get("data")
    has_columns = isinstance(columns, list) and all(isinstance(name, str) for name in columns)
    if has_columns and isinstance(data, list):
        if all(isinstance(row, dict) for row in data):
            return data
        for position, row in enumerate(data):
            if not isinstance(row, list) or len(row) != len(columns or []):
                raise document.error(
                    f"data[{position}]: expected a list of {len(columns or [])} values, one for each of 'columns', "
                    f"found {shorten(row)}"
                )
        return [dict(zip(columns or [], row, strict=True)) for row in data]
    if not fields.is_complete(list(values)):
        return None
    if all(isinstance(value, list) for value in values.values()):
        if len({len(value) for value in values.values()}) > 1:
            lengths = ", ".join(f"{name[:40]} {len(value):,}" for name, value in list(values.items())[:20])
            raise document.error(f"expected columns of the same length, found {lengths}")
        return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
    if all(isinstance(value, dict) for value in values.values()):
        keys = dict.fromkeys(key for value in values.values() for key in value)
        return [{name: value[key] for name, value in values.items() if key in value} for key in keys]
    return None


def _keys(children: list[Child]) -> str:
    text = ", ".join(repr(str(child.key)[:40]) for child in children[:20])
    return f"an object with {text}{', ...' if len(children) > 20 else ''}" if children else "an empty one"
