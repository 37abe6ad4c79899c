"""The parts of an Excel workbook, of checked sizes, with nothing that is not needed to read cells."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from cliprpn.answers.files.workbook_xml import Part, SheetFacts
from cliprpn.answers.printable import printable
from cliprpn.data.annotation_files import ALWAYS_ALLOWED_BYTES, ENCRYPTED, MAX_RATIO
from cliprpn.errors import CliprpnError

MAX_BYTES = 2**28
MAX_UNPACKED_BYTES = 2**29
MAX_PARTS = 10_000
# The first bytes of .xls, and of a workbook with a password.
OLE = b"\xd0\xcf\x11\xe0"
PASSWORD = "EncryptedPackage".encode("utf-16-le")


def checked_parts(path: Path) -> tuple[io.BytesIO, dict[str, SheetFacts]]:
    """An archive with the workbook's parts in XML, and what was found in each sheet, by the name of its part.

    The archive has no other parts, such as images, macros and properties.

    Raises:
        CliprpnError: data_invalid.
    """
    content = _read(path)
    if content.startswith(OLE):
        kind = (
            "one with a password; remove it"
            if PASSWORD in content
            else "one of Excel 97-2003 (.xls); save it as .xlsx"
        )
        raise CliprpnError(
            "data_invalid", f"{path}: expected an .xlsx workbook, found {kind}, or save it as CSV UTF-8"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source:
            return _check_parts(source, path, len(content))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected an Excel workbook, found a broken archive; is it complete?"
        ) from error


def _read(path: Path) -> bytes:
    """All bytes, read once, so that what is checked is what is read."""
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected a workbook of at most {MAX_BYTES:,} bytes; save it as CSV UTF-8",
        )
    return content


def _check_parts(
    source: zipfile.ZipFile, path: Path, num_bytes: int
) -> tuple[io.BytesIO, dict[str, SheetFacts]]:
    parts = source.infolist()
    names = {part.filename for part in parts}
    if "xl/workbook.bin" in names:
        raise CliprpnError(
            "data_invalid", f"{path}: expected an .xlsx workbook, found .xlsb; save it as .xlsx"
        )
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected CSV, TSV, JSON, JSON Lines, Parquet or an .xlsx workbook, found another archive",
        )
    if len(parts) > MAX_PARTS or len(names) < len(parts):
        raise CliprpnError("data_invalid", f"{path}: expected at most {MAX_PARTS:,} parts, each name once")
    wanted = [part for part in parts if _is_wanted(part.filename)]
    unpacked = sum(part.file_size for part in wanted)
    limit = min(MAX_UNPACKED_BYTES, max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * num_bytes))
    if unpacked > limit:
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected a workbook of at most {limit:,} bytes unpacked, found {unpacked:,}; save it as CSV",
        )
    if any(part.flag_bits & ENCRYPTED for part in wanted):
        raise CliprpnError(
            "data_invalid", f"{path}: expected a workbook without a password, found one with it"
        )
    kept = io.BytesIO()
    facts: dict[str, SheetFacts] = {}
    num_elements = 0
    with zipfile.ZipFile(kept, "w") as target:
        for part in wanted:
            checked = Part(f"{path}: {printable(part.filename, 80)}", num_elements)
            content = checked.parse(source, part)
            num_elements = checked.num_elements
            if checked.root == "worksheet":
                facts[part.filename] = checked.facts
            if checked.root != "chartsheet":
                target.writestr(part.filename, content)
    kept.seek(0)
    return kept, facts


def _is_wanted(name: str) -> bool:
    return name == "[Content_Types].xml" or (name.startswith("xl/") and name.endswith((".xml", ".rels")))
