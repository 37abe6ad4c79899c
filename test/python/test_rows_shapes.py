"""Rows in the shapes that people have: other names, boxes as text or objects, lists of sentences, lists in JSON."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from user_data import make_rows, read, rows_source, write_csv, write_jsonl

from cliprpn.contract.generated import RowsSource
from cliprpn.data.annotations import Annotations
from cliprpn.errors import CliprpnError

ROWS = make_rows(4)


def expected(tmp_path: Path, rows: list[dict[str, Any]] = ROWS) -> list[tuple[str, str, tuple[float, ...]]]:
    return facts(read(rows_source(write_jsonl(tmp_path / "expected.jsonl", rows)))[0])


def facts(annotations: Annotations) -> list[tuple[str, str, tuple[float, ...]]]:
    """Image, expression and box of each sentence."""
    names = {image.image_id: image.file_name for image in annotations.images}
    return [
        (names[row.image_id], row.sentence, annotations.objects[row.ann_id].box)
        for row in annotations.sentences
    ]


def with_rows(source: RowsSource, key: str) -> RowsSource:
    return source.model_copy(update={"rows": key})


XYXY = (10.5, 20.0, 40.75, 60.0)


@pytest.mark.parametrize(
    "text",
    [
        "(10.5, 20, 40.75, 60)",
        "[10.5 20. 40.75 60.]",
        "[ 10.5   20.    40.75  60.  ]",
        "[np.float64(10.5), np.float64(20.0), np.float64(40.75), np.float64(60.0)]",
        "array([10.5, 20. , 40.75, 60. ])",
        "array([10.5, 20., 40.75, 60.], dtype=float32)",
        "tensor([10.5000, 20.0000, 40.7500, 60.0000], device='cuda:0')",
        "[[10.5, 20, 40.75, 60]]",
        "[Decimal('10.5'), Decimal('20'), Decimal('40.75'), Decimal('60')]",
        "10,5 20,0 40,75 60,0",
        "10,5; 20,0; 40,75; 60,0",
        "10.5;20;40.75;60",
        '{"x1": 10.5, "y1": 20, "x2": 40.75, "y2": 60}',
        "{'xmin': 10.5, 'ymin': 20, 'xmax': 40.75, 'ymax': 60}",
        "<box>[[10.5, 20, 40.75, 60]]</box>",
        "[[10.5, 20], [40.75, 60]]",
        "<|box_start|>(10.5,20),(40.75,60)<|box_end|>",
        "1.05e1 2e1 4.075e1 6e1",
    ],
)
def test_a_box_in_text_is_read(tmp_path: Path, text: str) -> None:
    path = write_csv(tmp_path / "data.csv", [{"image": "a.jpg", "sentence": "a dog", "box": text}])
    annotations, problems = read(rows_source(path, format="csv", box_format="xyxy"))
    assert problems == [] and facts(annotations) == [("a.jpg", "a dog", XYXY)]


@pytest.mark.parametrize(
    "text",
    [
        "10,5,20,0,40,75,60,0",
        "1.234,5 20 30 40",
        "[10, 20, 30",
        "10 20 30 40]",
        "[10, 20, 30, forty]",
        "f(10, 20, 30, 40)",
        "nan 1 2 3",
        "[" * 5000,
        "1" * 30_000,
        "{'x': 1}",
        "__import__('os').system('true')",
    ],
)
def test_text_that_is_no_box_is_rejected_with_its_line(tmp_path: Path, text: str) -> None:
    path = write_csv(tmp_path / "data.csv", [{"image": "a.jpg", "sentence": "a dog", "box": text}])
    _, problems = read(rows_source(path, format="csv", box_format="xyxy"))
    assert len(problems) == 1 and problems[0].startswith("data.csv:2: box: expected four numbers (xyxy")


@pytest.mark.parametrize(
    ("box", "box_format", "numbers"),
    [
        ({"x": 1, "y": 2, "width": 30, "height": 40}, "xywh", (1, 2, 30, 40)),
        ({"X": 1, "Y": 2, "W": 30, "H": 40, "label": "dog", "score": 0.5}, "xywh", (1, 2, 30, 40)),
        ({"left": 1, "top": 2, "width": 30, "height": 40}, "xywh", (1, 2, 30, 40)),
        ({"left": 1, "top": 2, "right": 30, "bottom": 40}, "xyxy", (1, 2, 30, 40)),
        ({"ymax": 40, "xmax": 30, "ymin": 2, "xmin": 1}, "xyxy", (1, 2, 30, 40)),
        ({"x_min": "1", "y_min": "2", "x_max": "30.5", "y_max": "40"}, "xyxy", (1, 2, 30.5, 40)),
        ({"bbox_x1": 1, "bbox_y1": 2, "bbox_x2": 30, "bbox_y2": 40}, "xyxy", (1, 2, 30, 40)),
        ({"xtl": 1, "ytl": 2, "xbr": 30, "ybr": 40}, "xyxy", (1, 2, 30, 40)),
        ({"cx": 0.5, "cy": 0.5, "w": 0.25, "h": 0.5}, "cxcywh_norm", (0.5, 0.5, 0.25, 0.5)),
        (["1", "2", "30", "40.5"], "xywh", (1, 2, 30, 40.5)),
        ([[1, 2], [30, 40]], "xyxy", (1, 2, 30, 40)),
        (  # Label Studio's percentages.
            {
                "x": 10,
                "y": 20,
                "width": 50,
                "height": 40,
                "rotation": 0,
                "original_width": 200,
                "original_height": 100,
            },
            "xywh",
            (20, 20, 100, 40),
        ),
    ],
)
def test_a_box_object_is_read(tmp_path: Path, box: Any, box_format: str, numbers: tuple[float, ...]) -> None:
    path = write_jsonl(tmp_path / "data.jsonl", [{"image": "a.jpg", "sentence": "a dog", "box": box}])
    annotations, problems = read(rows_source(path, box_format=box_format))
    assert problems == [] and facts(annotations) == [("a.jpg", "a dog", numbers)]


@pytest.mark.parametrize(
    ("box", "box_format", "said"),
    [
        ({"xmin": 1, "ymin": 2, "xmax": 30, "ymax": 40}, "xywh", "xyxy"),
        ({"x": 1, "y": 2, "width": 30, "height": 40}, "xyxy", "xywh"),
        ({"cx": 1, "cy": 2, "w": 30, "h": 40}, "xywh", "cxcywh"),
        ([[1, 2], [30, 40]], "xywh", "xyxy"),
    ],
)
def test_names_that_contradict_the_box_format_are_told(
    tmp_path: Path, box: Any, box_format: str, said: str
) -> None:
    path = write_jsonl(tmp_path / "data.jsonl", [{"image": "a.jpg", "sentence": "a dog", "box": box}])
    _, problems = read(rows_source(path, box_format=box_format))
    assert len(problems) == 1 and problems[0].startswith("data.jsonl:1: box: ")
    assert f"expected {box_format}, as --box-format says" in problems[0] and f"say {said}" in problems[0]


def test_a_rotated_box_is_no_box(tmp_path: Path) -> None:
    box = {"x": 1, "y": 2, "width": 30, "height": 40, "rotation": 30}
    path = write_jsonl(tmp_path / "data.jsonl", [{"image": "a.jpg", "sentence": "a dog", "box": box}])
    assert "data.jsonl:1: box" in read(rows_source(path))[1][0]


def test_four_columns_are_a_box(tmp_path: Path) -> None:
    rows = [
        {"image": row["image"], "sentence": row["sentence"]}
        | dict(zip(("left", "top", "w", "h"), row["box"], strict=True))
        for row in ROWS
    ]
    for format, path in (
        ("csv", write_csv(tmp_path / "a.csv", rows)),
        ("jsonl", write_jsonl(tmp_path / "a.jsonl", rows)),
    ):
        annotations, problems = read(rows_source(path, format=format, box="left+top+w+h"))
        assert problems == [] and facts(annotations) == expected(tmp_path) and annotations.notes == []
    _, problems = read(rows_source(tmp_path / "a.csv", format="csv", box="left+top+w+height"))
    assert len(problems) == 1 and "no column height in 'image, sentence, left, top, w, h'" in problems[0]


def test_four_common_columns_are_taken_with_a_note_if_they_fit_the_box_format(tmp_path: Path) -> None:
    rows = [
        {
            "image": "a.jpg",
            "sentence": "a",
            "width": 640,
            "height": 480,
            "xmin": 1,
            "ymin": 2,
            "xmax": 30,
            "ymax": 40,
        }
    ]
    path = write_csv(tmp_path / "a.csv", rows)
    annotations, problems = read(rows_source(path, format="csv", box_format="xyxy"))
    assert problems == [] and facts(annotations) == [("a.jpg", "a", (1, 2, 30, 40))]
    assert annotations.images[0].width == 640 and "--columns box=xmin+ymin+xmax+ymax" in annotations.notes[0]
    _, problems = read(rows_source(path, format="csv", box_format="xywh"))
    assert "--columns box=xmin+ymin+xmax+ymax --box-format xyxy" in problems[0]


def test_the_width_of_a_box_in_columns_is_not_the_images(tmp_path: Path) -> None:
    rows = [{"image": "a.jpg", "sentence": "a", "x": 100, "y": 200, "width": 30, "height": 40}]
    path = write_csv(tmp_path / "a.csv", rows)
    annotations, problems = read(rows_source(path, format="csv", box="x+y+width+height"))
    assert problems == [] and annotations.images[0].width is None
    assert facts(annotations) == [("a.jpg", "a", (100, 200, 30, 40))]


@pytest.mark.parametrize(
    "names",
    [
        {"image": "file_name", "sentence": "caption", "box": "bbox"},
        {"image": "Image", "sentence": "Sentence", "box": "BBox"},
        {"image": "img_path", "sentence": "text", "box": "2d_box"},
        {"image": " image ", "sentence": "Referring Expression", "box": "bounding_box"},
        {"image": "t2c_img", "sentence": "command", "box": "2d_box"},
    ],
)
def test_the_only_common_name_is_taken_with_a_note(tmp_path: Path, names: dict[str, str]) -> None:
    rows = [{names[key]: value for key, value in row.items()} for row in ROWS]
    for format, path in (
        ("csv", write_csv(tmp_path / "a.csv", rows)),
        ("jsonl", write_jsonl(tmp_path / "a.jsonl", rows)),
    ):
        annotations, problems = read(rows_source(path, format=format))
        assert problems == [] and facts(annotations) == expected(tmp_path)
        assert len(annotations.notes) + (format == "csv") >= 2 and all(
            "taken" in note for note in annotations.notes
        )


def test_several_common_names_are_a_choice(tmp_path: Path) -> None:
    rows = [{"image": "a.jpg", "caption": "a", "text": "b", "box": [1, 2, 3, 4]}]
    _, problems = read(rows_source(write_jsonl(tmp_path / "a.jsonl", rows)))
    assert len(problems) == 1 and "--columns sentence=caption or --columns sentence=text" in problems[0]


def test_dotted_names_reach_into_objects_and_lists(tmp_path: Path) -> None:
    rows = [
        {
            "meta": {"file": {"name": row["image"], "size": [640, 480]}},
            "says": [{"text": row["sentence"]}],
            "target": {"box": row["box"]},
            "a.b": "dog",
        }
        for row in ROWS
    ]
    source = rows_source(
        write_jsonl(tmp_path / "a.jsonl", rows),
        image="meta.file.name",
        sentence="says.0.text",
        box="target.box",
        width="meta.file.size.0",
        height="meta.file.size.1",
        category="a.b",
    )
    annotations, problems = read(source)
    assert problems == [] and facts(annotations) == expected(tmp_path)
    assert (annotations.images[0].width, annotations.images[0].height) == (640, 480)
    assert {record.category for record in annotations.objects.values()} == {"dog"}


def test_each_sentence_of_a_list_is_an_expression(tmp_path: Path) -> None:
    lists: list[tuple[Any, Any]] = [
        (["a dog", "the dog"], [7, 8]),
        ([{"sent": "a dog", "sent_id": 7}, {"sent": "the dog", "sent_id": 8}], None),
        ([{"raw": "A Dog", "sent": "a dog", "sent_id": 7}, {"sent": "the dog", "sent_id": 8}], None),
    ]
    for sentences, ids in lists:
        row = {"image": "a.jpg", "sentences": sentences, "box": [1, 2, 3, 4], "ref_id": 5}
        rows = [row | ({"sent_id": ids} if ids else {})]
        annotations, problems = read(
            rows_source(write_jsonl(tmp_path / "a.jsonl", rows), sentence="sentences")
        )
        assert problems == []
        assert [(row.sentence, row.sent_id, row.ref_id) for row in annotations.sentences] == [
            ("a dog", 7, 5),
            ("the dog", 8, 5),
        ]
        assert len(annotations.objects) == 1
    _, problems = read(
        rows_source(
            write_jsonl(
                tmp_path / "a.jsonl", [{"image": "a.jpg", "sentence": ["a", 3, []], "box": [1, 2, 3, 4]}]
            )
        )
    )
    assert [problem.split(", found")[0] for problem in problems] == [
        "data.jsonl:1: sentence: expected a sentence"
    ] * 2 or (len(problems) == 2 and all(problem.startswith("a.jsonl:1: sentence: ") for problem in problems))


@pytest.mark.parametrize(
    "text", ["['a dog', \"the dog's bone\"]", '["a dog", "the dog\'s bone"]', "['a dog' \"the dog's bone\"]"]
)
def test_a_list_of_sentences_in_text_is_read(tmp_path: Path, text: str) -> None:
    path = write_csv(tmp_path / "a.csv", [{"image": "a.jpg", "sentence": text, "box": "1,2,3,4"}])
    annotations, problems = read(rows_source(path, format="csv"))
    assert problems == [] and [row.sentence for row in annotations.sentences] == ["a dog", "the dog's bone"]


def test_text_ids_are_names(tmp_path: Path) -> None:
    rows = [
        {
            **row,
            "image_id": f"img-{row['image']}",
            "ann_id": f"a{i // 2}",
            "ref_id": f"r{i}",
            "sent_id": f"s{i}",
        }
        for i, row in enumerate(make_rows(4))
    ]
    for row in rows:
        row["box"] = rows[0]["box"]  # The same box, but two objects.
    annotations, problems = read(rows_source(write_jsonl(tmp_path / "a.jsonl", rows)))
    assert problems == []
    assert [(row.ann_id, row.ref_id, row.sent_id) for row in annotations.sentences] == [
        (1, 1, 1),
        (1, 2, 2),
        (2, 3, 3),
        (2, 4, 4),
    ]
    assert [note.split(":")[0] for note in annotations.notes] == ["image_id", "ann_id", "ref_id", "sent_id"]
    numbers = [{**row, "ann_id": str(5 + i // 2)} for i, row in enumerate(make_rows(4))]
    annotations, _ = read(rows_source(write_jsonl(tmp_path / "b.jsonl", numbers)))
    assert [row.ann_id for row in annotations.sentences] == [5, 5, 6, 6] and annotations.notes == []


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("validation", "val"),
        ("Val", "val"),
        ("DEV", "val"),
        ("minival", "val"),
        ("valid", "val"),
        ("Training", "train"),
        ("testing", "test"),
        ("test_a", "testA"),
        ("TESTB", "testB"),
    ],
)
def test_a_split_by_another_name_is_translated_and_noted_once(tmp_path: Path, name: str, split: str) -> None:
    rows = [{**row, "split": name} for row in ROWS]
    annotations, problems = read(rows_source(write_jsonl(tmp_path / "a.jsonl", rows)))
    assert problems == [] and {row.split for row in annotations.sentences} == {split}
    assert (
        len(annotations.notes) == 1
        and repr(name) in annotations.notes[0]
        and "4 rows" in annotations.notes[0]
    )


def test_missing_values_of_tables_are_none(tmp_path: Path) -> None:
    nan = float("nan")
    rows = [
        {**row, "split": nan, "category": nan, "width": nan, "height": nan, "ann_id": nan} for row in ROWS
    ]
    jsonl, problems = read(rows_source(write_jsonl(tmp_path / "a.jsonl", rows)))
    assert problems == [] and facts(jsonl) == expected(tmp_path)
    assert {row.split for row in jsonl.sentences} == {None}
    csv, problems = read(rows_source(write_csv(tmp_path / "a.csv", rows), format="csv"))
    assert problems == [] and csv == jsonl


REGIONS = [{key: row[key] for key in ("sentence", "box")} for row in ROWS]
JSON_SHAPES: dict[str, tuple[Any, str | None]] = {
    "a list": (ROWS, None),
    "the only list": ({"info": {"year": 2020}, "version": 1, "commands": ROWS}, None),
    "a list below a key": ({"a": ROWS[:1], "b": ROWS}, "b"),
    "a list below nested keys": ({"data": {"v1": {"rows": ROWS}, "v2": []}}, "data.v1.rows"),
    "lists by split": ({"train": ROWS[:2], "val": ROWS[2:]}, None),
    "rows by id": ({str(i): row for i, row in enumerate(ROWS)}, None),
    "rows below a key by id": ({"rows": {str(i): row for i, row in enumerate(ROWS)}}, "rows"),
    "columns": ({key: [row[key] for row in ROWS] for key in ROWS[0]}, None),
    "columns of pandas": ({key: {str(i): row[key] for i, row in enumerate(ROWS)} for key in ROWS[0]}, None),
    "a table of pandas": (
        {"columns": list(ROWS[0]), "index": [0, 1, 2, 3], "data": [list(row.values()) for row in ROWS]},
        None,
    ),
    "lists by image": (
        {"train/p0.jpg": REGIONS},
        None,
    ),
    "an image with regions": (
        [
            {
                "image": "train/p0.jpg",
                "width": 640,
                "regions": REGIONS,
            }
        ],
        "regions",
    ),
    "images by name with regions": (
        {"train/p0.jpg": {"regions": REGIONS}},
        "regions",
    ),
}


@pytest.mark.parametrize("shape", JSON_SHAPES)
@pytest.mark.parametrize("indent", [None, 1])
def test_rows_in_json_are_found(tmp_path: Path, shape: str, indent: int | None) -> None:
    content, key = JSON_SHAPES[shape]
    path = tmp_path / "data.json"
    path.write_text(json.dumps(content, indent=indent))
    source = rows_source(path, format="json")
    annotations, problems = read(source if key is None else with_rows(source, key))
    assert problems == [] and facts(annotations) == expected(tmp_path)


@pytest.mark.parametrize("text", ["list", "indented", "lines", "objects"])
@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_json_and_json_lines_may_hold_each_other(tmp_path: Path, text: str, format: str) -> None:
    texts = {
        "list": json.dumps(ROWS),
        "indented": json.dumps(ROWS, indent=2),
        "lines": "\n".join(map(json.dumps, ROWS)),
        "objects": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    }
    path = tmp_path / f"data.{format}"
    path.write_text(texts[text])
    annotations, problems = read(rows_source(path, format=format))
    assert problems == [] and facts(annotations) == expected(tmp_path)


def test_a_problem_in_json_is_reported_by_line(tmp_path: Path) -> None:
    rows = [*ROWS[:2], {**ROWS[2], "box": [1, 2, 3]}, 7]
    path = tmp_path / "data.json"
    path.write_text(json.dumps(rows, indent=1))
    _, problems = read(rows_source(path, format="json"))
    lines = path.read_text().splitlines()
    assert len(problems) == 2 and problems[0].split(":")[1] == str(lines.index(" {", 20) + 1)
    assert "box: expected four numbers" in problems[0] and "expected an object, found 7" in problems[1]
    path.write_text(json.dumps({"data": {"rows": rows}}))
    _, problems = read(with_rows(rows_source(path, format="json"), "data.rows"))
    assert problems[0].startswith("data.json:1[data.rows.2]: box: ")


@pytest.mark.parametrize(
    ("content", "rows", "expected_words"),
    [
        ({"a": ROWS, "b": ROWS}, None, "--rows a or --rows b"),
        ({"a": ROWS}, "b", "expected the key 'b' of --rows, found an object with 'a'"),
        ({"a": 3}, "a", "--rows a: expected a list of rows, found 3"),
        ({"a": 3}, None, "expected a list of rows, found an object with 'a'"),
        ({"images": [{"id": 1}], "annotations": []}, None, "use --format coco"),
        ({"images": [{"id": 1, "caption": "a"}], "annotations": []}, None, "use --format mdetr"),
        (3, None, "expected JSON with a list of rows, found '3'"),
        ({}, None, "found an empty one"),
    ],
)
def test_json_without_certain_rows_says_the_way_on(
    tmp_path: Path, content: Any, rows: str | None, expected_words: str
) -> None:
    path = tmp_path / "data.json"
    path.write_text(json.dumps(content))
    source = rows_source(path, format="json")
    with pytest.raises(CliprpnError) as caught:
        read(source if rows is None else with_rows(source, rows))
    assert caught.value.code == "data_invalid" and expected_words in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected_words"),
    [
        ("", "found an empty file"),
        ('[{"a": 1}', "data.json:1:10: expected JSON: Expecting ',' delimiter"),
        ('[{"a": 1},\n {"a" 2}]', "data.json:2:7: expected JSON"),
        ("[1] 2", "expected JSON: Extra data"),
        ("[" * 100_000, "nested too deep"),
        ('{"a": [1], "a": 2}', "duplicate key 'a'"),
    ],
)
def test_broken_json_is_rejected_with_its_line(tmp_path: Path, text: str, expected_words: str) -> None:
    path = tmp_path / "data.json"
    path.write_text(text)
    with pytest.raises(CliprpnError) as caught:
        read(rows_source(path, format="json"))
    assert caught.value.code == "data_invalid" and expected_words in caught.value.message


def pack(path: Path, content: bytes, name: str) -> None:
    """Writes the archive that the path's ending names."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("photos/a.jpg", b"x")
            archive.writestr(name, content)
    elif ".tar" in path.name or path.suffix == ".tgz":
        with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as tar:
            for member, data in (("photos/a.jpg", b"x"), (f"set/{name}", content), ("set/._x.csv", b"")):
                info = tarfile.TarInfo(member)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    else:
        path.write_bytes(gzip.compress(content))


