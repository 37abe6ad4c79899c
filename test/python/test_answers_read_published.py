"""What the code that writes published formats of answers means by a row: best boxes, no answer, coordinates, splits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from cliprpn.answers.answer_row import AnswerFile
from cliprpn.answers.rows.read_file import read_answer_file
from cliprpn.contract.generated import AnswerReading

SIZE = {"hw": [480, 640]}


def read(path: Path, columns: dict[str, str] | None = None) -> AnswerFile:
    return read_answer_file(
        path, AnswerReading(format=None, columns=columns, coordinates=None, force_coordinates=False)
    )


def read_json(folder: Path, value: Any, columns: dict[str, str] | None = None) -> AnswerFile:
    path = folder / "answers.json"
    path.write_text(json.dumps(value))
    return read(path, columns)


def name_of(row: Any) -> str | None:
    return None if row.coordinates is None else row.coordinates.box_format


def test_mdetr_boxes_are_not_sorted_and_the_best_score_counts(tmp_path: Path) -> None:
    boxes = [[0, 0, 9, 9], [10, 20, 30, 40], [1, 1, 2, 2]]
    predictions = {7: {"scores": [0.1, 0.9, 0.2], "labels": [1, 1, 1], "boxes": boxes}}
    file = read_json(tmp_path, predictions)
    assert (file.format, file.rows[0].sent_id, file.rows[0].box) == ("mdetr", 7, (10, 20, 30, 40))
    assert file.rows[0].score == 0.9
    torch.save({7: {key: torch.tensor(value) for key, value in predictions[7].items()}}, tmp_path / "m.pth")
    assert read(tmp_path / "m.pth").rows[0].box == (10, 20, 30, 40)


def test_of_equal_scores_the_first_box_counts_and_a_score_that_is_not_a_number_never_does(
    tmp_path: Path,
) -> None:
    boxes = [[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]]
    rows = [
        {"sent_id": 1, "boxes": boxes, "scores": [0.5, 0.7, 0.7]},
        {"sent_id": 2, "boxes": boxes, "scores": [float("nan"), 0.1, None]},
    ]
    assert [row.box for row in read_json(tmp_path, rows).rows] == [(0, 0, 2, 2), (0, 0, 2, 2)]


def test_four_zeros_of_vlm_r1_are_no_answer(tmp_path: Path) -> None:
    rows = [vlm_r1([0, 0, 0, 0], model_output="I see none"), vlm_r1([1, 2, 3, 4])]
    file = read_json(tmp_path, {"accuracy": 50, "results": rows})
    assert file.format == "vlm_r1"
    assert (file.rows[0].box, file.rows[0].unparsed, file.rows[0].text) == (None, True, "I see none")
    assert file.rows[1].box == (1, 2, 3, 4)


def test_vlm_r1_scales_its_answers_only_where_it_logs_both_sizes(tmp_path: Path) -> None:
    sizes = {"input_size": [476, 644], "image_size": [480, 640]}
    scaled, raw = read_json(tmp_path, [vlm_r1([1, 2, 3, 4]) | sizes, vlm_r1([1, 2, 3, 4])]).rows
    assert (name_of(scaled), name_of(raw)) == ("xyxy", None)
    # Its ground truth is that of the dataset.
    assert all(
        row.gt_coordinates is not None and row.gt_coordinates.box_format == "xyxy" for row in (scaled, raw)
    )


def test_a_named_column_is_not_what_the_published_code_means(tmp_path: Path) -> None:
    sizes = {"input_size": [476, 644], "image_size": [480, 640]}
    rows = [vlm_r1([1, 2, 3, 4], model_output="[5, 6, 7, 8]") | sizes]
    (row,) = read_json(tmp_path, rows, {"box": "model_output"}).rows
    assert (row.box, name_of(row)) == ((5, 6, 7, 8), None)


@pytest.mark.parametrize(
    ("answer", "box", "name"),
    [
        ("dog[[100, 200, 300, 400]]", (100, 200, 300, 400), "xyxy_1000"),
        ("<ref>dog</ref><box>[[100, 200, 300, 400]]</box>", (100, 200, 300, 400), "xyxy_1000"),
        ("[[0.1, 0.2, 0.3, 0.4]]", (0.1, 0.2, 0.3, 0.4), "xyxy_norm"),
    ],
)
def test_internvl_writes_lists_also_without_its_tokens(
    tmp_path: Path, answer: str, box: tuple[float, ...], name: str
) -> None:
    file = read_json(tmp_path, [{"answer": answer, "gt_bbox": [1, 2, 3, 4]} | SIZE])
    assert (file.format, file.rows[0].box, name_of(file.rows[0])) == ("internvl", box, name)


@pytest.mark.parametrize("answer", ["(111,222),(333,999)", "<box>(111,222),(333,999)</box>"])
def test_qwen_vl_writes_pairs_from_0_to_999(tmp_path: Path, answer: str) -> None:
    file = read_json(tmp_path, [{"answer": answer, "gt_bbox": [1, 2, 3, 4]} | SIZE])
    assert (file.format, name_of(file.rows[0])) == ("qwen", "xyxy_norm")
    assert file.rows[0].box == pytest.approx((1 / 9, 2 / 9, 1 / 3, 1))


def test_json_of_later_models_in_the_same_layout_leaves_its_coordinates_open(tmp_path: Path) -> None:
    answer = '[{"bbox_2d": [100, 200, 300, 400]}]'
    file = read_json(tmp_path, [{"answer": answer, "gt_bbox": [1, 2, 3, 4]} | SIZE])
    assert (file.rows[0].box, name_of(file.rows[0])) == ((100, 200, 300, 400), None)


def test_an_answer_without_a_box_does_not_hide_the_format_of_the_others(tmp_path: Path) -> None:
    rows = [{"answer": text, "gt_bbox": [1, 2, 3, 4]} | SIZE for text in ("sorry", "[[100, 200, 300, 400]]")]
    file = read_json(tmp_path, rows)
    assert (file.format, file.rows[0].unparsed) == ("internvl", True)


@pytest.mark.parametrize(
    ("split", "expected"),
    [("RefCOCO+_testA", "testA"), ("RefCOCOg_val", "val"), ("val", "val"), (None, None)],
)
def test_vlmevalkit_names_splits_by_their_dataset(
    tmp_path: Path, split: str | None, expected: str | None
) -> None:
    (row,) = read_json(tmp_path, [vlmevalkit(split=split)]).rows
    assert row.split == expected


@pytest.mark.parametrize(
    ("columns", "box", "name"),
    [
        ({"bbox_x1": 10, "bbox_y1": 20, "bbox_x2": 30, "bbox_y2": 40}, (10, 20, 30, 40), "xyxy"),
        ({}, (0.1, 0.2, 0.3, 0.4), "xyxy_norm"),
        ({"answer": "[100, 200, 300, 400]"}, (100, 200, 300, 400), None),
    ],
)
def test_vlmevalkit_has_its_ground_truth_in_pixels_or_normalized(
    tmp_path: Path, columns: dict[str, Any], box: tuple[float, ...], name: str | None
) -> None:
    (row,) = read_json(tmp_path, [vlmevalkit() | columns]).rows
    found = None if row.gt_coordinates is None else row.gt_coordinates.box_format
    assert (row.gt_box, found) == (box, name)


def test_reading_answers_imports_no_torch() -> None:
    code = "import sys, cliprpn.answers.rows.read_file; assert not {'torch', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "text",
    [
        "<think>maybe [9, 9, 19, 19]</think><answer>[12, 34, 56, 78]</answer>",
        "<think>maybe [9, 9, 19, 19]</think>\n[12, 34, 56, 78]",
        "[9, 9, 19, 19]? <answer>[12, 34, 56, 78]</answer>",
        "word " * 10_000 + "<answer>[12, 34, 56, 78]</answer>",
    ],
)
def test_boxes_that_a_model_considers_are_no_answers(tmp_path: Path, text: str) -> None:
    (row,) = read_json(tmp_path, [{"sent_id": 1, "answer": text}]).rows
    assert row.box == (12, 34, 56, 78)


@pytest.mark.parametrize("rest", ["</think><answer>none</answer>", "</think>none", ""])
def test_thoughts_without_an_answer_have_no_box(tmp_path: Path, rest: str) -> None:
    text = f"<think>maybe [9, 9, 19, 19]{rest}"
    rows = [{"sent_id": 1, "answer": text}, {"sent_id": 2, "answer": "[1, 2, 3, 4]"}]
    assert [row.unparsed for row in read_json(tmp_path, rows).rows] == [True, False]


def vlm_r1(answer: list[float], model_output: str = "{[1, 2, 3, 4]}") -> dict[str, Any]:
    return {
        "image": "a.jpg",
        "question": "Please provide the bounding box of the dog.",
        "ground_truth": [1, 2, 3, 4],
        "model_output": model_output,
        "extracted_answer": answer,
        "correct": 1,
    }


def vlmevalkit(split: str | None = None) -> dict[str, Any]:
    row = {
        "index": 0,
        "question": "Where is the dog?",
        "answer": "[0.1, 0.2, 0.3, 0.4]",
        "prediction": "[1, 2, 3, 4]",
    }
    return row if split is None else row | {"split": split}
