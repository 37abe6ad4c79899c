"""An export reads back the same: numbers, sentences, order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from user_data import make_coco, make_rows, read, rows_source, write_jsonl

from cliprpn.contract.generated import RowsSource
from cliprpn.data.annotations import Annotations
from cliprpn.data.boxes import FORMAT_NAMES
from cliprpn.data.export import export_rows
from cliprpn.data.index import DatasetIndex, open_tables
from cliprpn.data.sources import read_source
from cliprpn.data.tables import write_tables
from cliprpn.errors import CliprpnError

REAL = Path(__file__).parents[3] / "shared" / "data" / "refcocog-umd-val.jsonl"
SIZES = {"width": 640, "height": 480, "category": "dog"}


def prepared(source: RowsSource, folder: Path) -> DatasetIndex:
    """The tables of a dataset without images."""
    write_tables(read_source(source).annotations, None, folder)
    return open_tables(folder, "own", None, source.box_format)


def rows_of(annotations: Annotations) -> list[Any]:
    names = {image.image_id: image.file_name for image in annotations.images}
    return [
        (
            names[sentence.image_id],
            sentence.sentence,
            annotations.objects[sentence.ann_id].box,
            sentence.split,
        )
        for sentence in annotations.sentences
    ]


@pytest.mark.skipif(not REAL.is_file(), reason="needs ../shared/data/refcocog-umd-val.jsonl")
def test_real_sentences_and_boxes_survive_a_round_trip(tmp_path: Path) -> None:
    source = rows_source((REAL, "val"), image="file_name", box="bbox")
    index = prepared(source, tmp_path / "set")
    assert export_rows(index, "jsonl", "xywh", tmp_path / "out" / "back.jsonl") == 4885
    original, _ = read(source)
    back, problems = read(rows_source(tmp_path / "out" / "back.jsonl"))
    assert problems == [] and back == original
    lines = (tmp_path / "out" / "back.jsonl").read_text(encoding="utf-8").splitlines()
    originals = [json.loads(line) for line in REAL.read_text(encoding="utf-8").splitlines()]
    exported = [
        {key: json.loads(line)[key] for key in ("image_id", "ann_id", "box", "sentence")} for line in lines
    ]
    assert exported == [
        {
            "image_id": row["image_id"],
            "ann_id": row["ann_id"],
            "box": row["bbox"],
            "sentence": row["sentence"],
        }
        for row in originals
    ]


@pytest.mark.parametrize("box_format", FORMAT_NAMES)
def test_boxes_are_converted_to_the_requested_format(tmp_path: Path, box_format: str) -> None:
    rows = [{**row, **SIZES, "split": "test"} for row in make_rows()]
    index = prepared(rows_source(write_jsonl(tmp_path / "a.jsonl", rows)), tmp_path / "set")
    export_rows(index, "jsonl", box_format, tmp_path / "b.jsonl")
    first = json.loads((tmp_path / "b.jsonl").read_text().splitlines()[0])
    x1, y1, x2, y2 = 10.5 / 640, 20 / 480, 40.75 / 640, 60 / 480
    expected = {
        "xywh": [10.5, 20, 30.25, 40],
        "xyxy": [10.5, 20, 40.75, 60],
        "cxcywh_norm": [25.625 / 640, 40 / 480, 30.25 / 640, 40 / 480],
        "xywh_norm": [x1, y1, x2 - x1, y2 - y1],
        "xyxy_norm": [x1, y1, x2, y2],
        "xywh_1000": [1000 * x1, 1000 * y1, 1000 * (x2 - x1), 1000 * (y2 - y1)],
        "xyxy_1000": [1000 * x1, 1000 * y1, 1000 * x2, 1000 * y2],
    }
    assert first["box"] == pytest.approx(expected[box_format], abs=1e-9)  # Two float64 operations.
    assert {**first, "box": 0} == {
        "image": "train/p0.jpg",
        "sentence": "the left dog, 0",
        "box": 0,
        "split": "test",
        "image_id": 1,
        "ann_id": 1,
        "ref_id": 1,
        "sent_id": 1,
        **SIZES,
    }
    again = prepared(rows_source(tmp_path / "b.jsonl", box_format=box_format), tmp_path / "set2")
    export_rows(again, "jsonl", "xywh", tmp_path / "c.jsonl")
    for row, line in zip(rows, (tmp_path / "c.jsonl").read_text().splitlines(), strict=True):
        assert json.loads(line)["box"] == pytest.approx(row["box"], abs=1e-9)  # Two float64 divisions.


def test_coco_keeps_all_objects_in_a_round_trip(tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text(json.dumps(make_coco()))
    source = rows_source((tmp_path / "coco.json", "train"), format="coco")
    assert export_rows(prepared(source, tmp_path / "set"), "coco", "xywh", tmp_path / "back.json") == 4
    content = json.loads((tmp_path / "back.json").read_text())
    assert content["images"] == make_coco()["images"]
    assert [category["name"] for category in content["categories"]] == ["dog", "person"]
    assert [(row["id"], row["image_id"], row["bbox"]) for row in content["annotations"]] == [
        (annotation["id"], annotation["image_id"], annotation["bbox"])
        for annotation in make_coco()["annotations"]
    ]
    assert [(annotation["area"], annotation["iscrowd"]) for annotation in content["annotations"]][1] == (
        70 * 80.5,
        0,
    )
    original, _ = read(source)
    back, problems = read(rows_source(tmp_path / "back.json", format="coco"))
    assert (
        problems == []
        and back == original
        and rows_of(back)[0] == ("a.jpg", "a dog", (1, 2, 30, 40), "train")
    )


def test_coco_boxes_are_xywh_for_any_source(tmp_path: Path) -> None:
    rows = [{**row, "box": [10, 20, 40, 60], "split": "val"} for row in make_rows(1)]
    index = prepared(
        rows_source(write_jsonl(tmp_path / "a.jsonl", rows), box_format="xyxy"), tmp_path / "set"
    )
    export_rows(index, "coco", "xywh", tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["annotations"][0]["bbox"] == [10, 20, 30, 40]
    assert content["images"] == [{"id": 1, "file_name": "train/p0.jpg"}]
    assert content["categories"] == [{"id": 1, "name": "object", "supercategory": ""}]
    with pytest.raises(CliprpnError) as caught:
        export_rows(index, "coco", "xyxy", tmp_path / "b.json")
    assert caught.value.code == "bad_input" and not (tmp_path / "b.json").exists()


def test_normalized_coordinates_need_all_image_sizes(tmp_path: Path) -> None:
    index = prepared(rows_source((write_jsonl(tmp_path / "a.jsonl", make_rows()), "val")), tmp_path / "set")
    with pytest.raises(CliprpnError, match="sizes of all images"):
        export_rows(index, "jsonl", "cxcywh_norm", tmp_path / "b.jsonl")
