"""Broken files of answers are read, or refused with a message; no crash, hang or other exception.

The suite runs `CLIPRPN_FUZZ_COUNT` inputs (60 by default), `CLIPRPN_FUZZ_SEED` changes all of them.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import numpy as np
from fuzzing import MAX_MESSAGE_CHARS, broken_bytes, fuzz, odd
from made_answers import NUM_VAL, SIZES, VAL, convert, make_dataset, predictions, row_of
from test_answers_formats import FORMATS
from test_answers_hostile import CSV

from cliprpn.errors import CliprpnError

COUNT = int(os.environ.get("CLIPRPN_FUZZ_COUNT", "60"))
SEED = int(os.environ.get("CLIPRPN_FUZZ_SEED", "0"))


def write_case(folder: Path, rng: random.Random) -> Path:
    kind = rng.choice(["rows", "rows", "csv", *FORMATS])
    if kind == "csv":
        path = folder / "a.csv"
        path.write_bytes(CSV.encode(rng.choice(["utf-8", "utf-8-sig", "utf-16"])))
    elif kind == "rows":
        path = folder / "a.json"
        path.write_text(json.dumps(odd([row_of(each, score=0.5) for each in VAL], rng)))
    else:
        path = FORMATS[kind][0](folder)
    path.write_bytes(broken_bytes(path.read_bytes(), rng))
    return path


def test_broken_answers_are_read_or_refused_with_a_message(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set")

    def read(folder: Path, rng: random.Random) -> str:
        path = write_case(folder, rng)
        try:
            (report,) = convert(path, dataset, said=rng.choice([None, "xyxy", "xyxy", "xywh"]))
        except CliprpnError as error:
            assert error.code in ("data_invalid", "bad_input"), error.code
            assert 0 < len(error.message) < MAX_MESSAGE_CHARS
            assert error.message.isprintable(), repr(error.message)
            return "refused"
        report.model_dump_json()
        for text in (*report.notes, *report.warnings, *(each.text for each in report.examples)):
            assert text.isprintable(), repr(text)
        assert report.num_answered + report.num_missing + report.num_unparsed == NUM_VAL
        columns = predictions(path)
        boxes, ious = np.array(columns["pred_box_xyxy"]), np.array(columns["iou"])
        assert np.isfinite(boxes).all() and (boxes >= 0).all() and (boxes <= max(map(max, SIZES))).all()
        assert ((ious >= 0) & (ious <= 1)).all()
        return "read"

    fuzz(tmp_path, "answers", COUNT, SEED, read)
