"""Files that detectors, their libraries and language models write give the boxes that they mean."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from detections import (
    SIZES,
    Detection,
    as_rows,
    assert_same,
    by_image,
    class_number,
    coco_id,
    cxcywh,
    file_name,
    image_id,
    make_index,
    make_objects,
    read,
    scaled,
    xywh,
)

from cliprpn.detectors.results.folder import folder_sha256
from cliprpn.errors import CliprpnError

OBJECTS = make_objects()
INDEX = make_index(OBJECTS)
FOLDER = {"b.txt": "0 .5 .5 .1 .1", "B.json": "[]", "é.TXT": "", "notes.md": "no detections"}
FOLDER_SHA256 = "a5325164658cf1d9538a11d375edda33f7fb367d009dca1d334820970afb8b5a"
Write = Callable[[list[Detection]], Any]


def rows(make: Callable[[Detection], dict[str, Any]]) -> Write:
    return lambda objects: [make(each) for each in objects]


def images(make: Callable[[int, list[Detection]], Any]) -> Write:
    return lambda objects: [make(row, each) for row, each in by_image(objects).items()]


def keyed(make: Callable[[int, list[Detection]], Any], key: Callable[[int], str] = file_name) -> Write:
    return lambda objects: {key(row): make(row, each) for row, each in by_image(objects).items()}


def lists(each: list[Detection], labels: str = "labels", boxes: str = "boxes") -> dict[str, Any]:
    """As Hugging Face's post-processing and torchvision return them."""
    return {
        "scores": [0.9] * len(each),
        boxes: [list(one.box) for one in each],
        labels: [one.name for one in each],
    }


def named(box: tuple[float, ...], keys: str) -> dict[str, float]:
    return dict(zip(keys.split(), box, strict=True))


