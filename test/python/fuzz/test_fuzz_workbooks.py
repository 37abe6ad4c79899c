"""Broken Excel workbooks of answers are read, or refused with a message; no crash, hang or other exception.

The suite runs `CLIPRPN_FUZZ_COUNT` inputs (60 by default), `CLIPRPN_FUZZ_SEED` changes all of them.
"""

from __future__ import annotations

import os
import random
import zipfile
from pathlib import Path

import numpy as np
from fuzzing import MAX_MESSAGE_CHARS, broken_bytes, fuzz, odd
from made_answers import NUM_VAL, SIZES, VAL, convert, make_dataset, predictions
from made_workbooks import sheet_xml, workbook_parts

from cliprpn.errors import CliprpnError

COUNT = int(os.environ.get("CLIPRPN_FUZZ_COUNT", "60"))
SEED = int(os.environ.get("CLIPRPN_FUZZ_SEED", "0"))
HEADER = ["sent_id", "expression", "pred_x1", "pred_y1", "pred_x2", "pred_y2"]
SHEET = "xl/worksheets/sheet1.xml"


def write_case(path: Path, rng: random.Random) -> None:
    rows = [HEADER, *([each.sent_id, each.expression, *each.answer] for each in VAL)]
    if rng.random() < 0.3:
        rows = odd(rows, rng)
    rows = [row if isinstance(row, list) else [row] for row in rows]
    text = sheet_xml([[_cell(value) for value in row] for row in rows])
    parts = {
        name: content.encode("utf-8", "replace")
        for name, content in workbook_parts({"Answers": text}, strings=["a"]).items()
    }
    for name in [name for name in parts if rng.random() < (0.5 if name == SHEET else 0.1)]:
        parts[name] = changed_xml(parts[name], rng)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    if rng.random() < 0.2:
        path.write_bytes(broken_bytes(path.read_bytes(), rng))


def _cell(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return "".join(char for char in str(value) if char.isprintable())


def changed_xml(content: bytes, rng: random.Random) -> bytes:
    """Half of the time it stays XML: only what tags and attributes say is changed."""
    if rng.random() < 0.5:
        return broken_bytes(content, rng)
    pieces = [piece for piece in content.replace(b">", b">\0").replace(b'"', b'"\0').split(b"\0") if piece]
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(pieces))
        other = rng.choice(pieces)
        if pieces[at].endswith(b'"') and not pieces[at].endswith(b'="'):
            values = [
                b"-1",
                b"0",
                b"99999999999",
                b"",
                b"nan",
                b"XFD1048576",
                b"inlineStr",
                b"s",
                b"b",
                b"e",
                b"d",
            ]
            pieces[at] = rng.choice([rng.choice(values) + b'"', other])
        elif pieces[at].endswith(b">"):
            pieces[at] = rng.choice([pieces[at] * 2, b"", other, b"<f>1+1</f>" + pieces[at]])
    return b"".join(pieces)


def test_broken_workbooks_are_read_or_refused_with_a_message(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set")

    def read(folder: Path, rng: random.Random) -> str:
        path = folder / "a.xlsx"
        write_case(path, rng)
        try:
            (report,) = convert(path, dataset)
        except CliprpnError as error:
            assert error.code in ("data_invalid", "bad_input"), error.code
            assert 0 < len(error.message) < MAX_MESSAGE_CHARS
            assert error.message.isprintable(), repr(error.message)
            return "refused"
        report.model_dump_json()
        assert report.num_answered + report.num_missing + report.num_unparsed == NUM_VAL
        boxes = np.array(predictions(path)["pred_box_xyxy"])
        assert np.isfinite(boxes).all() and (boxes >= 0).all() and (boxes <= max(map(max, SIZES))).all()
        return "read"

    fuzz(tmp_path, "workbooks", COUNT, SEED, read)