@pytest.mark.parametrize("ending", [".gz", ".tar", ".tar.gz", ".tgz", ".zip"])
@pytest.mark.parametrize("format", ["jsonl", "csv", "json"])
def test_annotations_inside_archives_are_read(tmp_path: Path, ending: str, format: str) -> None:
    plain = tmp_path / f"rows.{format}"
    if format == "csv":
        write_csv(plain, ROWS)
    else:
        plain.write_text(json.dumps(ROWS) if format == "json" else "\n".join(map(json.dumps, ROWS)))
    path = tmp_path / f"rows.{format}{ending}"
    pack(path, plain.read_bytes(), plain.name)
    annotations, problems = read(rows_source(path, format=format))
    assert problems == [] and facts(annotations) == expected(tmp_path)


@pytest.mark.parametrize("ending", [".gz", ".tar.gz", ".zip"])
def test_an_archive_that_fills_memory_or_is_broken_is_rejected(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"rows.jsonl{ending}"
    pack(path, (b" " * 999_999 + b"\n") * 30, "rows.jsonl")
    with pytest.raises(CliprpnError) as caught:
        read(rows_source(path))
    assert caught.value.code == "data_invalid" and "200 times the size" in caught.value.message
    rng = random.Random(0)
    rows = [{**ROWS[0], "sentence": rng.randbytes(50).hex()} for _ in range(100)]
    pack(path, "\n".join(map(json.dumps, rows)).encode(), "rows.jsonl")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(CliprpnError) as caught:
        read(rows_source(path))
    assert caught.value.code == "data_invalid" and "broken" in caught.value.message


@pytest.mark.parametrize("ending", [".gz", ".tar.gz", ".tgz"])
def test_a_gzip_that_ends_in_its_header_is_rejected(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"rows.jsonl{ending}"
    pack(path, "\n".join(map(json.dumps, ROWS)).encode(), "rows.jsonl")
    whole = path.read_bytes()
    for size in range(2, 40):
        path.write_bytes(whole[:size])
        with pytest.raises(CliprpnError) as caught:
            read(rows_source(path))
        assert caught.value.code == "data_invalid", size
    # Flags that announce a name, a comment and more, in a file that has none of them.
    path.write_bytes(whole[:3] + b"\x1e" + whole[4:12])
    with pytest.raises(CliprpnError) as caught:
        read(rows_source(path))
    assert caught.value.code == "data_invalid"


def test_an_archive_with_several_annotation_files_names_them(tmp_path: Path) -> None:
    path = tmp_path / "rows.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train.jsonl", "")
        archive.writestr("val.jsonl", "")
    with pytest.raises(CliprpnError, match=r"found 2: train.jsonl, val.jsonl; unpack it"):
        read(rows_source(path))


TABLES: dict[str, bytes] = {
    "German Excel": 'image;sentence;box\na.jpg;eine Katze;"10,5 20,0 40,75 60,0"\n'.encode("utf-8-sig"),
    "German Excel in columns": b"image;sentence;xmin;ymin;xmax;ymax\na.jpg;eine Katze;10,5;20;40,75;60\n",
    "German Excel in columns with three decimals": b"image;sentence;xmin;ymin;xmax;ymax\n"
    b"a.jpg;eine Katze;10,500;20,000;40,750;60,000\n",
    "Excel's separator": b'sep=;\r\nimage;sentence;box\r\na.jpg;eine Katze;"10.5,20,40.75,60"\r\n',
    "Excel's Unicode text": "image\tsentence\tbox\r\na.jpg\teine Katze\t10.5 20 40.75 60\r\n".encode(
        "utf-16"
    ),
    "UTF-16 with the other byte order": b"\xfe\xff"
    + "image,sentence,box\na.jpg,eine Katze,10.5 20 40.75 60\n".encode("utf-16-be"),
    "an index of pandas": b',image,sentence,box\n0,a.jpg,eine Katze,"[10.5, 20, 40.75, 60]"\n',
    "columns without a name": b"image,sentence,box,,\na.jpg,eine Katze,10.5 20 40.75 60,,\n",
    "line ends of old Macs": b"image,sentence,box\ra.jpg,eine Katze,10.5 20 40.75 60\r",
    "bars": b"image|sentence|box\na.jpg|eine Katze|10.5,20,40.75,60\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_spreadsheets_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(TABLES[name])
    annotations, problems = read(rows_source(path, format="csv", box_format="xyxy"))
    assert problems == [] and facts(annotations) == [("a.jpg", "eine Katze", XYXY)]


def test_text_in_windows_1252_is_named_once_with_the_way_on(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = "".join(f"a.jpg,das Café {i},1 2 30 40\n" for i in range(50))
    path.write_bytes(f"image,sentence,box\n{rows}".encode("cp1252"))
    _, problems = read(rows_source(path, format="csv"))
    assert problems[0].startswith("data.csv:2: expected UTF-8, found byte 0xe9 at 14")
    assert "das Café 0" in problems[0] and "iconv -f CP1252 -t UTF-8 data.csv" in problems[0]
    assert len(problems) <= 3  # The others are counted.
    path.write_bytes(f"image,sentence,box\n{rows}".encode("utf-16-le"))
    annotations, problems = read(rows_source(path, format="csv"))
    assert problems == [] and annotations.sentences[1].sentence == "das Café 1"


def test_a_table_without_a_header_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.tsv"
    path.write_text("a.jpg\ta dog\t1,2,3,4\nb.jpg\ta cat\t1,2,3,4\n")
    _, problems = read(rows_source(path, format="csv"))
    assert len(problems) == 1 and "expected a header row, found a row of values" in problems[0]
    assert r"'image\tsentence\tbox'" in problems[0]


def test_what_vision_language_models_write_is_a_box(tmp_path: Path) -> None:
    texts = [
        "<ref>a dog</ref><box>[[10.5, 20, 40.75, 60]]</box>",
        "the dog<|box_start|>(10.5,20),(40.75,60)<|box_end|>",
        '```json\n[{"bbox_2d": [10.5, 20, 40.75, 60], "label": "dog"}]\n```',
        {"bbox_2d": [10.5, 20, 40.75, 60], "label": "dog"},
    ]
    rows = [{"image": "a.jpg", "sentence": "eine Katze", "box": text} for text in texts]
    annotations, problems = read(rows_source(write_jsonl(tmp_path / "data.jsonl", rows), box_format="xyxy"))
    assert problems == [] and facts(annotations) == [("a.jpg", "eine Katze", XYXY)] * 4


def test_sentences_that_have_a_box_each_never_get_the_first_one(tmp_path: Path) -> None:
    rows = [
        {"image": f"{i}.jpg", "sentence": ["left", "right"], "box": [[1, 2, 30, 40], [50, 60, 70, 80]]}
        for i in range(3)
    ]
    path = write_jsonl(tmp_path / "data.jsonl", rows)
    _, problems = read(rows_source(path))
    assert len(problems) == 1 and "6 expressions refer to several objects" in problems[0]
    assert "write a row for each sentence" in problems[0]
    first_box = rows_source(path).model_copy(update={"first_box": True})
    _, problems = read(first_box)
    assert len(problems) == 1 and problems[0].startswith("data.jsonl:1: expected several boxes of the same")
    write_jsonl(
        path, [*rows, {**rows[0], "sentence": "both"}]
    )  # Then expressions do refer to several objects.
    annotations, problems = read(first_box)
    assert problems == [] and len(annotations.sentences) == 7


def test_a_polygon_is_not_several_boxes(tmp_path: Path) -> None:
    row = {"image": "a.jpg", "sentence": "a dog", "box": [[1, 2], [30, 2], [30, 40], [1, 40]]}
    _, problems = read(rows_source(write_jsonl(tmp_path / "data.jsonl", [row])))
    assert len(problems) == 1 and problems[0].startswith("data.jsonl:1: box: expected four numbers")


def test_a_missing_value_is_no_sentence_and_no_image(tmp_path: Path) -> None:
    rows = [["a.jpg", "nan"], ["nan", "a dog"], ["a.jpg", "<NA>"], ["a.jpg", "none of them"]]
    path = write_csv(
        tmp_path / "data.csv",
        [{"image": image, "sentence": text, "box": "1 2 30 40"} for image, text in rows],
    )
    _, problems = read(rows_source(path, format="csv"))
    assert sorted(problem.split(": expected")[0] for problem in problems) == [
        *("data.csv:2: sentence", "data.csv:3: image", "data.csv:4: sentence"),
    ]


def test_an_object_as_text_gives_its_sentence(tmp_path: Path) -> None:
    texts = ['{"expression": "eine Katze"}', "[{'raw': 'Eine Katze!', 'sent': 'eine Katze', 'sent_id': 3}]"]
    path = write_csv(
        tmp_path / "data.csv",
        [{"image": "a.jpg", "sentence": text, "box": "10.5 20 40.75 60"} for text in texts],
    )
    annotations, problems = read(rows_source(path, format="csv", box_format="xyxy"))
    assert problems == [] and facts(annotations) == [("a.jpg", "eine Katze", XYXY)] * 2


def test_a_column_that_was_named_and_no_file_has_is_a_problem(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "data.jsonl", make_rows())
    _, problems = read(rows_source(path, split="splt", width="widht"))
    assert [problem.split(":")[1] for problem in problems] == [
        " --columns split=splt",
        " --columns width=widht",
    ]
    other = write_jsonl(tmp_path / "other.jsonl", [{**row, "splt": "val"} for row in make_rows()])
    _, problems = read(rows_source((path, "train"), other, split="splt"))
    assert problems == []


def test_no_row_of_a_table_in_json_is_lost(tmp_path: Path) -> None:
    row = ["a.jpg", "a dog", [1, 2, 30, 40]]
    columns = ["image", "sentence", "box"]
    broken: list[tuple[Any, str]] = [
        (
            {"columns": columns, "data": [row, dict(zip(columns, row, strict=True))]},
            "data[1]: expected a list of 3",
        ),
        ({"columns": columns, "data": [row, [*row, 1]]}, "data[1]: expected a list of 3"),
        ({"image": ["a.jpg"] * 2, "sentence": ["a dog"], "box": [row[2]] * 2}, "columns of the same length"),
        ({"data": {"items": [dict(zip(columns, row, strict=True))]}}, "use --rows data.items"),
        ([{"data": {"image": "a.jpg"}, "annotations": [{"result": []}]}], "Label Studio"),
    ]
    path = tmp_path / "data.json"
    for value, words in broken:
        path.write_text(json.dumps(value))
        with pytest.raises(CliprpnError, match=re.escape(words)):
            read(rows_source(path, format="json"))
    path.write_text(
        json.dumps({"image": {"0": "a.jpg", "1": "b.jpg"}, "sentence": {"1": "a dog"}, "box": {}})
    )
    _, problems = read(rows_source(path, format="json"))
    assert problems[0].startswith("data.json[0]: sentence")


def test_json_by_image_or_split_may_hold_a_row_or_a_list_of_rows(tmp_path: Path) -> None:
    row = {"sentence": "eine Katze", "box": XYXY}
    path = tmp_path / "data.json"
    path.write_text(json.dumps({"a.jpg": row, "b.jpg": [row, row], "c.jpg": []}))
    annotations, problems = read(rows_source(path, format="json", box_format="xyxy"))
    assert problems == [] and [name for name, _, _ in facts(annotations)] == ["a.jpg", "b.jpg", "b.jpg"]
    row["image"] = "a.jpg"
    path.write_text(json.dumps({"train": [row], "val": {"1": row}, "info": 3}))
    annotations, problems = read(rows_source(path, format="json", box_format="xyxy"))
    assert problems == [] and [sentence.split for sentence in annotations.sentences] == ["train", "val"]