LAYOUTS: dict[str, Write] = {
    "COCO results": as_rows,
    "ultralytics: stem as image_id, file_name beside, ids from 1": rows(
        lambda each: {
            "image_id": file_name(each.image_row)[:-4],
            "file_name": file_name(each.image_row),
            "category_id": class_number(each.name) + 1,
            "bbox": xywh(each.box),
            "score": 0.91234,
        }
    ),
    "ultralytics, earlier: ids from 0, text ids": rows(
        lambda each: {
            "image_id": str(image_id(each.image_row)),
            "category_id": class_number(each.name),
            "bbox": xywh(each.box),
            "score": 0.9,
        }
    ),
    "ultralytics to_json by image": keyed(
        lambda _, each: [
            {
                "name": one.name,
                "class": class_number(one.name),
                "confidence": 0.9,
                "box": named(one.box, "x1 y1 x2 y2"),
            }
            for one in each
        ]
    ),
    "ultralytics boxes": images(
        lambda row, each: {
            "path": f"/data/coco/{file_name(row)}",
            "xyxy": [list(one.box) for one in each],
            "conf": [0.9] * len(each),
            "cls": [float(class_number(one.name)) for one in each],
        }
    ),
    "yolov5 pandas records": rows(
        lambda each: {
            "image": file_name(each.image_row),
            **named(each.box, "xmin ymin xmax ymax"),
            "confidence": 0.9,
            "class": class_number(each.name),
            "name": each.name,
        }
    ),
    "Hugging Face pipeline by file name": keyed(
        lambda _, each: [
            {"score": 0.9, "label": one.name, "box": named(one.box, "xmin ymin xmax ymax")} for one in each
        ]
    ),
    "Grounding DINO, transformers": keyed(lambda _, each: lists(each)),
    "OWLv2, transformers with text_labels": images(
        lambda row, each: {
            "image_id": image_id(row),
            **lists(each, "text_labels"),
            "labels": [0] * len(each),
        }
    ),
    "Grounding DINO's predict": images(
        lambda row, each: {
            "image_path": f"images/{file_name(row)}",
            "boxes": [scaled(cxcywh(one.box), row) for one in each],
            "logits": [0.9] * len(each),
            "phrases": [one.name for one in each],
        }
    ),
    "Grounded SAM 2": images(
        lambda row, each: {
            "image_path": f"notebooks/images/{file_name(row)}",
            "annotations": [
                {
                    "class_name": one.name,
                    "bbox": list(one.box),
                    "segmentation": {"size": [4, 4], "counts": "04"},
                    "score": [0.9],
                }
                for one in each
            ],
            "box_format": "xyxy",
            "img_width": SIZES[row % 3][0],
            "img_height": SIZES[row % 3][1],
        }
    ),
    "MM-Grounding-DINO's predictions by image": keyed(
        lambda _, each: {
            "labels": [coco_id(one.name) for one in each],
            "scores": [0.9] * len(each),
            "bboxes": [list(one.box) for one in each],
        },
        key=lambda row: file_name(row)[:-4],
    ),
    "torchvision with image ids": images(
        lambda row, each: {
            "image_id": image_id(row),
            "boxes": [list(one.box) for one in each],
            "labels": [coco_id(one.name) for one in each],
            "scores": [0.9] * len(each),
        }
    ),
    "TensorFlow": images(
        lambda row, each: {
            "image": file_name(row),
            "detection_boxes": [[scaled(one.box, row)[i] for i in (1, 0, 3, 2)] for one in each],
            "detection_scores": [0.9] * len(each),
            "detection_classes": [float(coco_id(one.name)) for one in each],
        }
    ),
    "Roboflow: center": images(
        lambda row, each: {
            "image": {"width": SIZES[row % 3][0], "height": SIZES[row % 3][1], "id": file_name(row)},
            "predictions": [
                {
                    **named(tuple(cxcywh(one.box)), "x y width height"),
                    "confidence": 0.9,
                    "class": one.name,
                    "class_id": 3,
                    "detection_id": "a1",
                }
                for one in each
            ],
        }
    ),
    "SAHI": rows(
        lambda each: {
            "image_id": image_id(each.image_row),
            "bbox": xywh(each.box),
            "score": 0.9,
            "category_id": 99,
            "category_name": each.name,
            "segmentation": [],
            "iscrowd": 0,
            "area": 12,
        }
    ),
    "detections with their own images and categories": lambda objects: {
        "images": [{"id": row, "file_name": f"val/{file_name(row)}"} for row in by_image(objects)],
        "categories": [{"id": 1000 + class_number(one.name), "name": one.name} for one in objects],
        "annotations": [
            {
                "image_id": one.image_row,
                "category_id": 1000 + class_number(one.name),
                "bbox": xywh(one.box),
                "score": 1,
            }
            for one in objects
        ],
    },
    "results below a key": lambda objects: {"model": "x", "results": as_rows(objects)},
    "Gemini": images(
        lambda row, each: {
            "image": file_name(row),
            "objects": [
                {"box_2d": [scaled(one.box, row, 1000)[i] for i in (1, 0, 3, 2)], "label": one.name}
                for one in each
            ],
        }
    ),
    "Qwen2.5-VL with bbox_2d in pixels": images(
        lambda row, each: {
            "image": file_name(row),
            "detections": [{"bbox_2d": list(one.box), "label": one.name} for one in each],
        }
    ),
    "Qwen3-VL with bbox_2d from 0 to 1000": images(
        lambda row, each: {
            "image": file_name(row),
            "detections": [{"bbox_2d": scaled(one.box, row, 1000), "label": one.name} for one in each],
        }
    ),
    "detectron2": images(
        lambda row, each: {
            "image_id": image_id(row),
            "instances": [
                {
                    "bbox": list(one.box),
                    "bbox_mode": 0,
                    "category_id": class_number(one.name),
                    "score": 0.9,
                }
                for one in each
            ],
        }
    ),
    "Florence-2 after post-processing": keyed(
        lambda _, each: {
            "<OD>": {"bboxes": [list(one.box) for one in each], "labels": [one.name for one in each]}
        }
    ),
    "Florence-2, open vocabulary": keyed(
        lambda _, each: {
            "<OPEN_VOCABULARY_DETECTION>": {
                "bboxes": [list(one.box) for one in each],
                "bboxes_labels": [one.name for one in each],
                "polygons": [],
                "polygons_labels": [],
            }
        }
    ),
}


