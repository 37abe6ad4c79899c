"""Opens a file of detections, or a folder with a file for each image: JSON, JSON lines, CSV or YOLO's label files."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.data.checks import shorten
from cliprpn.data.problems import Problems
from cliprpn.detectors.results.assemble import Collected, add_item, collect
from cliprpn.detectors.results.box_forms import BoxForm
from cliprpn.detectors.results.folder import detection_files
from cliprpn.detectors.results.rows import Packer
from cliprpn.detectors.results.values import FaultError, ImageRef, image_ref
from cliprpn.errors import CliprpnError

LINES_ENDINGS = (".jsonl", ".ndjson")
TABLE_ENDINGS = {".csv": ",", ".tsv": "\t"}
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
# `class x y w h [confidence]`.
LABEL_LINE = re.compile(rf"\d{{1,9}}(\s+{NUMBER.pattern}){{4,5}}")
LABEL_FORM = BoxForm("cxcywh", 1, known_order=True, known_scale=True)
# What the first bytes of other files are, and how to get a file that can be read.
_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"\x80", "a Python pickle, which can run code when it is loaded: write JSON with json.dump"),
    (b"PK\x03\x04", "a zip archive (also .pth and .npz are): extract it, or write JSON with json.dump"),
    (b"\x1f\x8b", "a gzip archive: extract it with gunzip"),
    (b"PAR1", "Parquet: write JSON lines with pandas' to_json(orient='records', lines=True)"),
    (b"\x93NUMPY", "a NumPy array: write JSON with json.dump(array.tolist())"),
    (b"\x89HDF", "an HDF5 file: write JSON with json.dump"),
    (b"<", "XML or HTML, not JSON: convert its boxes to COCO results JSON"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
)


def read_file(path: Path, packer: Packer) -> Collected:
    """Reads all detections of a file or folder.

    Raises:
        CliprpnError: not_found; data_invalid, if it is malformed (lists the problems).
    """
    collected = Collected(Problems(path, "the detections"))
    try:
        if path.is_dir():
            _read_folder(path, packer, collected)
        else:
            _read_one(path, packer, collected, None)
    except FileNotFoundError as error:
        raise CliprpnError(
            "not_found", f"{path}: expected detections (COCO results JSON), found no file"
        ) from error
    except OSError as error:
        raise CliprpnError("data_invalid", f"{path}: expected detections: {error}") from error
    collected.problems.raise_if_any()
    return collected


def _read_folder(folder: Path, packer: Packer, collected: Collected) -> None:
    """Reads a file per image, named like it: YOLO's labels, or JSON as mmdet and Grounded SAM 2 write it."""
    files = detection_files(folder)
    if not files:
        raise CliprpnError(
            "data_invalid",
            f"{folder}: expected a .json or .txt file with the detections of each image, named like it; found none",
        )
    for file in files:
        image = image_ref(file.stem.removesuffix("_results"))
        if file.suffix.lower() == ".txt":
            if file.stem != "classes":
                _read_labels(file, packer, collected, image)
        else:
            _read_one(file, packer, collected, image)


def _read_one(file: Path, packer: Packer, collected: Collected, image: ImageRef | None) -> None:
    encoding = _encoding(file)
    ending = file.suffix.lower()
    try:
        if ending in TABLE_ENDINGS:
            _read_table(file, encoding, packer, collected)
        elif ending in LINES_ENDINGS:
            _read_lines(file, encoding, packer, collected)
        else:
            text = file.read_text(encoding=encoding)
            try:
                content = json.loads(text, object_hook=packer.hook)
            except json.JSONDecodeError as error:
                if error.msg != "Extra data" or "\n" not in text[: error.pos]:
                    raise
                del text
                _read_lines(file, encoding, packer, collected)
            else:
                collect(content, packer, collected, image, file)
    except json.JSONDecodeError as error:
        raise _json_error(file, error) from error
    except RecursionError as error:
        raise CliprpnError(
            "data_invalid", f"{file}: expected JSON: lists or objects nested too deep"
        ) from error
    except csv.Error as error:
        raise CliprpnError("data_invalid", f"{file}: expected CSV: {error}") from error
    except UnicodeDecodeError as error:
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected JSON in UTF-8, found {error.reason} at byte {error.start}; save it as UTF-8",
        ) from error
    except ValueError as error:
        raise CliprpnError("data_invalid", f"{file}: expected JSON in UTF-8: {error}") from error


