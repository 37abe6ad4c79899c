"""Questions for vision-language models: every expression once, filled into the prompt, and never with its box."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from user_data import rows_source, write_jsonl

from cliprpn.data.index import DatasetIndex, open_tables
from cliprpn.data.questions import describe_coordinates, export_questions
from cliprpn.data.sources import read_source
from cliprpn.data.tables import write_tables
from cliprpn.errors import CliprpnError

SENTENCES = ["the red dog", "a {coordinates} sign, {}", 'say "hi"\n', "狗 on the left"]
OPTIONS: dict[str, Any] = {
    "split": None,
    "only": None,
    "prompt": "Find {expression} ({coordinates}).",
    "coordinates": "xyxy_1000",
    "image_paths": "relative",
}


@pytest.fixture
def index(tmp_path: Path) -> DatasetIndex:
    rows = [
        {
            "image": f"{number}.jpg",
            "sentence": sentence,
            "box": [123, 45, 67, 89],
            "sent_id": 100 + number,
            "split": "val" if number < 2 else "test",
            "width": 640,
            "height": 480,
        }
        for number, sentence in enumerate(SENTENCES)
    ]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    source = rows_source(tmp_path / "rows.jsonl")
    write_tables(read_source(source).annotations, None, tmp_path / "set")
    return open_tables(tmp_path / "set", "own", None, source.box_format)


def exported(index: DatasetIndex, **options: Any) -> list[dict[str, Any]]:
    file = index.root.parent / "questions.jsonl"
    number = export_questions(index, file, **{**OPTIONS, **options})
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    assert len(rows) == number
    return rows


def test_each_expression_is_asked_once_without_its_box(index: DatasetIndex) -> None:
    rows = exported(index)
    assert sorted(row["sent_id"] for row in rows) == [100, 101, 102, 103]
    assert {row["image"] for row in rows} == {"0.jpg", "1.jpg", "2.jpg", "3.jpg"}
    assert {(row["width"], row["height"], row["coordinates"]) for row in rows} == {(640, 480, "xyxy_1000")}
    text = json.dumps(rows)
    assert not any(number in text for number in ("123", "45", "67", "89"))
    assert "box" not in rows[0] and "ann_id" not in rows[0]


def test_an_expression_with_braces_stays_as_it_is(index: DatasetIndex) -> None:
    (row,) = (row for row in exported(index) if row["sent_id"] == 101)
    expected = f"Find a {{coordinates}} sign, {{}} ({describe_coordinates('xyxy_1000')})."
    assert row["prompt"] == expected


def test_a_prompt_may_use_empty_braces_sizes_and_json(index: DatasetIndex) -> None:
    rows = exported(index, prompt='{} {width}x{height} {"bbox_2d": []}')
    assert rows[0]["prompt"] == f'{rows[0]["expression"]} 640x480 {{"bbox_2d": []}}'


def test_only_one_split_or_the_expressions_of_a_list(index: DatasetIndex, tmp_path: Path) -> None:
    assert {row["sent_id"] for row in exported(index, split="test")} == {102, 103}
    (tmp_path / "only.json").write_text('{"sent_id": [101, 103]}')
    assert {row["sent_id"] for row in exported(index, only=str(tmp_path / "only.json"))} == {101, 103}


def test_absolute_paths_are_those_of_the_images(index: DatasetIndex, tmp_path: Path) -> None:
    rows = exported(replace(index, images_dir=tmp_path / "photos"), image_paths="absolute")
    assert rows[0]["image"] == str(tmp_path / "photos" / "0.jpg")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prompt": "Where is it?"}, "--prompt"),
        ({"split": "testA"}, "val, test"),
        ({"image_paths": "absolute"}, "--image-paths relative"),
    ],
)
def test_what_cannot_be_asked_is_refused(index: DatasetIndex, options: dict[str, Any], said: str) -> None:
    with pytest.raises(CliprpnError, match=said) as caught:
        exported(index, **options)
    assert caught.value.code == "bad_input"
    assert not (index.root.parent / "questions.jsonl").exists()


@pytest.mark.parametrize(
    ("coordinates", "words"),
    [
        ("xyxy", ("x1, y1, x2, y2", "pixels")),
        ("xywh_norm", ("width", "0 to 1")),
        ("cxcywh_1000", ("center", "0 to 1000")),
        ("xyxy@long:1024", ("x2", "pixels")),
    ],
)
def test_coordinates_have_words(coordinates: str, words: tuple[str, ...]) -> None:
    assert all(word in describe_coordinates(coordinates) for word in words)
