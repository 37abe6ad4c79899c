"""Detections from a file: published formats, malformed rows, and notes about boxes left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import HEIGHT, WIDTH, make_records, prepared, write_dataset

from cliprpn.contract.generated import FileDetector
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.detectors.results_file import Results, read_results
from cliprpn.errors import CliprpnError

pytestmark = pytest.mark.usefixtures("no_traces")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> DatasetIndex:
    """Images 0 to 5, of WIDTH x HEIGHT."""
    root = write_dataset(tmp_path_factory.mktemp("data") / "blocks", *make_records(6))
    return open_dataset(*prepared(root, root.parent / "cache"))


def row(image_id: Any = 2, bbox: Any = (10, 20, 30, 40), score: Any = 0.5, **more: Any) -> dict[str, Any]:
    return {"image_id": image_id, "category_id": 1, "bbox": bbox, "score": score, **more}


def without(key: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in row(**more).items() if name != key}


def read(content: Any, index: DatasetIndex, folder: Path) -> Results:
    file = folder / "results.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_results(file_detector(file), index)


def file_detector(file: Path) -> FileDetector:
    options = {"box_format": None, "score_max": None, "category_ids": None}
    return FileDetector(kind="file", file=str(file), sha256="0" * 64, **options)


def read_error(content: Any, index: DatasetIndex, folder: Path) -> str:
    with pytest.raises(CliprpnError) as caught:
        read(content, index, folder)
    assert caught.value.code == "data_invalid" and "results.json" in caught.value.message
    return caught.value.message


def test_coco_results_are_read(index: DatasetIndex, tmp_path: Path) -> None:
    rows = [
        row(4, [1.5, 2.25, 10, 20.5], 0.25, category_id=18),
        row(2, [0, 0, 5, 5], 1),
        row(4, [3, 4, 5, 6], 0.75, category_id=90, segmentation={"counts": "abc", "size": [1, 2]}),
    ]
    results = read(rows, index, tmp_path)
    (note,) = results.notes
    assert "assumed to be COCO's category ids" in note and "1 person, 18 dog, 90 toothbrush" in note
    proposals = results.proposals_of(4)
    assert proposals.boxes_xyxy.tolist() == [[3, 4, 8, 10], [1.5, 2.25, 11.5, 22.75]]
    assert proposals.boxes_xyxy.dtype == proposals.scores.dtype == torch.float64
    assert (proposals.scores.tolist(), proposals.categories) == ([0.75, 0.25], ["toothbrush", "dog"])
    assert [len(results.proposals_of(image)) for image in range(6)] == [0, 0, 1, 0, 2, 0]
    assert results.proposals_of(2).categories == ["person"]


@pytest.mark.parametrize(
    ("content", "category"),
    [
        (
            [
                {
                    "image_id": 2,
                    "box": [10, 20, 30, 40],
                    "category_name": "kite",
                    "category_id": 7,
                    "score": 0.5,
                }
            ],
            "kite",
        ),
        ({"dets": [{"image_id": 2, "box": [10, 20, 30, 40], "score": 0.5, "object_id": 1}]}, ""),
        ({"annotations": [row(category_id=7)], "categories": [{"id": 7, "name": "block"}]}, "block"),
        ({"annotations": [row(category_id=1)], "images": [{"id": 2}]}, "person"),
        ([without("category_id")], ""),
        ([row(category_id=None)], ""),
        ([row(category_name="own")], "own"),
    ],
)
def test_published_formats_are_read(index: DatasetIndex, tmp_path: Path, content: Any, category: str) -> None:
    proposals = read(content, index, tmp_path).proposals_of(2)
    assert proposals.boxes_xyxy.tolist() == [[10, 20, 40, 60]]
    assert (proposals.scores.tolist(), proposals.categories) == ([0.5], [category])


@pytest.mark.parametrize("category_id", [0, 12, 91, -5])
def test_category_ids_other_than_cocos_give_no_names(
    index: DatasetIndex, tmp_path: Path, category_id: int
) -> None:
    results = read([row(category_id=1), row(category_id=category_id)], index, tmp_path)
    assert results.proposals_of(2).categories == ["", ""]
    assert len(results.notes) == 1 and "not COCO's" in results.notes[0]


def test_category_ids_of_rows_with_a_name_are_ignored(index: DatasetIndex, tmp_path: Path) -> None:
    results = read([row(category_id=1), row(category_id=0, category_name="own", score=0.1)], index, tmp_path)
    assert results.proposals_of(2).categories == ["person", "own"]
    (note,) = results.notes
    assert "(1 person)" in note


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (row(True), "image_id (an integer) or file_name (text), found True"),
        (row(2.5), "found 2.5"),
        (row([2, 3]), "found [2, 3]"),
        (without("image_id"), "expected an image (image_id or file_name"),
        (without("bbox"), "bbox (four finite numbers"),
        (row(bbox=[1, 2, 3]), "bbox (four finite numbers), found [1, 2, 3]"),
        (row(bbox=["1", "2", "3", "4"]), "found ['1', '2', '3', '4']"),
        (row(bbox={"x": 1}), "found {'x': 1}"),
        (row(bbox=[1, 2, 3, float("nan")]), "found [1, 2, 3, nan]"),
        (row(bbox=[float("-inf"), 2, 3, 4]), "found [-inf, 2, 3, 4]"),
        (row(bbox=[1, 2, -3, 4]), "no negative size), found [1.0, 2.0, -3.0, 4.0]"),
        (row(bbox=[1, 2, 3, 10**400]), "bbox (four finite numbers"),
        (
            {**without("bbox"), "box": [1, 2]},
            "box (four finite numbers), found [1, 2]",
        ),
        (without("score"), "expected a score, as other detections have one; found none"),
        (row(score="0.5"), "score (a number in [0, 1]), found '0.5'"),
        (row(score=1.01), "score (a number in [0, 1]), found 1.01"),
        (row(score=-0.5), "found -0.5"),
        (row(score=float("nan")), "found nan"),
        (row(score=True), "found True"),
        (row(category_id=[1]), "class (a name or an integer), found [1]"),
        (row(category_name=3), "class name (text), found 3"),
        ([1, 2, 3], "an object, found [1, 2, 3]"),
        (None, "an object, found None"),
    ],
)
def test_a_malformed_row_is_reported(index: DatasetIndex, tmp_path: Path, item: Any, expected: str) -> None:
    message = read_error([row(), item, row()], index, tmp_path)
    assert "1 problem in the detections" in message and "row 1: expected " in message and expected in message


def test_all_malformed_rows_are_reported_at_once(index: DatasetIndex, tmp_path: Path) -> None:
    message = read_error([row(score=2) if number % 2 else row() for number in range(100)], index, tmp_path)
    assert "50 problems in the detections" in message and "the same 49 more times" in message
    assert message.count("\n") == 1 and "row 1:" in message and "row 3," in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "results.json:1:1: expected detections, found an empty file"),
        ('[{"image_id": 1,]', "results.json:1:17: expected JSON"),
        ("[" * 100_000, "nested too deep"),
        ("3", "found 3"),
        ({"a": 3}, "an object with 'a'"),
        ({"annotations": 3}, "expected a list of detections"),
        ({"annotations": [row()], "categories": {}}, "expected a list `categories`"),
        (
            {"annotations": [row()], "categories": [{"id": 1}]},
            "categories[0]: expected name (text)",
        ),
        ({"annotations": [row(category_id=3)], "categories": [{"id": 1, "name": "a"}]}, "for 3"),
    ],
)
def test_files_that_are_not_detections_are_refused(
    index: DatasetIndex, tmp_path: Path, content: Any, expected: str
) -> None:
    assert expected in read_error(content, index, tmp_path)


def test_a_missing_or_non_text_file_is_reported(index: DatasetIndex, tmp_path: Path) -> None:
    with pytest.raises(CliprpnError, match=r"none\.json: expected detections") as caught:
        read_results(file_detector(tmp_path / "none.json"), index)
    assert caught.value.code == "not_found"
    (tmp_path / "latin.json").write_bytes(b'[{"category_name": "\xfc"}]')
    with pytest.raises(CliprpnError, match=r"latin\.json: expected JSON in UTF-8"):
        read_results(file_detector(tmp_path / "latin.json"), index)


def test_boxes_of_unknown_images_are_dropped_and_counted(index: DatasetIndex, tmp_path: Path) -> None:
    results = read([row(2), row(999), row(1000)], index, tmp_path)
    assert len(results.proposals_of(2)) == 1
    assert results.notes[0].startswith("results.json: 2 of 3 boxes")


def test_a_file_about_other_images_only_is_refused_with_example_ids(
    index: DatasetIndex, tmp_path: Path
) -> None:
    message = read_error([row(999), row(999), row(1000), row(1001), row(1002)], index, tmp_path)
    assert "image_id 0, 1, 2, ..." in message and "999, 1000, 1001" in message


def test_an_empty_list_is_a_detector_without_detections(index: DatasetIndex, tmp_path: Path) -> None:
    results = read([], index, tmp_path)
    assert [len(results.proposals_of(image)) for image in range(6)] == [0] * 6
    assert results.notes == []


def test_empty_and_outside_boxes_are_counted_and_others_clipped(index: DatasetIndex, tmp_path: Path) -> None:
    rows = [
        *(row(1) for _ in range(5)),
        row(2, [10, 10, 0, 5]),
        row(2, [10, 10, 5, 0]),
        row(2, [WIDTH, 0, 5, 5]),
        row(2, [0, -9, 5, 5]),
        row(2, [WIDTH + 50, 0, 0, 5]),
        row(2, [-5, -5, WIDTH + 20, HEIGHT + 20]),
    ]
    results = read(rows, index, tmp_path)
    assert results.proposals_of(2).boxes_xyxy.tolist() == [[0, 0, WIDTH, HEIGHT]]
    *_, empty, outside = results.notes
    assert empty.startswith("results.json: 3 boxes") and "area" in empty
    assert outside.startswith("results.json: 2 boxes") and "outside" in outside


def test_xyxy_boxes_are_detected(index: DatasetIndex, tmp_path: Path) -> None:
    rows = [row(number % 6, [60 + number, 50, 90 + number, 80]) for number in range(12)]
    assert "100% are valid as xyxy" in (message := read_error(rows, index, tmp_path))
    assert "--box-format xyxy (" in message