def _encoding(file: Path) -> str:
    """UTF-8, or UTF-16 if the file begins so.

    Raises:
        CliprpnError: data_invalid, if the file is of a known other kind.
        OSError.
    """
    with file.open("rb") as stream:
        start = stream.read(8)
    for magic, what in _OTHER_FILES:
        if start.startswith(magic):
            raise CliprpnError(
                "data_invalid", f"{file}: expected detections (COCO results JSON), found {what}"
            )
    utf16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return "utf-16" if start.startswith(utf16) else "utf-8-sig"


def _read_lines(file: Path, encoding: str, packer: Packer, collected: Collected) -> None:
    with file.open(encoding=encoding) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip() == "":
                continue
            try:
                item = json.loads(line, object_hook=packer.hook)
            except json.JSONDecodeError as error:
                error.lineno = number
                raise _json_error(file, error) from error
            add_item(item, packer, collected, None, f"line {number}")


def _read_table(file: Path, encoding: str, packer: Packer, collected: Collected) -> None:
    with file.open(encoding=encoding, newline="") as stream:
        for row in _table_rows(stream, TABLE_ENDINGS[file.suffix.lower()], file):
            item = packer.hook(row[1])
            add_item(item, packer, collected, None, f"line {row[0]}")


def _table_rows(stream: Any, delimiter: str, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(stream, delimiter=delimiter)
    header = next(reader, None)
    if header is None:
        raise CliprpnError(
            "data_invalid", f"{file}: expected a header with the names of columns, found an empty file"
        )
    for cells in reader:
        if cells:
            if len(cells) != len(header):
                raise CliprpnError(
                    "data_invalid",
                    f"{file}:{reader.line_num}: expected {len(header)} cells as in the header, found {len(cells)}",
                )
            yield (
                reader.line_num,
                {key: _cell(cell) for key, cell in zip(header, cells, strict=True) if cell.strip()},
            )


def _cell(cell: str) -> Any:
    text = cell.strip()
    if NUMBER.fullmatch(text):
        return float(text)
    if text.startswith("[") and text.endswith("]"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _read_labels(file: Path, packer: Packer, collected: Collected, image: ImageRef | None) -> None:
    """Reads lines of `class x y w h [confidence]`: the center and size of a box in normalized coordinates."""
    try:
        lines = file.read_text(encoding=_encoding(file)).splitlines()
    except UnicodeDecodeError as error:
        raise CliprpnError(
            "data_invalid", f"{file}: expected YOLO labels, found a file that is not text"
        ) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        cells = line.split()
        if not cells:
            continue
        if LABEL_LINE.fullmatch(line.strip()) is None:
            collected.problems.add(
                f"{file.name}:{number}: expected `class x y w h [confidence]`, found {shorten(line)}"
            )
            continue
        box = [float(cell) for cell in cells[1:5]]
        score = float(cells[5]) if len(cells) == 6 else float("nan")
        rows.append(packer.pack_label(int(cells[0]), box, score, LABEL_FORM))
    try:
        collected.add(packer.placed(b"".join(rows), image), file.name)
    except FaultError as fault:
        collected.problems.add(f"{file.name}: {fault}")


def _json_error(file: Path, error: json.JSONDecodeError) -> CliprpnError:
    """Names the usual mistakes."""
    before, at = error.doc[: error.pos].rstrip()[-1:], error.doc[error.pos : error.pos + 1]
    message = f"expected JSON: {error.msg}"
    if error.doc.strip() == "":
        message = "expected detections, found an empty file"
    elif (before == "," and at in "]}" and at) or error.msg.startswith("Illegal trailing comma"):
        message = "expected JSON: found a comma before the closing bracket; delete this trailing comma"
    elif error.pos == 0 and error.doc.partition("\n")[0].count(",") > 3:
        message = "expected JSON, found what may be a table: name the file .csv, with column names in the first line"
    elif at == "'" or error.doc[error.pos : error.pos + 4] in (
        "True",
        "None",
        "Fals",
        "nan,",
        "arra",
        "tens",
    ):
        message = (
            "expected JSON: found Python's notation; write the file with json.dump, not with str or print"
        )
    elif error.doc.strip() and (error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated")):
        message = "expected JSON: the file ends too early; is it complete?"
    return CliprpnError("data_invalid", f"{file}:{error.lineno}:{error.colno}: {message}")
