"""Annotation files of the field: COCO's JSON, MDETR's and TransVG's."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from user_data import make_coco, make_mdetr, make_transvg, read, rows_source, write_torch

from cliprpn.errors import CliprpnError


def read_json(path: Path, content: Any, format: str) -> Any:
    path.write_text(json.dumps(content))
    return read(rows_source(path, format=format))


def test_coco_sentences_are_read_from_their_objects(tmp_path: Path) -> None:
    annotations, problems = read_json(tmp_path / "coco.json", make_coco(), "coco")
    assert problems == [] and annotations.notes == []
    assert [
        (sentence.sentence, sentence.ann_id, sentence.image_id) for sentence in annotations.sentences
    ] == [
        ("a dog", 1, 7),
        ("the dog", 1, 7),
        ("the other dog", 2, 7),
        ("a man", 4, 9),
    ]
    assert {key: (row.category, row.box) for key, row in annotations.objects.items()} == {
        1: ("dog", (1, 2, 30, 40)),
        2: ("dog", (50, 60, 70, 80.5)),
        3: ("dog", (5, 5, 5, 5)),  # Without a sentence; kept as one of the other objects.
        4: ("person", (0, 0, 10, 20)),
    }
    assert [(image.width, image.height) for image in annotations.images] == [(640, 480), (320, 240)]


@pytest.mark.parametrize(
    "key", ["caption", "captions", "expression", "expressions", "refs", "sentence", "sentences"]
)
@pytest.mark.parametrize("shape", [str, lambda text: [text], lambda text: [{"sent": text, "split": "val"}]])
def test_every_common_key_for_sentences_is_read(
    tmp_path: Path, key: str, shape: Callable[[str], Any]
) -> None:
    coco = make_coco()
    coco["annotations"] = [
        {"id": 1, "image_id": 7, "category_id": 18, "bbox": [1, 2, 3, 4], key: shape("a dog")}
    ]
    annotations, problems = read_json(tmp_path / "coco.json", coco, "coco")
    assert problems == [] and [sentence.sentence for sentence in annotations.sentences] == ["a dog"]


def test_original_ids_are_used_after_a_conversion(tmp_path: Path) -> None:
    coco = make_coco()
    for kind in ("images", "annotations"):
        for row in coco[kind]:
            row["original_id"] = row["id"] + 1000
    annotations, _ = read_json(tmp_path / "coco.json", coco, "coco")
    assert [(sentence.ann_id, sentence.image_id) for sentence in annotations.sentences][-1] == (1004, 1009)


def change(key: str, position: int, field: str, value: Any) -> Callable[[Any], None]:
    def apply(content: Any) -> None:
        content[key][position][field] = value

    return apply


@pytest.mark.parametrize(
    ("apply", "expected"),
    [
        (
            change("annotations", 1, "image_id", 8),
            "annotations[1]: expected the id of an image as image_id, found 8",
        ),
        (
            change("annotations", 1, "image_id", [7]),
            "annotations[1]: expected the id of an image as image_id",
        ),
        (change("annotations", 1, "bbox", [1, 2, 3]), "annotations[1]: box: expected four numbers"),
        (change("annotations", 1, "sentence", 3), "annotations[1]: sentence: expected a sentence, found 3"),
        (change("annotations", 0, "sentences", [{"x": 1}]), "annotations[0]: sentence: expected a sentence"),
        (change("annotations", 1, "bbox", [1, 2, 0, 3]), "annotations[1]: box: expected a positive area"),
        (change("images", 1, "file_name", "photos/"), "annotations[3]: image: expected the name of a file"),
        (change("images", 1, "id", 7), "images: duplicate id 7"),
        (change("images", 1, "id", [9]), "images[1]: expected id (an integer or a name), found [9]"),
        (change("images", 1, "width", -1), "annotations[3]: width: expected a whole number of pixels"),
        (change("categories", 1, "name", None), "categories[1]: expected name (text)"),
        (change("annotations", 3, "split", "both"), "annotations[3]: split: expected train, val, "),
    ],
)
def test_a_problem_in_coco_is_reported_with_its_place(
    tmp_path: Path, apply: Callable[[Any], None], expected: str
) -> None:
    coco = make_coco()
    apply(coco)
    _, problems = read_json(tmp_path / "coco.json", coco, "coco")
    assert any(expected in problem for problem in problems), problems


@pytest.mark.parametrize("name", ["{}", "img-{}", "{:012d}"])
def test_coco_ids_may_be_text(tmp_path: Path, name: str) -> None:
    coco = make_coco()
    for image in coco["images"]:
        image["id"] = name.format(image["id"])
    for annotation in coco["annotations"]:
        annotation |= {
            "id": name.format(annotation["id"]),
            "image_id": name.format(annotation["image_id"]),
            "category_id": name.format(annotation["category_id"]),
        }
    for category in coco["categories"]:
        category["id"] = name.format(category["id"])
    annotations, problems = read_json(tmp_path / "text.json", coco, "coco")
    expected, _ = read_json(tmp_path / "coco.json", make_coco(), "coco")
    assert problems == [] and [record.category for record in annotations.objects.values()] == [
        record.category for record in expected.objects.values()
    ]
    assert [row.sentence for row in annotations.sentences] == [row.sentence for row in expected.sentences]
    assert [image.file_name for image in annotations.images] == [image.file_name for image in expected.images]
    assert len(annotations.notes) == (2 if name == "img-{}" else 0)


def test_coco_boxes_may_be_objects(tmp_path: Path) -> None:
    coco = make_coco()
    for position, annotation in enumerate(coco["annotations"]):
        x, y, width, height = annotation["bbox"]
        annotation["bbox"] = (
            {"x": x, "y": y, "width": width, "height": height}
            if position % 2
            else {"xmin": x, "ymin": y, "xmax": x + width, "ymax": y + height}
        )
    annotations, problems = read_json(tmp_path / "coco.json", coco, "coco")
    expected, _ = read_json(tmp_path / "expected.json", make_coco(), "coco")
    assert problems == [] and annotations == expected


def test_an_empty_box_without_a_sentence_is_dropped(tmp_path: Path) -> None:
    coco = make_coco()
    coco["annotations"][2]["bbox"] = [5, 5, 0, 5]
    annotations, problems = read_json(tmp_path / "coco.json", coco, "coco")
    assert problems == [] and sorted(annotations.objects) == [1, 2, 4]
    assert len(annotations.notes) == 1 and annotations.notes[0].startswith("1 object")


def test_mdetr_has_a_sentence_per_image(tmp_path: Path) -> None:
    annotations, problems = read_json(tmp_path / "finetune_refcocog_val.json", make_mdetr(), "mdetr")
    assert problems == [] and annotations.notes == []
    assert [
        (sentence.sentence, sentence.image_id, sentence.ann_id, sentence.sent_id)
        for sentence in annotations.sentences
    ] == [
        ("the nearer cup", 131074, 1719310, 40),
        ("a red cup", 131074, 1719310, 41),
        ("a café table", 393230, 66, 42),
    ]
    assert [image.file_name for image in annotations.images] == [
        "COCO_train2014_000000131074.jpg",
        "COCO_train2014_000000393230.jpg",
    ]
    assert annotations.objects[66].category == "cup" and len(annotations.objects) == 2


def test_an_mdetr_image_without_a_caption_is_reported(tmp_path: Path) -> None:
    mdetr = make_mdetr()
    mdetr["images"][2]["caption"] = ""
    mdetr["annotations"][1]["image_id"] = 4
    _, problems = read_json(tmp_path / "m.json", mdetr, "mdetr")
    assert [problem.split(": expected")[0] for problem in problems] == [
        "m.json: annotations[1]",
        "m.json: image 42: sentence",
    ]


@pytest.mark.parametrize("format", ["coco", "mdetr"])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "1:1: expected JSON"),
        (b"[1]", "expected an object, found a list"),
        (b'{"images": 3, "annotations": []}', "expected a list `images`, found 3"),
        (b'{"images": []}', "expected a list `annotations`, found None"),
        (b'{"a": 1, "a": 2}', "key 'a'"),
        (b"{\xff\xfe}", "1: expected UTF-8, found byte 0xff at 2"),
        (b'{"a":' * 50_000, "nested too deep"),
    ],
)
def test_other_json_than_coco_is_rejected(tmp_path: Path, content: bytes, expected: str, format: str) -> None:
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(CliprpnError) as caught:
        read(rows_source(tmp_path / "c.json", format=format))
    assert caught.value.code == "data_invalid" and expected in caught.value.message


@pytest.mark.parametrize("legacy", [True, False])
def test_transvg_rows_are_read_from_both_torch_formats(tmp_path: Path, legacy: bool) -> None:
    path = write_torch(tmp_path / "gref_umd_train.pth", make_transvg(), legacy)
    annotations, problems = read(rows_source((path, "train"), format="transvg"))
    assert problems == []
    assert [(sentence.sentence, sentence.split, sentence.ann_id) for sentence in annotations.sentences] == [
        ("the nearer cup", "train", 1),
        ("a café cup", "train", 1),
        ("table", "train", 2),
    ]
    assert [record.box for record in annotations.objects.values()] == [(10.5, 20, 30, 40.25), (0, 0, 5, 6)]


def test_flickr_rows_with_python_2_text_are_read(tmp_path: Path) -> None:
    rows = pickle.dumps([("36979.jpg", [1, 2, 30, 40], "cafX")], 2).replace(
        b"X\x04\x00\x00\x00cafX", b"U\x04caf\xe9"
    )
    (tmp_path / "flickr_val.pth").write_bytes(rows)
    annotations, problems = read(
        rows_source(tmp_path / "flickr_val.pth", format="transvg", box_format="xyxy")
    )
    assert (
        problems == []
        and annotations.sentences[0].sentence == "café"
        and annotations.objects[1].box == (1, 2, 30, 40)
    )


BOX = [10.5, 20, 30.25, 40]
BOXES: dict[str, Any] = {
    "float64": np.array(BOX),
    "float32": np.array(BOX, np.float32),
    "big-endian": np.array(BOX, ">f8"),
    "integers": np.array([10, 20, 30, 40]),
    "NumPy numbers": [np.float32(10.5), np.float64(20), np.float64(30.25), np.int64(40)],
    "one row": np.array([BOX]),
    "a column of a Fortran array": np.asfortranarray(np.array([BOX, BOX]))[:1],
    "tensor": torch.tensor(BOX),
    "double tensor": torch.tensor(BOX, dtype=torch.float64),
    "half tensor": torch.tensor(BOX, dtype=torch.float16),
    "integer tensor": torch.tensor([10, 20, 30, 40]),
    "row of a tensor": torch.tensor([[1.0, 2, 3, 4], BOX])[1],
    "column of a tensor": torch.tensor([[1.0, 2, 3, 4], BOX]).T.contiguous()[:, 1],
}


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("legacy", [True, False])
def test_boxes_of_numpy_and_torch_are_read(tmp_path: Path, name: str, legacy: bool) -> None:
    path = write_torch(tmp_path / "x.pth", [("a.jpg", 1, BOXES[name], "a dog", [])], legacy)
    if legacy and "tensor" in name:
        with pytest.raises(CliprpnError, match=r"persistent id.*convert it to plain lists") as caught:
            read(rows_source(path, format="transvg"))
        assert caught.value.code == "data_invalid"
        return
    annotations, problems = read(rows_source(path, format="transvg"))
    assert problems == []
    assert annotations.objects[1].box == ((10, 20, 30, 40) if "integer" in name else tuple(BOX))


def test_the_conversion_of_the_message_makes_a_file_that_is_read(tmp_path: Path) -> None:
    write_torch(tmp_path / "x.pth", [("a.jpg", 1, torch.tensor(BOX), "a dog", [])], legacy=True)
    with pytest.raises(CliprpnError) as caught:
        read(rows_source(tmp_path / "x.pth", format="transvg"))
    code = caught.value.message.split('python -c "')[1].removesuffix('"')
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    annotations, problems = read(rows_source(tmp_path / "plain-x.pth", format="transvg"))
    assert problems == [] and annotations.objects[1].box == tuple(BOX)


def test_rows_with_names_or_more_values_are_read(tmp_path: Path) -> None:
    rows = [
        {"img_name": "a.jpg", "bbox": BOX, "phrase": "a dog", "size": (640, 480)},
        ("a.jpg", 7, BOX, "the dog", None, 309, 7),
        ["a.jpg", "", tuple(BOX), "it", None],
    ]
    annotations, problems = read(
        rows_source(write_torch(tmp_path / "x.pth", rows, legacy=False), format="transvg")
    )
    assert problems == [] and len(annotations.objects) == 1
    assert [row.sentence for row in annotations.sentences] == ["a dog", "the dog", "it"]


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize(
    ("value", "named"),
    [
        (torch.nn.Linear(1, 1), "torch.nn.modules.linear.Linear"),
        ([np.array(["a.jpg", None], dtype=object)], "dtype with other values than numbers"),
        ([torch.tensor([True])], "torch.BoolStorage"),
    ],
)
def test_other_arrays_and_classes_are_rejected_by_name(
    tmp_path: Path, value: Any, named: str, legacy: bool
) -> None:
    path = write_torch(tmp_path / "x.pth", value, legacy)
    with pytest.raises(CliprpnError) as caught:
        read(rows_source(path, format="transvg"))
    assert caught.value.code == "data_invalid" and named in caught.value.message


def test_a_zip_not_written_by_torch_is_rejected(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.pth"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", b"]" * 10_000_000)
    other = tmp_path / "other.pth"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", b"hello")
    torn = tmp_path / "torn.pth"
    torn.write_bytes(write_torch(tmp_path / "good.pth", make_transvg(), legacy=False).read_bytes()[:-30])
    for path, expected in ((bomb, "not compressed"), (other, "found 0 in the zip"), (torn, "a broken one")):
        with pytest.raises(CliprpnError) as caught:
            read(rows_source(path, format="transvg"))
        assert caught.value.code == "data_invalid" and expected in caught.value.message


def test_rows_that_contain_themselves_are_rejected(tmp_path: Path) -> None:
    endless: list[Any] = []
    endless.append(endless)
    many: list[Any] = ["a"] * 10
    for _ in range(40):
        many = [many] * 10
    for value, expected in ((endless, "itself"), (many, "more than 50,000,000 entries")):
        (tmp_path / "x.pth").write_bytes(pickle.dumps(value, 2))
        with pytest.raises(CliprpnError) as caught:
            read(rows_source(tmp_path / "x.pth", format="transvg"))
        assert expected in caught.value.message


def test_a_row_with_another_number_of_values_is_reported(tmp_path: Path) -> None:
    rows = [*make_transvg(), ("a.jpg", "sentence"), "a.jpg", ("a.jpg", "1", "box", "a", [])]
    _, problems = read(rows_source(write_torch(tmp_path / "x.pth", rows, legacy=True), format="transvg"))
    assert [problem.split(":")[0] for problem in problems] == ["x.pth[3]", "x.pth[4]", "x.pth[5]"]
    (tmp_path / "x.pth").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(CliprpnError, match="expected a list of rows, found a dict"):
        read(rows_source(tmp_path / "x.pth", format="transvg"))
