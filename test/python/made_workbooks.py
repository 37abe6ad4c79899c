"""Excel workbooks written part by part, so that a test can put anything into them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
DATE_STYLE = 1
Row = Sequence[Any]


class Xml(str):
    """A cell as it is written."""


def sheet_xml(rows: Sequence[Row], after: str = "", hidden: Sequence[int] = ()) -> str:
    """
    Args:
        after: elements behind the rows.
        hidden: numbers of rows.
    """
    parts = []
    for number, row in enumerate(rows, 1):
        cells = "".join(_cell(f"{_letters(i)}{number}", value) for i, value in enumerate(row))
        state = ' hidden="1"' if number in hidden else ""
        parts.append(f'<row r="{number}"{state}>{cells}</row>')
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(parts)}</sheetData>{after}</worksheet>'


def _cell(address: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Xml):
        return value.replace("@", address)
    if isinstance(value, bool):
        return f'<c r="{address}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{address}"><v>{value!r}</v></c>'
    return f'<c r="{address}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def _letters(column: int) -> str:
    return (chr(64 + column // 26) if column >= 26 else "") + chr(65 + column % 26)


def workbook_parts(
    sheets: dict[str, str], states: dict[str, str] | None = None, strings: Sequence[str] = ()
) -> dict[str, str]:
    """
    Args:
        sheets: name to XML.
        states: of sheets that are not visible.
        strings: that cells share.
    """
    names = list(sheets)
    state = {name: f' state="{value}"' for name, value in (states or {}).items()}
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{i}" r:id="rId{i}"{state.get(name, "")}/>'
        for i, name in enumerate(names, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{i}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(names) + 1)
    )
    overrides = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="{SHEET_TYPE}.{kind}+xml"/>'
        for part, kind in (
            ("workbook", "sheet.main"),
            ("styles", "styles"),
            ("sharedStrings", "sharedStrings"),
            *((f"worksheets/sheet{i}", "worksheet") for i in range(1, len(names) + 1)),
        )
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    styles = '<xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/>'
    return {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{related}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="2">{styles}</cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}" uniqueCount="{len(strings)}">{items}</sst>',
        **{f"xl/worksheets/sheet{i}.xml": sheets[name] for i, name in enumerate(names, 1)},
    }


def write_workbook(path: Path, parts: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def write_rows(path: Path, rows: Sequence[Row], **options: Any) -> Path:
    """A workbook with one sheet, named Answers."""
    return write_workbook(path, workbook_parts({"Answers": sheet_xml(rows, **options)}))