def parts(box: list[float]) -> str:
    return ", ".join(str(round(side)) for side in box)


def pairs(box: list[float]) -> str:
    left, top, right, bottom = (round(side) for side in box)
    return f"({left},{top}),({right},{bottom})"


TEXTS: dict[str, Callable[[Detection], str]] = {
    "Qwen-VL": lambda each: (
        f"<ref>{each.name}</ref><box>{pairs(scaled(each.box, each.image_row, 1000))}</box>"
    ),
    "Qwen2-VL": lambda each: (
        f"<|object_ref_start|>{each.name}<|object_ref_end|>"
        f"<|box_start|>{pairs(scaled(each.box, each.image_row, 1000))}<|box_end|>"
    ),
    "InternVL": lambda each: (
        f"<ref>{each.name}</ref><box>[[{parts(scaled(each.box, each.image_row, 1000))}]]</box> "
    ),
    "DeepSeek-VL2": lambda each: (
        f"<|ref|>{each.name}<|/ref|><|det|>[[{parts(scaled(each.box, each.image_row, 999))}]]<|/det|>"
    ),
    "Florence-2": lambda each: (
        each.name + "".join(f"<loc_{min(999, int(side))}>" for side in scaled(each.box, each.image_row, 1000))
    ),
    "PaliGemma": lambda each: (
        "".join(f"<loc{round(scaled(each.box, each.image_row, 1024)[i]):04d}>" for i in (1, 0, 3, 2))
        + f" {each.name} ; "
    ),
}


def write(content: Any, folder: Path, name: str = "results.json") -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_gives_its_boxes_and_classes(tmp_path: Path, layout: str) -> None:
    results = read(write(LAYOUTS[layout](OBJECTS), tmp_path), INDEX)
    assert_same(results, OBJECTS)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if isinstance(LAYOUTS[name](OBJECTS), list)])
def test_a_layout_is_read_from_lines_too(tmp_path: Path, layout: str) -> None:
    content = LAYOUTS[layout](OBJECTS)
    lines = "".join(f"{json.dumps(item)}\n" for item in content)
    for name in ("results.jsonl", "results.json"):
        assert_same(read(write(lines, tmp_path, name), INDEX), OBJECTS)


@pytest.mark.parametrize("model", TEXTS)
@pytest.mark.parametrize("shape", ["rows", "by image"])
def test_the_answers_of_a_language_model_are_read(tmp_path: Path, model: str, shape: str) -> None:
    texts = {row: "".join(map(TEXTS[model], each)) for row, each in by_image(OBJECTS).items()}
    if shape == "rows":
        content: Any = [
            {"image": f"coco/train2014/{file_name(row)}", "prompt": "detect", "response": text}
            for row, text in texts.items()
        ]
    else:
        content = {file_name(row): [{"output": text, "image": file_name(row)}] for row, text in texts.items()}
    # A step of 0 to 999 is 0.64 px in the largest images.
    results = read(write(content, tmp_path), INDEX)
    assert_same(results, OBJECTS, tolerance_px=0.7)
    assert any("no scores" in note for note in results.notes)


@pytest.mark.parametrize(("full", "word"), [(None, "xyxy"), (1000, "xyxy_1000")])
def test_json_in_an_answer_is_read_as_what_finds_the_objects(
    tmp_path: Path, full: float | None, word: str
) -> None:
    def box(one: Detection) -> list[float]:
        return list(one.box) if full is None else scaled(one.box, one.image_row, full)

    content = [
        {
            "image": file_name(row),
            "response": "Here they are:\n```json\n"
            + json.dumps([{"bbox_2d": box(one), "label": one.name} for one in each], indent=1)
            + "\n```",
        }
        for row, each in by_image(OBJECTS).items()
    ]
    results = read(write(content, tmp_path), INDEX)
    assert_same(results, OBJECTS)
    assert any(f"read as {word}" in note for note in results.notes)


