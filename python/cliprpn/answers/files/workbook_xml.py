"""One part of an Excel workbook, checked without building anything: markup, order of cells, formulas, hidden rows."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from xml.parsers import expat

from cliprpn.answers.printable import printable
from cliprpn.errors import CliprpnError

# Of all parts together; a row of answers has about ten cells of two or three elements.
MAX_ELEMENTS = 20_000_000
MAX_DEPTH = 64
# Numbers of the last row and column that the format has.
MAX_ROW, MAX_COLUMN_NAME = 2**20, "XFD"
ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
CHUNK_BYTES = 2**20
# Of one tag, whose attributes would be held all at once.
MAX_TAG_BYTES = 2**22
# Of different tags and attributes, which parsers keep; workbooks have some hundreds.
MAX_NAMES = 20_000


@dataclass
class SheetFacts:
    """
    Attributes:
        num_values: cells with a value.
        num_hidden_rows: rows that a spreadsheet program does not show.
        merged: the first area of merged cells, such as `A2:A5`.
        no_value: the first formula without a stored value, such as `C7`.
    """

    num_values: int = 0
    num_hidden_rows: int = 0
    merged: str | None = None
    no_value: str | None = None


class Part:
    """Parses one part without building anything."""

    def __init__(self, where: str, num_elements: int) -> None:
        self.where = where
        self.root: str | None = None
        self.num_elements = num_elements
        self.facts = SheetFacts()
        self._depth = 0
        self._row = 0
        self._column = (0, "")
        self._cell = ""
        self._has_formula = self._has_value = self._is_in_value = self._is_text = False

    def parse(self, source: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
        """The part's bytes."""
        names: dict[str, str] = {}
        parser = expat.ParserCreate(namespace_separator=" ", intern=names)
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        chunks: list[bytes] = []
        num_bytes = 0
        try:
            with source.open(part) as file:
                # In pieces, as a part may be larger than it says.
                while chunk := file.read(CHUNK_BYTES):
                    parser.Parse(chunk, False)
                    chunks.append(chunk)
                    num_bytes += len(chunk)
                    if num_bytes - parser.CurrentByteIndex > MAX_TAG_BYTES or len(names) > MAX_NAMES:
                        raise self._error(
                            f"expected tags of at most {MAX_TAG_BYTES:,} bytes, and {MAX_NAMES:,} names of them"
                        )
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise self._error(f"expected XML: {error}") from error
        return b"".join(chunks)

    def _doctype(self, *_: object) -> None:
        raise self._error("expected XML without a document type, which workbooks do not have")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self.num_elements += 1
        tag = name.rpartition(" ")[2]
        if self.root is None:
            self.root = tag
        if self._depth > MAX_DEPTH or self.num_elements > MAX_ELEMENTS:
            raise self._error(
                f"expected at most {MAX_ELEMENTS:,} elements, {MAX_DEPTH} deep; save the sheet as CSV UTF-8"
            )
        if self.root != "worksheet":
            return
        if tag == "c":
            self._start_cell(attributes.get("r"))
            self._is_text = attributes.get("t") == "str"
        elif tag == "row":
            self._start_row(attributes)
        elif tag in ("v", "is"):
            # The stored value of a formula may be an empty text. Without a type, an empty one was never computed.
            self._has_value, self._is_in_value = tag == "is" or self._is_text, True
        elif tag == "f":
            self._has_formula = True
        elif tag == "mergeCell" and self.facts.merged is None:
            self.facts.merged = printable(attributes.get("ref", "cells"), 40)

    def _text(self, _: str) -> None:
        if self._is_in_value:
            self._has_value = True

    def _start_row(self, attributes: dict[str, str]) -> None:
        text = attributes.get("r", str(self._row + 1))
        number = int(text) if re.fullmatch("[0-9]{1,7}", text) else 0
        if not self._row < number <= MAX_ROW:
            raise self._error(
                f"expected rows in order, up to {MAX_ROW:,}, found {printable(text, 40)} after {self._row}"
            )
        self._row, self._column = number, (0, "")
        self.facts.num_hidden_rows += attributes.get("hidden") in ("1", "true")

    def _start_cell(self, address: str | None) -> None:
        self._has_formula = self._has_value = False
        self._cell = address or f"in row {self._row}"
        if address is None:
            return
        match = ADDRESS.fullmatch(address)
        column = (0, "") if match is None else (len(match[1]), match[1])
        is_in_row = match is not None and int(match[2]) == self._row
        if not is_in_row or not self._column < column <= (3, MAX_COLUMN_NAME):
            raise self._error(
                f"expected the cells of row {self._row} in order, found {printable(address, 40)}"
            )
        self._column = column

    def _end(self, name: str) -> None:
        self._depth -= 1
        tag = name.rpartition(" ")[2]
        if tag in ("v", "is"):
            self._is_in_value = False
        if self.root != "worksheet" or tag != "c":
            return
        self.facts.num_values += self._has_value
        if self._has_formula and not self._has_value and self.facts.no_value is None:
            self.facts.no_value = self._cell

    def _error(self, message: str) -> CliprpnError:
        return CliprpnError("data_invalid", f"{self.where}: {message}")
