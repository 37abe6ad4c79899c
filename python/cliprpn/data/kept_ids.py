"""Reads a list of ids of expressions from text, CSV, JSON or JSON Lines.

The list names its key: the first line of a text or CSV file, the key of an object of lists such as
`{"sent_id": [1, 2]}`, or the keys of a list of objects. The reviewed RefCOCO, RefCOCO+ and RefCOCOg of Ref-L4 are
MDETR's JSON, whose `caption_quality` is 0 for a wrong sentence.
"""

from __future__ import annotations

import csv
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cliprpn.data.checks import Record, is_integer, shorten
from cliprpn.data.json_files import parse_json, read_json
from cliprpn.errors import CliprpnError

# The first one that a list has is used, since it names the fewest expressions.
IDS = ("sent_id", "ref_id", "ann_id")
MAX_BYTES = 2**30
EXAMPLE = "a first line or key sent_id, ref_id or ann_id"


@dataclass(frozen=True)
class KeptIds:
    """The values of these fields of the expressions to keep."""

    fields: tuple[str, ...]
    keys: frozenset[Hashable]


def read_kept_ids(path: Path) -> KeptIds:
    """The ids in a file.

    Raises:
        CliprpnError: data_invalid, with the line, if it is not a list of ids or does not say which ids they are.
        OSError: the file cannot be read.
    """
    if path.stat().st_size > MAX_BYTES:
        raise CliprpnError("data_invalid", f"{path}: expected a list of at most {MAX_BYTES:,} bytes")
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _from_json(path, read_json(path))
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CliprpnError("data_invalid", f"{path}: expected a list of ids in UTF-8: {error}") from error
    return _from_records(path, _json_lines(path, text) if suffix == ".jsonl" else _table(path, text))


def _from_json(path: Path, content: Any) -> KeptIds:
    if isinstance(content, list):
        return _from_records(path, ((f"{path.name}: [{i}]", item) for i, item in enumerate(content)))
    if isinstance(content, dict) and isinstance(content.get("annotations"), list):
        return _from_reviewed(path, content)
    for key in IDS:
        values = content.get(key, content.get(f"{key}s")) if isinstance(content, dict) else None
        if isinstance(values, list):
            return _from_records(
                path, ((f"{path.name}: {key}[{i}]", {key: value}) for i, value in enumerate(values))
            )
    raise _no_list(path, content)


def _from_reviewed(path: Path, content: Record) -> KeptIds:
    """The sentences of MDETR's JSON, by image, object and text."""
    images = content.get("images")
    by_id = {
        image["id"]: image
        for image in (images if isinstance(images, list) else [])
        if isinstance(image, dict) and is_integer(image.get("id"))
    }
    keys: set[Hashable] = set()
    for position, annotation in enumerate(content["annotations"]):
        place = f"{path.name}: annotations[{position}]"
        image_id = annotation.get("image_id") if isinstance(annotation, dict) else None
        image = by_id.get(image_id) if is_integer(image_id) else None
        if image is None or not isinstance(image.get("caption"), str):
            raise CliprpnError(
                "data_invalid",
                f"{place}: expected the image_id of an image with a caption, found {shorten(image_id)}",
            )
        ids = (image.get("original_id", image["id"]), annotation.get("original_id", annotation.get("id")))
        if not all(map(is_integer, ids)):
            raise CliprpnError("data_invalid", f"{place}: expected integer ids, found {shorten(ids)}")
        if _is_kept(annotation, place):
            keys.add((*ids, image["caption"].strip()))
    return _kept(path, ("image_id", "ann_id", "sentence"), keys)


def _from_records(path: Path, records: Iterable[tuple[str, Any]]) -> KeptIds:
    """The ids of objects, all by the same key."""
    field = ""
    keys: set[Hashable] = set()
    for place, record in records:
        if not isinstance(record, dict) or not field:
            field = next((key for key in IDS if isinstance(record, dict) and key in record), "")
        if not field:
            raise _no_list(path, record, place)
        value = record.get(field)
        number = int(value) if isinstance(value, str) and _is_number(value) else value
        if not is_integer(number) and not (isinstance(number, str) and number.strip()):
            raise CliprpnError("data_invalid", f"{place}: expected an id as {field}, found {shorten(value)}")
        if _is_kept(record, place):
            keys.add((number.strip() if isinstance(number, str) else number,))
    return _kept(path, (field or IDS[0],), keys)


def _kept(path: Path, fields: tuple[str, ...], keys: set[Hashable]) -> KeptIds:
    if not keys:
        raise CliprpnError("data_invalid", f"{path}: expected ids of expressions to keep, found none")
    return KeptIds(fields, frozenset(keys))


def _is_kept(record: Record, place: str) -> bool:
    """False for a sentence that reviewers marked as wrong."""
    quality = record.get("caption_quality", 1)
    if quality not in (0, 1, "0", "1", 0.0, 1.0):
        raise CliprpnError(
            "data_invalid", f"{place}: expected 0 or 1 as caption_quality, found {shorten(quality)}"
        )
    return int(quality) == 1


def _json_lines(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield f"{path.name}:{number}", parse_json(line)
            except ValueError as error:
                raise CliprpnError(
                    "data_invalid", f"{path.name}:{number}: expected a JSON object: {error}"
                ) from error


def _table(path: Path, text: str) -> Iterator[tuple[str, Record]]:
    """Rows of CSV, whose first line has the names; a list of lines is CSV with one column."""
    lines = text.splitlines()
    separator = max(",;\t", key=(lines[0] if lines else "").count)
    try:
        reader = csv.DictReader(lines, delimiter=separator)
        names = [name.strip() for name in reader.fieldnames or []]
        if not any(key in names for key in IDS):
            raise _no_list(path, ", ".join(names), f"{path.name}:1")
        reader.fieldnames = names
        for row in reader:
            yield f"{path.name}:{reader.line_num}", row
    except csv.Error as error:
        raise CliprpnError("data_invalid", f"{path}: expected a list of ids: {error}") from error


def _is_number(text: str) -> bool:
    digits = text.strip().removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 18


def _no_list(path: Path, found: object, place: str = "") -> CliprpnError:
    return CliprpnError(
        "data_invalid",
        f"{place or path}: expected a list that says which ids it has ({EXAMPLE}), found {shorten(found)}",
    )