def test_an_answer_without_a_box_is_counted(tmp_path: Path) -> None:
    content = [
        {"image": file_name(0), "response": "<box>[[1, 2, 900, 900]]</box>"},
        {"image": file_name(1), "response": "There is no such object."},
    ]
    results = read(write(content, tmp_path), INDEX)
    assert [len(results.proposals_of(row)) for row in (0, 1)] == [1, 0]
    assert any("1 answer" in note for note in results.notes)


def test_answers_by_image_are_read(tmp_path: Path) -> None:
    content = {
        file_name(row): "".join(map(TEXTS["Florence-2"], each)) for row, each in by_image(OBJECTS).items()
    }
    assert_same(read(write(content, tmp_path), INDEX), OBJECTS, tolerance_px=0.7)


@pytest.mark.parametrize(
    "answer", ["I see a cat.", "<phrase>a cat</phrase><object><patch_index_0044><patch_index_0863></object>"]
)
def test_answers_without_a_box_that_can_be_read_are_shown(tmp_path: Path, answer: str) -> None:
    content = [{"image": file_name(row), "response": answer} for row in range(12)]
    with pytest.raises(CliprpnError, match="expected boxes in the answers") as caught:
        read(write(content, tmp_path), INDEX)
    assert answer[:8] in caught.value.message and "none in 12" in caught.value.message


def test_boxes_of_two_formats_are_noted(tmp_path: Path) -> None:
    content = as_rows(OBJECTS)
    for row, one in zip(content[::2], OBJECTS[::2], strict=True):
        row["bbox"] = list(one.box)
    results = read(write(content, tmp_path), INDEX)
    assert any("extend past their image" in note for note in results.notes)


def test_fiftyone_samples_are_read(tmp_path: Path) -> None:
    content = {
        "samples": [
            {
                "filepath": f"/data/{file_name(row)}",
                "predictions": {
                    "detections": [
                        {"label": one.name, "bounding_box": scaled(xywh(one.box), row), "confidence": 0.9}
                        for one in each
                    ]
                },
            }
            for row, each in by_image(OBJECTS).items()
        ]
    }
    assert_same(read(write(content, tmp_path), INDEX, box_format="xywh_norm"), OBJECTS, tolerance_px=0.03)


def test_the_hash_of_a_folder_is_the_one_of_the_command_line(tmp_path: Path) -> None:
    """test/unit/experiment-results-folder.test.ts expects the same."""
    for name, content in FOLDER.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "sub.json").mkdir()
    assert folder_sha256(tmp_path) == FOLDER_SHA256


def test_a_csv_table_is_read(tmp_path: Path) -> None:
    file = tmp_path / "detections.csv"
    with file.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["image", "xmin", "ymin", "xmax", "ymax", "confidence", "class", "name"])
        for one in OBJECTS:
            table.writerow([file_name(one.image_row), *one.box, 0.9, 1, one.name])
    assert_same(read(file, INDEX), OBJECTS)


def test_a_folder_of_yolo_labels_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    for row, each in by_image(OBJECTS).items():
        lines = [
            " ".join(map(str, [class_number(one.name), *scaled(cxcywh(one.box), row), 0.9])) for one in each
        ]
        (folder / file_name(row).replace(".jpg", ".txt")).write_text("\n".join(lines) + "\n")
    results = read(folder, INDEX)
    assert_same(results, OBJECTS)
    assert any("numbered from 0" in note for note in results.notes)


@pytest.mark.parametrize("ending", ["", "_results"])
def test_a_folder_with_a_file_per_image_is_read(tmp_path: Path, ending: str) -> None:
    """As mmdet (`preds/`) and Grounded SAM 2 write them."""
    folder = tmp_path / "preds"
    folder.mkdir()
    for row, each in by_image(OBJECTS).items():
        write(lists(each, boxes="bboxes"), folder, f"{file_name(row)[:-4]}{ending}.json")
    assert_same(read(folder, INDEX), OBJECTS)


