"""The rows of an Excel workbook (.xlsx), as texts. Formulas are never evaluated: their stored values are read."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from cliprpn.answers.files.workbook_parts import checked_parts
from cliprpn.answers.files.workbook_xml import SheetFacts
from cliprpn.answers.printable import printable
from cliprpn.errors import CliprpnError

# Of a workbook of any program: rows are numbered up to 2^20.
MAX_COLUMNS = 1000
MAX_CELL_CHARS = 2**20
# Cells share their texts, so that a small file can hold long ones many times.
MAX_TOTAL_CHARS = 2**29
# The longest text that Excel stores; programs cut longer ones.
EXCEL_CELL_CHARS = 32_767
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def read_workbook(path: Path, notes: list[str]) -> list[tuple[str, list[str]]]:
    """The place and the values of each row that is not empty, the header first, all as long as the header.

    Numbers are texts as in a CSV file, dates are in ISO 8601.

    Args:
        notes: gets a line for what is read in spite of how it looks in a spreadsheet program.

    Raises:
        CliprpnError: data_invalid, with sheet and cell, if the workbook is broken, protected by a password or too
            large, or it is not clear which sheet has the answers; package_missing.
    """
    excel_reader = _excel_reader()
    archive, facts_by_part = checked_parts(path)
    try:
        with warnings.catch_warnings():
            # About parts that do not matter here, such as styles of an unknown kind.
            warnings.simplefilter("ignore")
            reader = excel_reader(archive, read_only=True, data_only=True, keep_links=False)
            reader.read()
            facts = {
                sheet.name: facts_by_part[rel.target]
                for sheet, rel in reader.parser.find_sheets()
                if rel.target in facts_by_part
            }
            sheet = _choose_sheet(reader.wb.worksheets, facts, path)
            _check_sheet(facts[sheet.title], path, sheet.title)
            return list(_rows(sheet, facts[sheet.title], path, notes))
    except CliprpnError:
        raise
    except Exception as error:  # The reader can raise anything for a broken workbook.
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected an Excel workbook, found a broken one ({type(error).__name__}); save it again, or as "
            "CSV UTF-8",
        ) from error


def _excel_reader() -> Any:
    """
    Raises:
        CliprpnError: package_missing.
    """
    try:
        from openpyxl.reader.excel import ExcelReader
    except ImportError as error:
        raise CliprpnError(
            "package_missing",
            "an Excel workbook needs the Python package openpyxl, which is not installed; install it (pip install "
            "openpyxl), or save the sheet as CSV UTF-8",
        ) from error
    return ExcelReader


def _choose_sheet(sheets: Sequence[Any], facts: dict[str, SheetFacts], path: Path) -> Any:
    """The only visible sheet with values."""
    sheets = [
        sheet
        for sheet in sheets
        if sheet.sheet_state == "visible" and sheet.title in facts and facts[sheet.title].num_values > 0
    ]
    if len(sheets) == 1:
        return sheets[0]
    names = ", ".join(_name(sheet.title) for sheet in sheets[:5]) or "none"
    raise CliprpnError(
        "data_invalid",
        f"{path}: expected one visible sheet with values, found {f'{len(sheets)}: ' if sheets else ''}{names}; "
        "save the sheet with the answers as a workbook of its own, or as CSV UTF-8",
    )


def _check_sheet(facts: SheetFacts, path: Path, title: str) -> None:
    where = f"{path.name}: sheet {_name(title)}"
    if facts.no_value is not None:
        raise CliprpnError(
            "data_invalid",
            f"{where}, cell {facts.no_value}: expected a value, found a formula without a stored one; open the "
            "workbook in a spreadsheet program and save it, or write values",
        )
    if facts.merged is not None:
        raise CliprpnError(
            "data_invalid",
            f"{where}: expected a value in each cell, found {facts.merged} merged; unmerge the cells and fill them in",
        )


def _rows(sheet: Any, facts: SheetFacts, path: Path, notes: list[str]) -> Iterator[tuple[str, list[str]]]:
    name = f"{path.name}: sheet {_name(sheet.title)}"
    sheet.reset_dimensions()  # What a file says of its size may be wrong.
    numbered = enumerate(sheet.iter_rows(values_only=True), 1)
    header_row, header = next(((number, row) for number, row in numbered if _is_filled(row)), (1, ()))
    width = max((i for i, value in enumerate(header, 1) if value not in (None, "")), default=1)
    if width > MAX_COLUMNS:
        raise CliprpnError(
            "data_invalid", f"{name}: expected at most {MAX_COLUMNS:,} columns, found {width:,}"
        )
    num_chars = num_cut = 0
    rows = sheet.iter_rows(min_row=header_row, max_col=width, values_only=True)
    for number, row in enumerate(rows, header_row):
        if not _is_filled(row):
            continue
        values = [_text(value) for value in row]
        longest = max(map(len, values))
        num_chars += sum(map(len, values))
        num_cut += longest == EXCEL_CELL_CHARS
        if longest > MAX_CELL_CHARS or num_chars > MAX_TOTAL_CHARS:
            limit = (
                f"{MAX_CELL_CHARS:,} in a cell"
                if longest > MAX_CELL_CHARS
                else f"{MAX_TOTAL_CHARS:,} in a sheet"
            )
            raise CliprpnError("data_invalid", f"{name}, row {number}: expected at most {limit} characters")
        yield f"{name}, row {number}", values
    if facts.num_hidden_rows:
        notes.append(
            f"{facts.num_hidden_rows:,} rows are hidden in sheet {_name(sheet.title)}, and read like others"
        )
    if num_cut:
        notes.append(
            f"{num_cut:,} rows have a text of {EXCEL_CELL_CHARS:,} characters, the most that Excel stores: they may be "
            "cut, and their boxes lost"
        )


def _is_filled(row: Sequence[Any]) -> bool:
    return any(
        value is not None and value != "" and not (isinstance(value, str) and value.isspace())
        for value in row
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        # Control characters are written as `_x000D_`.
        return ESCAPED.sub(lambda match: chr(int(match[1], 16)), value) if "_x" in value else value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)


def _name(title: str) -> str:
    """A sheet's name for a message."""
    return f"'{printable(title, 60)}'"
