"""Classes, scores, images and faults of detections from a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from detections import (
    Detection,
    as_rows,
    assert_same,
    class_number,
    coco_id,
    file_name,
    image_id,
    make_index,
    make_objects,
    read,
)

from cliprpn.detectors.coco_classes import coco_classes
from cliprpn.errors import CliprpnError

OBJECTS = make_objects()
INDEX = make_index(OBJECTS)


def write(content: Any, folder: Path) -> Path:
    file = folder / "results.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def with_ids(number: Callable[[str], Any], key: str = "category_id") -> list[dict[str, Any]]:
    rows = as_rows(OBJECTS)
    for row, one in zip(rows, OBJECTS, strict=True):
        del row["category_id"]
        row[key] = number(one.name)
    return rows


NUMBERINGS: dict[str, Callable[[str], int]] = {
    "coco": coco_id,
    "coco80": class_number,
    "coco80_from_1": lambda name: class_number(name) + 1,
}


@pytest.mark.parametrize("name", NUMBERINGS)
@pytest.mark.parametrize("kind", [int, str, float])
def test_the_numbering_that_agrees_with_the_objects_is_read_and_told(
    tmp_path: Path, name: str, kind: type
) -> None:
    results = read(write(with_ids(lambda each: kind(NUMBERINGS[name](each))), tmp_path), INDEX)
    assert_same(results, OBJECTS)
    (note,) = results.notes
    assert "100% of 36 annotated objects" in note
    assert f"{NUMBERINGS[name]('person')} person" in note


def test_a_numbering_that_no_object_agrees_with_is_refused(tmp_path: Path) -> None:
    names = coco_classes()
    file = write(with_ids(lambda name: coco_id(names[names.index(name) - 20])), tmp_path)
    with pytest.raises(CliprpnError, match="--category-ids none") as caught:
        read(file, INDEX)
    assert "of 36 annotated objects" in caught.value.message
    results = read(file, INDEX, category_ids="none")
    assert (results.classes, results.notes) == ([], [])
    assert_same(results, OBJECTS, names=False)


@pytest.mark.parametrize("number", [0, 1])
def test_the_same_number_for_all_objects_is_no_class(tmp_path: Path, number: int) -> None:
    results = read(write(with_ids(lambda name: number), tmp_path), INDEX)
    assert results.classes == [] and f"category_id {number}" in results.notes[0]
    assert_same(results, OBJECTS, names=False)


def test_a_numbering_can_be_named(tmp_path: Path) -> None:
    file = write(with_ids(NUMBERINGS["coco80"]), tmp_path)
    assert_same(read(file, INDEX, category_ids="coco80"), OBJECTS)
    with pytest.raises(CliprpnError, match="COCO's category ids, 1 to 90, found the category_id 0"):
        read(file, INDEX, category_ids="coco")


def test_objects_of_other_classes_cannot_check_the_numbering(tmp_path: Path) -> None:
    index = make_index([Detection(one.image_row, "block", one.box) for one in OBJECTS])
    results = read(write(as_rows(OBJECTS), tmp_path), index)
    assert_same(results, OBJECTS)
    assert "assumed to be COCO's category ids" in results.notes[0]
    results = read(write(with_ids(NUMBERINGS["coco80"]), tmp_path), index)
    assert results.classes == [] and "not COCO's" in results.notes[0]


@pytest.mark.parametrize(
    "key", ["label", "class", "category", "category_name", "name", "Label", "text-label"]
)
def test_class_words_need_no_numbers(tmp_path: Path, key: str) -> None:
    results = read(write(with_ids(lambda name: name, key), tmp_path), INDEX)
    assert_same(results, OBJECTS)
    assert results.notes == []


def test_scores_may_be_missing_in_the_whole_file(tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if key != "score"} for row in as_rows(OBJECTS)]
    results = read(write(rows, tmp_path), INDEX)
    assert results.proposals_of(0).scores.tolist() == [1, 1, 1]
    assert "no scores" in results.notes[0]
    rows[3]["score"] = 0.5
    with pytest.raises(CliprpnError, match="row 0: expected a score"):
        read(write(rows, tmp_path), INDEX)


@pytest.mark.parametrize("key", ["confidence", "conf", "prob", "Score"])
def test_scores_have_many_names(tmp_path: Path, key: str) -> None:
    rows = [
        {(key if name == "score" else name): value for name, value in row.items()} for row in as_rows(OBJECTS)
    ]
    assert read(write(rows, tmp_path), INDEX).proposals_of(0).scores.tolist() == [0.9] * 3


def test_scores_above_one_by_rounding_are_one(tmp_path: Path) -> None:
    results = read(write(as_rows(OBJECTS, score=1.0000001192), tmp_path), INDEX)
    assert results.proposals_of(0).scores.tolist() == [1, 1, 1]


def test_percent_is_refused_with_the_option_that_reads_it(tmp_path: Path) -> None:
    file = write(as_rows(OBJECTS, score=87.5), tmp_path)
    with pytest.raises(CliprpnError, match="--score-max 100"):
        read(file, INDEX)
    assert read(file, INDEX, score_max=100).proposals_of(0).scores.tolist() == [0.875] * 3


def images(name: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    rows = as_rows(OBJECTS)
    for row, one in zip(rows, OBJECTS, strict=True):
        del row["image_id"]
        row |= name(one.image_row)
    return rows


@pytest.mark.parametrize(
    "name",
    [
        lambda row: {"image_id": image_id(row)},
        lambda row: {"image_id": float(image_id(row))},
        lambda row: {"image_id": str(image_id(row))},
        lambda row: {"image_id": f"{image_id(row):012d}"},
        lambda row: {"image_id": file_name(row)},
        lambda row: {"image_id": file_name(row)[:-4]},
        lambda row: {"file_name": file_name(row)},
        lambda row: {"file_name": f"train2014/{file_name(row)}"},
        lambda row: {"image_path": f"C:\\data\\coco\\{file_name(row)}"},
        lambda row: {"image": f"./images/{file_name(row).lower()}"},
        lambda row: {"filename": f"{image_id(row):012d}.jpg"},
        lambda row: {"img": file_name(row).replace(".jpg", "_17.jpg")},
        lambda row: {"image": file_name(row).replace(".jpg", ".png")},
        lambda row: {"image": f"http://images.cocodataset.org/train2014/{file_name(row)}?a=b"},
        lambda row: {"image": {"file_name": file_name(row), "id": 99}},
        lambda row: {"image_id": 10_000 + row, "file_name": file_name(row)},
    ],
)
def test_images_are_found_by_name_stem_or_number(
    tmp_path: Path, name: Callable[[int], dict[str, Any]]
) -> None:
    assert_same(read(write(images(name), tmp_path), INDEX), OBJECTS)


def test_numbers_of_file_names_are_found_where_ids_are_others(tmp_path: Path) -> None:
    """ultralytics writes the number of a file's name, which need not be the dataset's id."""
    index = make_index(OBJECTS, [f"{row + 1:06d}.jpg" for row in range(12)], list(range(12)))
    rows = images(lambda row: {"image_id": row + 1})
    assert_same(read(write(rows, tmp_path), index), OBJECTS)
    # Without the last image, ids and names match as many images: the boxes tell that names are meant.
    results = read(write(rows[:-3], tmp_path), index)
    assert_same(results, OBJECTS[:-3])
    assert any("both ids and file names" in note for note in results.notes)


def test_a_name_in_several_folders_is_refused(tmp_path: Path) -> None:
    index = make_index(OBJECTS, [f"{row}/frame.jpg" for row in range(12)])
    with pytest.raises(CliprpnError, match=r"'frame.jpg', which several"):
        read(write(images(lambda row: {"image": "frame.jpg"}), tmp_path), index)
    assert_same(read(write(images(lambda row: {"image": f"a/{row}/frame.jpg"}), tmp_path), index), OBJECTS)


def test_names_that_differ_in_case_are_told_apart(tmp_path: Path) -> None:
    index = make_index(OBJECTS, [f"{'aA'[row % 2]}{row // 2}.jpg" for row in range(12)])
    rows = images(lambda row: {"image": f"{'aA'[row % 2]}{row // 2}.jpg"})
    assert_same(read(write(rows, tmp_path), index), OBJECTS)
    with pytest.raises(CliprpnError, match="unique"):
        read(write(images(lambda row: {"image": f"a{row // 2}.JPG"}), tmp_path), index)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (json.dumps(as_rows(OBJECTS))[:-1] + ",]", "a comma before the closing bracket"),
        (str(as_rows(OBJECTS)), "Python's notation"),
        (json.dumps(as_rows(OBJECTS))[:-200], "ends too early"),
        ('{"image_id": 9, "bbox": [1, 2, 3, 4]}\n{"image_id": 9,', "2:16: expected JSON"),
        ("<annotation/>", "XML"),
        (json.dumps(as_rows(OBJECTS, score=float("nan"))), "found nan; the same 35 more times"),
        (json.dumps({"a.jpg": [{"label": "cat"}]}), "image 'a.jpg': [0]: expected bbox"),
        (json.dumps([{"image": "a.jpg", "boxes": [[1, 2, 3, 4]], "scores": []}]), "as many scores as boxes"),
    ],
)
def test_faults_are_named(tmp_path: Path, content: str, expected: str) -> None:
    with pytest.raises(CliprpnError) as caught:
        read(write(content, tmp_path), INDEX)
    assert expected in caught.value.message


@pytest.mark.parametrize("start", [b"\x80\x04", b"PK\x03\x04", b"\x1f\x8b", b"PAR1", b"\x93NUMPY"])
def test_other_files_are_named_by_their_first_bytes(tmp_path: Path, start: bytes) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(start + b"...")
    with pytest.raises(CliprpnError, match=r"expected detections .*, found"):
        read(file, INDEX)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(json.dumps(as_rows(OBJECTS)).encode(encoding))
    assert_same(read(file, INDEX), OBJECTS)
