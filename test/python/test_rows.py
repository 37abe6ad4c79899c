"""JSON Lines and CSV: valid rows are read, and problems are reported by line."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import pytest
from user_data import make_rows, read, rows_source, write_csv, write_jsonl

from cliprpn.data.rows.text_lines import MAX_LINE_BYTES
from cliprpn.errors import CliprpnError

REAL = Path(__file__).parents[3] / "shared" / "data" / "refcocog-umd-val.jsonl"


def test_rows_become_images_objects_and_sentences(tmp_path: Path) -> None:
    annotations, problems = read(rows_source(write_jsonl(tmp_path / "data.jsonl", make_rows())))
    assert problems == [] and annotations.notes == []
    assert [(image.image_id, image.file_name) for image in annotations.images] == [
        (1, "train/p0.jpg"),
        (2, "train/p1.jpg"),
    ]
    assert [record.box for record in annotations.objects.values()] == [
        (10.5, 20, 30.25, 40),
        (60.5, 20, 30.25, 40),
        (10.5, 20, 30.25, 40),
    ]
    assert [sentence.sentence for sentence in annotations.sentences] == [
        row["sentence"] for row in make_rows()
    ]
    assert [(row.ann_id, row.ref_id, row.sent_id) for row in annotations.sentences[:3]] == [
        (1, 1, 1),
        (1, 1, 2),
        (2, 2, 3),
    ]
    assert {sentence.split for sentence in annotations.sentences} == {None}


def test_csv_and_json_lines_give_the_same_records(tmp_path: Path) -> None:
    rows = make_rows()
    rows[1]["sentence"] = 'the "big", brown dog\nat the café'
    known = {"split": "testA", "image_id": 3, "width": 640, "height": 480, "category": "dog"}
    full = [{**row, **known, "image": "a.jpg"} for row in rows]
    jsonl, _ = read(rows_source(write_jsonl(tmp_path / "data.jsonl", full)))
    for box in (str, lambda box: ",".join(map(str, box)), lambda box: " ".join(map(str, box))):
        written = write_csv(tmp_path / "data.csv", [{**row, "box": box(row["box"])} for row in full])
        csv, problems = read(rows_source(written, format="csv"))
        assert problems == [] and csv == jsonl


@pytest.mark.parametrize("separator", [";", "\t"])
def test_csv_with_other_separators_is_read(tmp_path: Path, separator: str) -> None:
    text = f"image{separator}sentence{separator}box\na.jpg{separator}a dog, left{separator}1,2,3,4\n"
    (tmp_path / "data.csv").write_text(text)
    annotations, problems = read(rows_source(tmp_path / "data.csv", format="csv"))
    assert problems == [] and annotations.sentences[0].sentence == "a dog, left"


def test_public_evaluation_sets_are_read_with_named_columns(tmp_path: Path) -> None:
    ref_l4 = {  # Ref-L4: boxes xywh, image ids are text for one of its two sources.
        "id": 0,
        "caption": "A café sign that hangs over the door.",
        "bbox": [285, 128, 112, 91],
        "bbox_area": 10192,
        "bbox_id": 0,
        "ori_category_id": "o365_128",
        "image_id": "o365_v1_001",
        "height": 512,
        "width": 768,
        "file_name": "objects365_v1_00118203.jpg",
        "is_rewrite": False,
        "split": "val",
    }
    ref_adv = {  # Ref-Adv: boxes xyxy.
        "file_name": "000000123.jpg",
        "normal_caption": "the man without a hat",
        "solution": [10.0, 20.0, 110.5, 220.0],
        "width": 640,
        "height": 480,
        "distractors": [[1, 2, 3, 4], [5, 6, 7, 8]],
        "image_source": "COCO",
        "use_negation": True,
    }
    columns = {"image": "file_name", "sentence": "caption", "box": "bbox"}
    for format, write in (("jsonl", write_jsonl), ("csv", write_csv)):
        path = write(tmp_path / f"l4.{format}", [ref_l4])
        annotations, problems = read(rows_source(path, format=format, **columns))
        assert problems == [] and annotations.sentences[0].split == "val"
        assert annotations.objects[1].box == (285, 128, 112, 91) and annotations.images[0].width == 768
        path = write(tmp_path / f"adv.{format}", [ref_adv])
        columns_adv = {"image": "file_name", "sentence": "normal_caption", "box": "solution"}
        annotations, problems = read(
            rows_source((path, "test"), format=format, box_format="xyxy", **columns_adv)
        )
        assert problems == [] and annotations.sentences[0].split == "test"
        assert annotations.objects[1].box == (10, 20, 110.5, 220)


@pytest.mark.skipif(not REAL.is_file(), reason="needs ../shared/data/refcocog-umd-val.jsonl")
def test_real_sentences_are_read_unchanged() -> None:
    annotations, problems = read(rows_source((REAL, "val"), image="file_name", box="bbox"))
    originals = [json.loads(line) for line in REAL.read_text(encoding="utf-8").splitlines()]
    assert problems == []
    assert [sentence.sentence for sentence in annotations.sentences] == [row["sentence"] for row in originals]
    assert [list(annotations.objects[sentence.ann_id].box) for sentence in annotations.sentences] == [
        row["bbox"] for row in originals
    ]
    assert [(sentence.image_id, sentence.ann_id) for sentence in annotations.sentences] == [
        (row["image_id"], row["ann_id"]) for row in originals
    ]
    (note,) = annotations.notes
    assert note.startswith("7 rows repeat")
    _, problems = read(rows_source((REAL, "val"), box_format="xyxy", image="file_name", box="bbox"))
    assert "60% of 2,567 boxes are not valid as xyxy, and 100% are valid as xywh" in problems[0]
    assert len(problems) == 1 and "refcocog-umd-val.jsonl:1: [153.18, 213.25, 134.57, 213.02]" in problems[0]


@pytest.mark.parametrize(
    ("box_format", "boxes", "likely"),
    [
        ("xyxy", [[300, 200, 30, 40], [50, 60, 70, 80], [90, 80, 70, 60]], "is xywh"),
        ("cxcywh_norm", [[300, 200, 30, 40], [50, 60, 70, 80]], "is xywh"),
        ("xywh", [[0.5, 0.5, 0.25, 0.125], [0.1, 0.1, 0.2, 0.2]], "is xywh_norm or cxcywh_norm"),
        ("xywh", [[300, 200, 630, 440], [350, 250, 600, 400]], "is xyxy"),
        ("xywh", [[10, 20, 630, 440], [1, 1, 20, 30]], None),
    ],
)
def test_boxes_of_another_format_get_a_hint(
    tmp_path: Path, box_format: str, boxes: list[Any], likely: str | None
) -> None:
    sizes = {"width": 640, "height": 480}
    rows = [{"image": "a.jpg", "sentence": str(box), "box": box, **sizes} for box in boxes]
    _, problems = read(rows_source(write_jsonl(tmp_path / "data.jsonl", rows), box_format=box_format))
    assert likely in problems[0] if likely else problems == []


GOOD: dict[str, Any] = {"image": "a.jpg", "sentence": "a dog", "box": [1, 2, 3, 4]}
BAD: dict[str, tuple[Any, str]] = {
    "no box": ({"image": "a.jpg", "sentence": "a"}, "box: expected four numbers (xywh: left, top"),
    "three numbers": ({**GOOD, "box": [1, 2, 3]}, "box: expected four numbers"),
    "a number as a word": ({**GOOD, "box": "1,2,three,4"}, "box: expected four numbers"),
    "NaN": ({**GOOD, "box": [1, 2, float("nan"), 4]}, "box: expected four numbers"),
    "infinity": ({**GOOD, "box": [1, 2, float("inf"), 4]}, "box: expected four numbers"),
    "a huge number": ({**GOOD, "box": [1, 2, 10**400, 4]}, "box: expected four numbers"),
    "more pixels than any image has": ({**GOOD, "box": [1, 2, 1e308, 4]}, "box: expected four numbers"),
    "booleans": ({**GOOD, "box": [True, False, True, True]}, "box: expected four numbers"),
    "no area": ({**GOOD, "box": [1, 2, 0, 4]}, "box: expected a positive area"),
    "no sentence": ({**GOOD, "sentence": None}, "sentence: expected a sentence, found None"),
    "whitespace": ({**GOOD, "sentence": " \t\n "}, "sentence: expected a sentence"),
    "a lone surrogate": ({**GOOD, "sentence": "a \ud800"}, "sentence: expected a sentence"),
    "a very long sentence": ({**GOOD, "sentence": "a" * 10_001}, "sentence: expected a sentence of at most 10,000"),
    "another key": (
        {"photo": "a.jpg", "sentence": "a", "box": [1, 2, 3, 4]},
        "image: expected a file name, found no such column in 'photo, s",
    ),
    "a folder": ({**GOOD, "image": "images/"}, "image: expected the name of a file"),
    "a control character": ({**GOOD, "image": "a\x1b[2J.jpg"}, "image: expected a file name without control"),
    "a null byte": ({**GOOD, "image": "a\0.jpg"}, "image: expected a file name without control"),
    "bytes of an image": ({**GOOD, "image": {"bytes": "x"}}, "image: expected a file name"),
    "another split": ({**GOOD, "split": "both"}, "split: expected train, val, test, testA or testB"),
    "no size": ({**GOOD, "width": 0}, "width: expected a whole number of pixels, found 0"),
    "a list as category": ({**GOOD, "category": ["dog"]}, "category: expected text"),
    "a list": ([1, 2], "expected a JSON object, found [1, 2]"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_an_invalid_row_is_reported_by_line(tmp_path: Path, name: str) -> None:
    row, expected = BAD[name]
    path = tmp_path / "data.jsonl"
    path.write_text("".join(f"{json.dumps(item)}\n" for item in (GOOD, row, {**GOOD, "image": "z.jpg"})))
    annotations, problems = read(rows_source(path))
    assert len(problems) == 1 and problems[0].startswith(f"data.jsonl:2: {expected}"), problems
    assert len(problems[0]) < 300 and [image.file_name for image in annotations.images] == ["a.jpg", "z.jpg"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{oops}", "data.jsonl:2: expected a JSON object: Expecting property name"),
        (b'{"image": "a.jpg", "image": "b.jpg"}', "key 'image'"),
        (b"[" * 100_000, "data.jsonl:2: expected a JSON object: lists or objects nested too deep"),
        (b"9" * 10_000, "data.jsonl:2: expected a JSON object: Exceeds the limit"),
        (b'{"sentence": "caf\xe9"}', "data.jsonl:2: expected UTF-8, found byte 0xe9 at 18"),
        (b" " * (MAX_LINE_BYTES + 1), "data.jsonl:2: expected a line of at most 16,777,216 bytes"),
        (b"\0", "data.jsonl:2: expected a JSON object"),
    ],
)
def test_a_line_without_a_valid_object_is_reported(tmp_path: Path, line: bytes, expected: str) -> None:
    good = json.dumps(GOOD).encode()
    (tmp_path / "data.jsonl").write_bytes(good + b"\n" + line + b"\n" + good + b"\n")
    annotations, problems = read(rows_source(tmp_path / "data.jsonl"))
    assert len(problems) == 1 and expected in problems[0] and len(problems[0]) < 300
    assert len(annotations.sentences) == 2


def test_byte_order_marks_and_crlf_are_accepted(tmp_path: Path) -> None:
    lines = json.dumps(GOOD).encode() + b"\r\n\r\n" + json.dumps(GOOD).encode() + b"\r\n\r\n"
    (tmp_path / "data.jsonl").write_bytes(codecs.BOM_UTF8 + lines)
    assert len(read(rows_source(tmp_path / "data.jsonl"))[0].sentences) == 2
    table = b'image,sentence,box\r\na.jpg,a dog,"1,2,3,4"\r\n\r\n,,\r\n'
    (tmp_path / "data.csv").write_bytes(codecs.BOM_UTF8 + table)
    annotations, problems = read(rows_source(tmp_path / "data.csv", format="csv"))
    assert problems == [] and len(annotations.sentences) == 1
    (tmp_path / "data.csv").write_bytes(table.decode().encode("utf-16"))
    from_utf16, problems = read(rows_source(tmp_path / "data.csv", format="csv"))
    assert problems == [] and from_utf16 == annotations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "data.csv:1: expected a header row with image, sentence, box"),
        (
            "image,words,box\na.jpg,a,1\n",
            "expected a header row with sentence, each name once, found sentence: no such column in 'image, words",
        ),
        ("image,sentence,box,box\n", "each name once"),
        (
            "image,sentence,box\na.jpg,a dog,1,2,3,4\n",
            "data.csv:2: expected 3 values as in the header, found 6",
        ),
        ("image,sentence,box\na.jpg,a dog\n", "data.csv:2: expected 3 values as in the header, found 2"),
        ('image,sentence,box\na.jpg,"a dog,"1,2,3,4"\n', "data.csv:2: expected CSV"),
        ('image,sentence,box\nb.jpg,b,"1,2,3,4"\na.jpg,"a dog', "data.csv:3: expected CSV: unexpected end"),
        (f"image,sentence,box\na.jpg,{'a' * 200_000},x\n", "data.csv:2: expected CSV: field larger"),
    ],
)
def test_a_broken_table_is_reported_by_line(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "data.csv").write_text(text)
    _, problems = read(rows_source(tmp_path / "data.csv", format="csv"))
    assert expected in problems[0]


def test_given_ids_are_used_if_consistent_and_replaced_otherwise(tmp_path: Path) -> None:
    def ids_of(*changes: dict[str, Any]) -> tuple[list[tuple[int, ...]], list[str]]:
        rows = [{**row, **change} for row, change in zip(make_rows(4), changes, strict=True)]
        annotations, problems = read(rows_source(write_jsonl(tmp_path / "data.jsonl", rows)))
        assert problems == []
        return [
            (sentence.image_id, sentence.ann_id, sentence.ref_id, sentence.sent_id)
            for sentence in annotations.sentences
        ], annotations.notes

    given = [{"image_id": 70, "ann_id": 5 + i // 2, "ref_id": 30 + i, "sent_id": 9 - i} for i in range(4)]
    assert ids_of(*given) == ([(70, 5, 30, 9), (70, 5, 31, 8), (70, 6, 32, 7), (70, 6, 33, 6)], [])
    counted, notes = ids_of(*({**row, "ann_id": 5} for row in given))
    assert [ids[1] for ids in counted] == [1, 1, 2, 2] and [ids[2] for ids in counted] == [30, 31, 32, 33]
    assert len(notes) == 1 and "ann_id: 5 at data.jsonl:3" in notes[0]
    counted, notes = ids_of(*({**row, "sent_id": 1} for row in given))
    assert [ids[3] for ids in counted] == [1, 2, 3, 4] and "sent_id: 1 at data.jsonl:2" in notes[0]
    counted, notes = ids_of(given[0], {**given[1], "image_id": "coco_70"}, *given[2:])
    assert counted[0][0] == 1 and len(notes) == 2 and "'coco_70'" in notes[0]


def test_two_sizes_of_an_image_are_a_problem(tmp_path: Path) -> None:
    rows = [{**GOOD, "width": 640, "height": 480}, {**GOOD, "width": 480, "height": 640}]
    _, problems = read(rows_source(write_jsonl(tmp_path / "data.jsonl", rows)))
    (problem,) = problems
    assert problem.startswith("data.jsonl:2: width, height: ")
    assert all(part in problem for part in ("640 x 480", "'a.jpg'", "480 x 640"))


def test_the_split_of_a_file_overrides_its_rows(tmp_path: Path) -> None:
    rows = [{**row, "split": "train"} for row in make_rows(2)]
    train, test = (write_jsonl(tmp_path / f"{name}.jsonl", rows) for name in ("train", "test"))
    annotations, problems = read(rows_source((train, "train"), (test, "test")))
    assert problems == [] and [sentence.split for sentence in annotations.sentences] == [
        "train",
        "train",
        "test",
        "test",
    ]
    assert any(note.startswith("test.jsonl: 2 rows") for note in annotations.notes)


def test_a_missing_or_empty_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CliprpnError) as caught:
        read(rows_source(tmp_path / "none.jsonl"))
    assert caught.value.code == "data_invalid" and "none.jsonl" in caught.value.message
    (tmp_path / "empty.jsonl").write_text("\n\n")
    assert "expected rows with a sentence" in read(rows_source(tmp_path / "empty.jsonl"))[1][0]
