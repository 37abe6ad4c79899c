"""Opens a file of answers of any layout as records: the place of each in the user's file, and its fields."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.answers.files.parquet_records import MAX_COLUMNS, read_parquet_records
from cliprpn.answers.files.workbook import read_workbook
from cliprpn.answers.files.workbook_parts import OLE
from cliprpn.answers.printable import one_line
from cliprpn.data.annotation_files import ZIP, encoding_problem, open_annotations
from cliprpn.data.checks import Record, shorten
from cliprpn.data.json_document import Child, JsonDocument
from cliprpn.data.plain_pickle import load_torch_plain
from cliprpn.errors import CliprpnError

MAX_ROWS = 5_000_000
MAX_BYTES = 2**31
MAX_FIELD_CHARS = 2**24
SEPARATORS = ",;\t|"
WORKBOOKS = (".xlsx", ".xlsm")
# Lists of answers in an object, by usual names.
LIST_KEYS = ("results", "predictions", "answers", "outputs", "samples", "rows", "data", "annotations", "logs")
# A record with its place.
Placed = tuple[str, Record]


def read_records(path: Path, notes: list[str]) -> list[Placed]:
    """The records of CSV, TSV, JSON, JSON Lines, Parquet, an Excel workbook, or of a list in a file of torch.

    An object whose values are records or lists is a record for each key, which it gets as `key`.

    Args:
        notes: gets a line for what was decided while reading.

    Raises:
        CliprpnError: not_found; data_invalid, if the file is broken, too large or has no records; package_missing.
    """
    if not path.is_file():
        raise CliprpnError("not_found", f"{path}: expected a file with answers, found none")
    if path.stat().st_size > MAX_BYTES:
        raise CliprpnError("data_invalid", f"{path}: expected at most {MAX_BYTES:,} bytes")
    try:
        records = list(_limited(_records(path, notes), path))
    except OSError as error:
        raise CliprpnError("data_invalid", f"{path}: expected a readable file: {one_line(error)}") from error
    if not records:
        raise CliprpnError("data_invalid", f"{path}: expected answers, found no row")
    return records


def _records(path: Path, notes: list[str]) -> Iterator[Placed]:
    with path.open("rb") as file:
        start = file.read(4)
    suffix = path.suffix.lower()
    if start == b"PAR1":
        return read_parquet_records(path)
    if suffix in (".pth", ".pt", ".pkl", ".pickle"):
        return _from_torch(path)
    if suffix in WORKBOOKS or start == OLE or (start == ZIP and suffix != ".zip"):
        return _from_workbook(path, notes)
    first = _first_character(path)
    if first in ("{", "["):
        return _from_json(path)
    return _from_table(path)


def _first_character(path: Path) -> str:
    with open_annotations(path, (".json", ".jsonl", ".csv", ".tsv", ".txt")) as file:
        text = file.read(4096)
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return text.decode("utf-16", "ignore").strip()[:1]
    return text.decode("utf-8-sig", "ignore").strip()[:1]


def _limited(records: Iterator[Placed], path: Path) -> Iterator[Placed]:
    for number, record in enumerate(records):
        if number >= MAX_ROWS:
            raise CliprpnError("data_invalid", f"{path}: expected at most {MAX_ROWS:,} rows")
        yield record


def _from_json(path: Path) -> Iterator[Placed]:
    document = JsonDocument(path)
    children, is_object = document.top()
    if is_object:
        children = _list_in_object(document, children)
    for child in children:
        record = child.value
        if isinstance(child.key, str):
            record = (
                {**record, "key": child.key}
                if isinstance(record, dict)
                else {"key": child.key, "value": record}
            )
        if not isinstance(record, dict):
            raise CliprpnError(
                "data_invalid",
                f"{document.where(child)}: expected an object with the fields of an answer, found {shorten(record)}",
            )
        yield document.where(child), record


def _list_in_object(document: JsonDocument, children: list[Child]) -> list[Child]:
    """The list of records in an object; its entries, if each of them is a record or a list."""
    lists = [child for child in children if isinstance(child.value, list) and _has_objects(child.value)]
    named = [child for key in LIST_KEYS for child in lists if child.key == key]
    if named or len(lists) == 1:
        return document.children((named or lists)[0])
    if children and all(isinstance(child.value, dict | list | str) for child in children):
        return children
    found = ", ".join(str(child.key) for child in children[:8])
    raise document.error(
        f"expected a list of answers, or one below a key such as {LIST_KEYS[0]}; found the keys {shorten(found)}"
    )


def _has_objects(values: list[Any]) -> bool:
    return len(values) > 0 and all(isinstance(value, dict) for value in values[:100])


def _from_table(path: Path) -> Iterator[Placed]:
    with open_annotations(path, (".csv", ".tsv", ".txt")) as file:
        content = file.read()
    try:
        encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CliprpnError(
            "data_invalid", f"{path}:{line}: {encoding_problem(content, error, path.name)}"
        ) from error
    if "\0" in text or not text.strip():
        found = "a NUL byte; is it UTF-16? Save it as UTF-8" if text.strip() else "an empty file"
        line = text.count("\n", 0, max(text.find("\0"), 0)) + 1
        raise CliprpnError(
            "data_invalid", f"{path.name}:{line}: expected a row for each answer, found {found}"
        )
    # Texts of models are long. The limit is the process's, and other files keep theirs.
    usual_limit = csv.field_size_limit(MAX_FIELD_CHARS)
    first = text.partition("\n")[0]
    separator = "\t" if ".tsv" in path.name.lower() else max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, f"{path.name}:1")
        for values in reader:
            where, line = f"{path.name}:{line + 1}", reader.line_num
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(header):
                raise CliprpnError(
                    "data_invalid",
                    f"{where}: expected {len(header)} values as in the header, found {len(values)}; put a value that "
                    f"contains {separator!r} in double quotes",
                )
            yield where, {name: value for name, value in zip(header, values, strict=True) if name}
    except csv.Error as error:
        raise CliprpnError(
            "data_invalid",
            f"{path.name}:{reader.line_num}: expected CSV: {one_line(error)}; is a quote missing?",
        ) from error
    finally:
        csv.field_size_limit(usual_limit)


def _from_workbook(path: Path, notes: list[str]) -> Iterator[Placed]:
    rows = read_workbook(path, notes)
    if not rows:
        return
    where, values = rows[0]
    header = [name.strip() for name in values]
    _check_header(header, where)
    for where, values in rows[1:]:
        yield where, {name: value for name, value in zip(header, values, strict=True) if name}


def _check_header(header: list[str], where: str) -> None:
    if len(header) > MAX_COLUMNS:
        raise CliprpnError(
            "data_invalid", f"{where}: expected at most {MAX_COLUMNS:,} columns, found {len(header):,}"
        )
    repeated = [name for name, count in Counter(header).items() if name and count > 1]
    if repeated:
        raise CliprpnError(
            "data_invalid", f"{where}: expected each name once, found {shorten(repeated[0])} twice"
        )
    if sum(1 for name in header if any(char.isalpha() for char in name)) < 2:
        raise CliprpnError(
            "data_invalid",
            f"{where}: expected a header row with the names of columns, such as sent_id,pred_x1,pred_y1,"
            f"pred_x2,pred_y2; found {shorten(', '.join(header))}",
        )


def _from_torch(path: Path) -> Iterator[Placed]:
    value = load_torch_plain(path)
    if isinstance(value, dict):
        lists = [item for key, item in value.items() if key in LIST_KEYS and isinstance(item, list)]
        value = lists[0] if lists else [{"key": key, **_record(item)} for key, item in value.items()]
    if not isinstance(value, list | tuple):
        raise CliprpnError("data_invalid", f"{path}: expected a list of answers, found {shorten(value)}")
    for position, item in enumerate(value):
        yield f"{path.name}[{position}]", _record(item)


def _record(item: Any) -> Record:
    if isinstance(item, dict):
        return {str(key): value for key, value in item.items()}
    if isinstance(item, list | tuple) and len(item) == 4 and not isinstance(item[0], str):
        return {"box": list(item)}
    # Rows of TransVG's index: image, (id,) box, expression, and more.
    if isinstance(item, list | tuple) and len(item) >= 4 and isinstance(item[0], str):
        box = next((value for value in item[1:] if isinstance(value, list | tuple) and len(value) == 4), None)
        words = [value for value in item[1:] if isinstance(value, str) and " " in value] or [
            value for value in item[3:] if isinstance(value, str)
        ]
        return {"image": item[0], "box": box, "expression": words[0] if words else None}
    return {"value": item}
