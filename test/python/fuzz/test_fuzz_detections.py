"""Broken files of detections are read, or refused with a message; no crash, hang or other exception.

The suite runs a few hundred inputs; `CLIPRPN_FUZZ_COUNT=10000` runs more, `CLIPRPN_FUZZ_SEED` others.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detections import by_image, file_name, make_index, make_objects, read
from fuzzing import MAX_MESSAGE_CHARS, PIECES, broken_bytes, fuzz, odd, time_limit
from test_results_formats import LAYOUTS, TEXTS

from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError

COUNT = int(os.environ.get("CLIPRPN_FUZZ_COUNT", "300"))
SEED = int(os.environ.get("CLIPRPN_FUZZ_SEED", "0"))
OBJECTS = make_objects(4)
INDEX = make_index(OBJECTS)
OPTIONS: list[dict[str, Any]] = [
    *({} for _ in range(6)),
    {"box_format": "xyxy_norm"},
    {"box_format": "yxyx_1000"},
    {"score_max": 100.0},
    {"category_ids": "coco80"},
    {"category_ids": "none"},
]


def test_broken_detections_are_read_or_refused_with_a_message(tmp_path: Path) -> None:
    def read_case(folder: Path, rng: random.Random) -> str:
        return outcome(write_case(folder, rng), INDEX, rng.choice(OPTIONS))

    fuzz(tmp_path, "detections", COUNT, SEED, read_case, least=100, share=0.05)


def outcome(file: Path, index: DatasetIndex, options: dict[str, Any]) -> str:
    try:
        results = read(file, index, **options)
    except CliprpnError as error:
        assert error.code == "data_invalid", error.code
        check_text(error.message)
        return "refused"
    for note in results.notes:
        check_text(note)
    for row in range(len(index.images)):
        proposals = results.proposals_of(row)
        width, height = (index.images[side][row].as_py() for side in ("width", "height"))
        boxes = proposals.boxes_xyxy.numpy()
        assert (
            np.isfinite(boxes).all()
            and (boxes >= 0).all()
            and (boxes <= [width, height, width, height]).all()
        )
        assert ((proposals.scores >= 0) & (proposals.scores <= 1)).all()
        assert set(proposals.categories) - {""} <= set(results.classes)
    return "read"


def check_text(text: str) -> None:
    assert 0 < len(text) < MAX_MESSAGE_CHARS
    assert all(char.isprintable() or char == "\n" for char in text), repr(text)


def write_case(folder: Path, rng: random.Random) -> Path:
    """A file of a random layout with some odd values and some broken bytes."""
    layout = rng.choice([*LAYOUTS, *TEXTS])
    content: Any
    if layout in TEXTS:
        content = [
            {"image": file_name(row), "response": broken_text("".join(map(TEXTS[layout], each)), rng)}
            for row, each in by_image(OBJECTS).items()
        ]
    else:
        content = LAYOUTS[layout](OBJECTS)
    content = odd(content, rng)
    if isinstance(content, list) and rng.random() < 0.3:
        data = "".join(f"{json.dumps(item)}\n" for item in content)
        file = folder / rng.choice(["case.jsonl", "case.json"])
    elif isinstance(content, list) and rng.random() < 0.1:
        data = "\n".join(["image,xmin,ymin,xmax,ymax,score", f"{file_name(0)},1,2,30,40,0.5"] * 2)
        file = folder / "case.csv"
    else:
        data, file = json.dumps(content), folder / "case.json"
    file.write_bytes(broken_bytes(data.encode(), rng))
    return file


def broken_text(text: str, rng: random.Random) -> str:
    """A language model's answer with something inserted, or cut off."""
    if rng.random() < 0.5:
        return text
    at = rng.randrange(len(text) + 1)
    piece = rng.choice(
        [*(piece.decode("latin-1") for piece in PIECES), "<box>", "<loc_1>" * 999, "[1,2,3,4]" * 50]
    )
    return text[:at] + piece[:5000] + ("" if rng.random() < 0.3 else text[at:])


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "(1,2)," * 20_000, "<box>" * 20_000, "<loc_1>" * 20_000, "{" * 90_000]
)
def test_long_answers_take_no_long_time(tmp_path: Path, text: str) -> None:
    file = tmp_path / "case.json"
    file.write_text(json.dumps([{"image": file_name(0), "response": text}] * 20))
    with time_limit():
        outcome(file, INDEX, {})