def test_a_file_that_names_no_image_is_told_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(CliprpnError, match="row 0: expected an image"):
        read(write([lists(OBJECTS[:3])], tmp_path), INDEX)


@pytest.mark.parametrize(
    ("box_format", "make"),
    [
        ("xyxy", lambda one: list(one.box)),
        ("cxcywh", lambda one: cxcywh(one.box)),
        ("xywh_norm", lambda one: scaled(xywh(one.box), one.image_row)),
        ("xyxy_norm", lambda one: scaled(one.box, one.image_row)),
        ("cxcywh_norm", lambda one: scaled(cxcywh(one.box), one.image_row)),
        ("xywh_1000", lambda one: scaled(xywh(one.box), one.image_row, 1000)),
        ("xyxy_1000", lambda one: scaled(one.box, one.image_row, 1000)),
        ("yxyx_1000", lambda one: [scaled(one.box, one.image_row, 1000)[i] for i in (1, 0, 3, 2)]),
        ("yxyx", lambda one: [one.box[i] for i in (1, 0, 3, 2)]),
    ],
)
def test_another_box_format_is_refused_with_the_option_that_reads_it(
    tmp_path: Path, box_format: str, make: Callable[[Detection], list[float]]
) -> None:
    content = [{**row, "bbox": make(one)} for row, one in zip(as_rows(OBJECTS), OBJECTS, strict=True)]
    file = write(content, tmp_path)
    with pytest.raises(CliprpnError, match=rf"--box-format {box_format} \("):
        read(file, INDEX)
    assert_same(read(file, INDEX, box_format=box_format), OBJECTS, tolerance_px=0.03)


def test_named_sides_in_another_scale_are_refused_too(tmp_path: Path) -> None:
    content = {
        file_name(row): [
            {"label": one.name, "score": 1, "box": named(tuple(scaled(one.box, row)), "xmin ymin xmax ymax")}
            for one in each
        ]
        for row, each in by_image(OBJECTS).items()
    }
    file = write(content, tmp_path)
    with pytest.raises(CliprpnError, match=r"--box-format xyxy_norm \("):
        read(file, INDEX)
    assert_same(read(file, INDEX, box_format="xyxy_norm"), OBJECTS)


def test_boxes_in_the_frame_of_a_resized_image_are_scaled(tmp_path: Path) -> None:
    content = [
        {
            "image": file_name(row),
            "image_width": SIZES[row % 3][0] / 2,
            "image_height": SIZES[row % 3][1] / 2,
            "predictions": [
                {"label": one.name, "score": 1, "bbox": [side / 2 for side in xywh(one.box)]} for one in each
            ],
        }
        for row, each in by_image(OBJECTS).items()
    ]
    results = read(write(content, tmp_path), INDEX)
    assert_same(results, OBJECTS)
    assert any("320x240 px, the dataset's 640x480 px" in note for note in results.notes)


def test_boxes_of_turned_images_are_refused(tmp_path: Path) -> None:
    content = [
        {
            "image": file_name(row),
            "width": SIZES[row % 3][1],
            "height": SIZES[row % 3][0],
            "predictions": [{"label": one.name, "score": 1, "bbox": xywh(one.box)} for one in each],
        }
        for row, each in by_image(OBJECTS).items()
    ]
    with pytest.raises(CliprpnError, match="turned by 90 degrees: 480x640 px, the dataset's 640x480 px"):
        read(write(content, tmp_path), INDEX)


def test_boxes_far_from_all_objects_are_noted(tmp_path: Path) -> None:
    content = [{**row, "bbox": [2, 2, 9, 9]} for row in as_rows(OBJECTS)]
    results = read(write(content, tmp_path), INDEX)
    assert any("overlap only 0.0% of 36 annotated objects" in note for note in results.notes)
