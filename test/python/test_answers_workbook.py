"""Answers in Excel workbooks: read like the same CSV, or refused with sheet and cell."""

from __future__ import annotations

import csv
import datetime
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from made_answers import NUM_VAL, VAL, convert, make_dataset, predictions
from made_workbooks import MAIN, Xml, sheet_xml, workbook_parts, write_rows, write_workbook

from cliprpn.answers.files import workbook_parts as parts_module
from cliprpn.answers.files import workbook_xml
from cliprpn.answers.files.records import read_records
from cliprpn.errors import CliprpnError

HEADER = ["sent_id", "expression", "pred_x1", "pred_y1", "pred_x2", "pred_y2", "score"]
ROWS: list[list[Any]] = [HEADER, *([each.sent_id, each.expression, *each.answer, 0.25] for each in VAL)]
SENT_ID = ROWS[1][0]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("answers") / "set")


def values(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    notes: list[str] = []
    return [record for _, record in read_records(path, notes)], notes


def test_answers_of_a_workbook_are_those_of_the_same_csv(tmp_path: Path, dataset: Path) -> None:
    for place in ("csv", "xlsx"):
        (tmp_path / place).mkdir()
    text = io.StringIO()
    csv.writer(text).writerows(ROWS)
    (tmp_path / "csv/a.csv").write_text(text.getvalue())
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in ROWS:
        book.active.append(row)
    book.save(tmp_path / "xlsx/a.xlsx")
    for file in ("csv/a.csv", "xlsx/a.xlsx"):
        (report,) = convert(tmp_path / file, dataset)
        assert (report.format, report.num_answered, report.has_scores) == ("table", NUM_VAL, True)
    read, same = predictions(tmp_path / "xlsx/a.xlsx"), predictions(tmp_path / "csv/a.csv")
    assert read["pred_box_xyxy"] == same["pred_box_xyxy"] and read["iou"] == same["iou"]
    assert read["iou"] == pytest.approx([each.iou for each in VAL], abs=1e-6)


def test_a_table_of_vlmevalkit_is_recognized(tmp_path: Path, dataset: Path) -> None:
    rows = [["index", "sent_id", "question", "answer", "prediction"]]
    for i, each in enumerate(VAL):
        rows.append(
            [i, each.sent_id, each.expression, str(list(each.truth)), f"The box is {list(each.answer)}."]
        )
    (report,) = convert(write_rows(tmp_path / "a.xlsx", rows), dataset)
    assert (report.format, report.num_answered) == ("vlmevalkit", NUM_VAL)


def test_cells_become_the_texts_of_a_csv_file(tmp_path: Path) -> None:
    cells: dict[str, tuple[Any, str]] = {
        "int": (7, "7"),
        "whole": (7.0, "7"),
        "float": (0.1, "0.1"),
        "digits": (123456789012345, "123456789012345"),
        "tiny": (1e-7, "1e-07"),
        "huge": (1e300, "1e+300"),
        "true": (True, "TRUE"),
        "text": ("007", "007"),
        "spaces": (" a  b ", " a  b "),
        "formula": ("=1+1", "=1+1"),
        "escaped": ("a_x000D__x001B_b", "a\r\x1bb"),
        "number_of_formula": (Xml('<c r="@"><f>1+1</f><v>2</v></c>'), "2"),
        "text_of_formula": (Xml('<c r="@" t="str"><f>A1</f><v>b</v></c>'), "b"),
        "empty_formula": (Xml('<c r="@" t="str"><f>""</f><v></v></c>'), ""),
        "error": (Xml('<c r="@" t="e"><f>1/0</f><v>#DIV/0!</v></c>'), "#DIV/0!"),
        "date": (Xml('<c r="@" s="1"><v>45000</v></c>'), datetime.datetime(2023, 3, 15).isoformat()),
        "rich": (Xml('<c r="@" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c>'), "ab"),
        "empty": (None, ""),
        "styled": (Xml('<c r="@" s="1"/>'), ""),
        "shared": (Xml('<c r="@" t="s"><v>1</v></c>'), "second"),
        "last": ("z", "z"),
    }
    rows = [list(cells), [], [value for value, _ in cells.values()]]
    parts = workbook_parts({"Answers": sheet_xml(rows)}, strings=["first", "second"])
    path = write_workbook(tmp_path / "a.xlsx", parts)
    notes: list[str] = []
    ((where, record),) = read_records(path, notes)
    assert record == {name: text for name, (_, text) in cells.items()} and notes == []
    assert where == "a.xlsx: sheet 'Answers', row 3"


def test_the_only_visible_sheet_with_values_is_read_with_its_hidden_rows(tmp_path: Path) -> None:
    sheets = {
        "Notes": sheet_xml([]),
        "Raw": sheet_xml([["sent_id", "answer"], [1, "other"]]),
        "Answers": sheet_xml([["sent_id", "answer"], [1, "a"], [2, "b" * 32_767]], hidden=[2]),
    }
    parts = workbook_parts(sheets, states={"Raw": "hidden"})
    # What a file says of its size may be wrong.
    part = "xl/worksheets/sheet3.xml"
    parts[part] = parts[part].replace("<sheetData>", '<dimension ref="A1:A1"/><sheetData>')
    records, notes = values(write_workbook(tmp_path / "a.xlsx", parts))
    assert [record["answer"][:2] for record in records] == ["a", "bb"]
    assert len(notes) == 2 and "1 rows are hidden" in notes[0] and "32,767" in notes[1]


def test_a_workbook_is_recognized_by_its_content(tmp_path: Path) -> None:
    records, _ = values(write_rows(tmp_path / "a.csv", [["sent_id", "answer"], [1, "x"]]))
    assert records == [{"sent_id": "1", "answer": "x"}]


def change(old: str, new: str, part: str = "xl/worksheets/sheet1.xml") -> Callable[[Path], None]:
    def write(path: Path) -> None:
        parts = workbook_parts({"Answers": sheet_xml(ROWS)})
        assert old in parts[part]
        write_workbook(path, {**parts, part: parts[part].replace(old, new, 1)})

    return write


def of_bytes(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def of_rows(rows: list[list[Any]], **options: Any) -> Callable[[Path], None]:
    return lambda path: write_rows(path, rows, **options) and None


def of_sheets(*names: str) -> Callable[[Path], None]:
    return lambda path: (
        write_workbook(path, workbook_parts({name: sheet_xml(ROWS) for name in names})) and None
    )


def encrypted(path: Path) -> None:
    """The flag of a password in the archive's directory."""
    write_rows(path, ROWS)
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        struct.pack_into("<H", content, at + 8, 1)
        at = content.find(b"PK\x01\x02", at + 4)
    path.write_bytes(bytes(content))


def with_lying_size(path: Path) -> None:
    """A sheet that is larger than the archive says."""
    write_rows(path, ROWS)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    content = bytearray(bytes(content).replace(struct.pack("<I", size), struct.pack("<I", 1000)))
    path.write_bytes(bytes(content))


OLE_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
LONG = "x" * 6 * 2**20
NAMES = "".join(f"<n{i}/>" for i in range(20_001))
DEEP = "<a>" * 100 + "</a>" * 100
REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "formula": (
        of_rows([*ROWS[:3], [*ROWS[3][:2], Xml('<c r="@"><f>1+1</f></c>'), *ROWS[3][3:]]]),
        r"sheet 'Answers', cell C4: .*formula",
    ),
    "formula_of_a_library": (
        of_rows([*ROWS[:3], [*ROWS[3][:2], Xml('<c r="@"><f>1+1</f><v></v></c>'), *ROWS[3][3:]]]),
        r"sheet 'Answers', cell C4: .*formula",
    ),
    "merged": (
        of_rows(ROWS, after='<mergeCells><mergeCell ref="A2:A5"/></mergeCells>'),
        "sheet 'Answers': .*A2:A5 merged",
    ),
    "sheets": (of_sheets("First", "Sec\x85ond"), "2: 'First', 'Sec ond'"),
    "empty": (of_rows([]), "one visible sheet with values, found none"),
    "blank": (of_rows([["", " "]]), "no row"),
    "header": (of_rows(ROWS[:1]), "no row"),
    "twice": (of_rows([["sent_id", "sent_id"], [1, 2]]), "sheet 'Answers', row 1: .*'sent_id' twice"),
    "numbers": (of_rows([[1, 2], [3, 4]]), "sheet 'Answers', row 1: expected a header row"),
    "columns": (of_rows([[*HEADER, *(f"x{i}" for i in range(600))], *ROWS[1:]]), "at most 600 columns"),
    "long": (of_rows([["sent_id", "answer"], [1, "x" * (2**20 + 1)]]), "'Answers', row 2: .*in a cell"),
    "entities": (change("<worksheet", ENTITIES + "<worksheet"), "sheet1.xml: .*document type"),
    "entities_of_styles": (change("<sty", ENTITIES + "<sty", "xl/styles.xml"), "styles.xml: .*document type"),
    "deep": (change("<sheetData>", DEEP + "<sheetData>"), "64 deep"),
    "long_tag": (change("<sheetData>", f"<a b='{LONG}'/><sheetData>"), "tags of at most 4,194,304 bytes"),
    "many_names": (change("<sheetData>", NAMES + "<sheetData>"), "20,000 names"),
    "cut": (change("</worksheet>", ""), "sheet1.xml: expected XML"),
    "row_order": (change('<row r="3">', '<row r="2">'), "rows in order"),
    "row_number": (change('<row r="2">', '<row r="99999999999">'), "rows in order, up to 1,048,576"),
    "cell_order": (change('r="B2"', 'r="A2"'), "cells of row 2 in order, found A2"),
    "cell_of_another_row": (change('r="B2"', 'r="B3"'), "cells of row 2 in order, found B3"),
    "far_column": (change('r="G2"', 'r="ZZZ2"'), "cells of row 2 in order, found ZZZ2"),
    "string_index": (change('<c r="A2">', '<c r="A2" t="s">'), "broken one .IndexError"),
    "number": (change(f"<v>{SENT_ID}</v>", "<v>x</v>"), "broken one"),
    "type": (change("sheet.main+xml", "other+xml", "[Content_Types].xml"), "broken one"),
    "password": (encrypted, "without a password"),
    "ole_password": (of_bytes(OLE_FILE + "EncryptedPackage".encode("utf-16-le")), "password"),
    "old": (of_bytes(OLE_FILE), "97-2003"),
    "archive": (lambda path: write_workbook(path, {"a.txt": "b"}) and None, "another archive"),
    "binary": (lambda path: write_workbook(path, {"xl/workbook.bin": "b"}) and None, "xlsb"),
    "broken": (of_bytes(b"PK\x03\x04" + b"x" * 300), "broken archive"),
    "lying_size": (with_lying_size, "broken archive"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_workbook_that_is_not_clear_is_refused_with_the_place(
    tmp_path: Path, dataset: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cliprpn.answers.files.workbook.MAX_COLUMNS", 600)
    write, said = REFUSED[name]
    path = tmp_path / f"{name}.xlsx"
    write(path)
    with pytest.raises(CliprpnError, match=said) as caught:
        convert(path, dataset)
    assert caught.value.code == "data_invalid" and path.name in caught.value.message
    assert len(caught.value.message) < 1000 and caught.value.message.isprintable()


LIMITS: dict[str, tuple[Any, str, int, str]] = {
    "bytes": (parts_module, "MAX_BYTES", 1000, "at most 1,000 bytes"),
    "unpacked": (parts_module, "MAX_UNPACKED_BYTES", 5000, "at most 5,000 bytes unpacked"),
    "parts": (parts_module, "MAX_PARTS", 3, "at most 3 parts"),
    "elements": (workbook_xml, "MAX_ELEMENTS", 100, "at most 100 elements"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_workbook_over_a_limit_is_refused_before_it_is_interpreted(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, constant, value, said = LIMITS[name]
    path = write_rows(tmp_path / "a.xlsx", ROWS)
    assert len(values(path)[0]) == NUM_VAL
    monkeypatch.setattr(module, constant, value)
    monkeypatch.setattr("cliprpn.answers.files.workbook._excel_reader", lambda: pytest.fail)
    with pytest.raises(CliprpnError, match=said):
        values(path)


def test_a_bomb_is_refused_without_being_unpacked(tmp_path: Path) -> None:
    bomb = sheet_xml(ROWS, after="<a/>").replace("<a/>", "<a>" + " " * 2**26 + "</a>")
    path = write_workbook(tmp_path / "a.xlsx", workbook_parts({"Answers": bomb}))
    assert path.stat().st_size < 2**17
    with pytest.raises(CliprpnError, match="unpacked"):
        values(path)


def test_texts_that_cells_share_count_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cliprpn.answers.files.workbook.MAX_TOTAL_CHARS", 5000)
    rows: list[list[Any]] = [
        ["sent_id", "answer"],
        *([i, Xml('<c r="@" t="s"><v>0</v></c>')] for i in range(9)),
    ]
    parts = workbook_parts({"Answers": sheet_xml(rows)}, strings=["x" * 1000])
    with pytest.raises(CliprpnError, match="row 6: expected at most 5,000 in a sheet"):
        values(write_workbook(tmp_path / "a.xlsx", parts))


def test_a_formula_that_openpyxl_wrote_has_no_value(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in [["sent_id", "score"], [1, "=1+1"]]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(CliprpnError, match=r"sheet 'Sheet', cell B2: .*formula without"):
        values(tmp_path / "a.xlsx")


def test_a_name_with_a_prefix_is_read(tmp_path: Path) -> None:
    """As Microsoft's own library for programs writes it."""
    xml = sheet_xml([["sent_id", "answer"], [1, "a"]])
    for tag in ("worksheet", "sheetData", "row", "c", "v", "is", "t"):
        for mark in ("<", "</"):
            xml = xml.replace(f"{mark}{tag} ", f"{mark}x:{tag} ").replace(f"{mark}{tag}>", f"{mark}x:{tag}>")
    xml = xml.replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')
    records, _ = values(write_workbook(tmp_path / "a.xlsx", workbook_parts({"Answers": xml})))
    assert records == [{"sent_id": "1", "answer": "a"}]
