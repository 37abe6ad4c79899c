"""Odd answers of real models and programs: a box that is there is read, any other answer is counted as a miss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answer_data import coordinates
from made_answers import NUM_VAL, VAL, Asked, convert, make_dataset, predictions
from user_data import write_jsonl

from cliprpn.answers.fit.check_fit import check_fit
from cliprpn.answers.text.answer_text import box_in_text
from cliprpn.errors import CliprpnError

BOX = (12, 34, 56, 78)
READ = [
    "[12. 34. 56. 78.]",
    "[[ 12.   34.   56.   78. ]]",
    "array([12., 34., 56., 78.], dtype=float32)",
    "tensor([12., 34., 56., 78.], device='cuda:0')",
    "tensor([[1.2000e+01, 3.4000e+01, 5.6000e+01, 7.8000e+01]], dtype=torch.float16)",
    "[tensor(12.), tensor(34.), tensor(56.), tensor(78.)]",
    "[np.float64(12.0), np.float64(34.0), np.float64(56.0), np.float64(78.0)]",
    "[tensor(12., device='cuda:0'), tensor(34., device='cuda:0'), tensor(56.), tensor(78.)]",
    "[1.2e1, 3.4E+01, 56, 78]",
    '{"label": "4 dogs", "id": [1, 2, 3, 4], "bbox_2d": [12, 34, 56, 78]}',
    "{'id': [1, 2, 3, 4], 'bbox_2d': [12, 34, 56, 78]}",
    '```json\n[{"id": [1, 2, 3, 4], "bbox_2d": [12, 34, 56, 78], "lab',
    '{"boxes": [[1, 2, 3, 4], [12, 34, 56, 78]], "scores": [0.1, 0.9]}',
    '{"bbox": {"xmin": 12, "ymin": 34, "xmax": 56, "ymax": 78}}',
    '{"bbox_2d": "12, 34, 56, 78"}',
    "<thinking>[1, 2, 3, 4]</thinking>[12, 34, 56, 78]",
    "◁think▷[1, 2, 3, 4]◁/think▷[12, 34, 56, 78]",
    "<answer>[12, 34, 56, 78]</answer><answer>[1, 2, 3, 4]</answer>",
    "Image size is 640 x 480. The box is [12, 34, 56, 78].",
    "\\boxed{[12, 34, 56, 78]}",
]


@pytest.mark.parametrize("text", READ)
def test_a_box_is_read_from_odd_texts(text: str) -> None:
    found = box_in_text(text)
    assert found is not None and found.box == BOX


@pytest.mark.parametrize(
    "text",
    [
        # The last number may have been cut off.
        "[12, 34, 56, 7",
        '```json\n[{"bbox_2d": [12, 34, 56, 7',
        '{"answer": "12, 34, 56, 7',
        "x" * 19_990 + "12, 34, 56, 789",
        "12,5; 34,0; 56,5; 78,0",
        "[0,12, 0,34, 0,56, 0,78]",
        "[1,234, 56, 2,345, 78]",
        "[12%, 34%, 56%, 78%]",
        "[12px, 34px, 56px, 78px]",
        "[12, 34, 56, 78, 0.98]",
        "[12, 34, None, 78]",
        '{"size": [1, 2, 3, 4], "bbox_2d": null}',
        '{"bbox_2d": []}',
        '{"dog 1": [1, 2, 3, 4], "dog 2": [12, 34, 56, 78]}',
        "There is no such object. The image shows 2 dogs and 3 cats on 4 tables.",
        "<thinking>[12, 34, 56, 78]",
        "<answer>none</answer> [12, 34, 56, 78]",
    ],
)
def test_a_text_without_a_certain_box_has_none(text: str) -> None:
    assert box_in_text(text) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"box_2d": [34, 12, 78, 56], "label": "dog"}',
        "[{'box_2d': [34, 12, 78, 56]}]",
        '{"box_2d": [34, 12, 78, 56]',
    ],
)
def test_the_boxes_of_gemini_have_y_first_and_a_thousand(text: str) -> None:
    found = box_in_text(text)
    assert found is not None and found.coordinates is not None
    assert (found.box, found.coordinates.box_format) == (BOX, "xyxy_1000")


def test_boxes_of_an_answer_are_counted() -> None:
    texts = {
        "[12, 34, 56, 78] or [1, 2, 3, 4]": 2,
        '[{"bbox_2d": [12, 34, 56, 78]}, {"bbox_2d": [1, 2, 3, 4]}]': 2,
    }
    for text, num in texts.items():
        found = box_in_text(text)
        assert found is not None and (found.box, found.num_boxes) == (BOX, num)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("answers") / "set")


def thousand(each: Asked) -> list[int]:
    return [round(number / each.size[i % 2] * 1000) for i, number in enumerate(each.answer)]


def test_the_column_of_gemini_is_read_as_its_text(tmp_path: Path, dataset: Path) -> None:
    rows = []
    for each in VAL:
        x1, y1, x2, y2 = thousand(each)
        rows.append({"sent_id": each.sent_id, "box_2d": [y1, x1, y2, x2]})
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    (report,) = convert(file, dataset, said=None)
    assert (report.num_answered, report.coordinates.box_format) == (NUM_VAL, "xyxy_1000")
    assert predictions(file)["iou"] == pytest.approx([each.iou for each in VAL], abs=0.02)


def test_answers_with_several_boxes_are_noted_and_the_first_counts(tmp_path: Path, dataset: Path) -> None:
    rows = [
        {
            "sent_id": each.sent_id,
            "answer": json.dumps([{"bbox_2d": box} for box in (each.answer, (0, 0, 9, 9))]),
        }
        for each in VAL
    ]
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    (report,) = convert(file, dataset)
    assert any(f"{NUM_VAL} answers have several boxes" in note for note in report.notes)
    assert predictions(file)["iou"] == pytest.approx([each.iou for each in VAL], abs=1e-6)


def test_a_row_without_a_box_does_not_hide_the_scores_of_others(tmp_path: Path, dataset: Path) -> None:
    rows: list[dict[str, Any]] = []
    for each in VAL:
        rows.append({"sent_id": each.sent_id, "bbox": [0, 0, 9, 9], "score": 0.1})
        rows.append({"sent_id": each.sent_id, "bbox": list(each.answer), "score": 0.9})
    rows.append({"sent_id": VAL[0].sent_id, "bbox": None, "score": None})
    rows.append({"sent_id": VAL[1].sent_id, "bbox": [None] * 4, "score": 0.99})
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    convert(file, dataset)
    assert predictions(file)["iou"] == pytest.approx([each.iou for each in VAL], abs=1e-6)


def test_a_file_without_any_box_is_refused_with_an_answer(tmp_path: Path, dataset: Path) -> None:
    rows = [{"sent_id": each.sent_id, "answer": "12,5; 34,0; 56,5; 78,0"} for each in VAL]
    with pytest.raises(CliprpnError, match=r"a\.jsonl:1: .*found none in 24 rows.*34,0") as refused:
        convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset)
    assert refused.value.code == "data_invalid"


def test_a_few_boxes_in_another_unit_are_a_warning(tmp_path: Path, dataset: Path) -> None:
    rows = [{"sent_id": each.sent_id, "bbox": list(each.answer)} for each in VAL]
    for row, each in zip(rows[:4], VAL, strict=False):
        row["bbox"] = [number / each.size[i % 2] for i, number in enumerate(each.answer)]
    (report,) = convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset)
    assert any("4 of 24 boxes have no number above 1" in warning for warning in report.warnings)
    assert report.num_answered == NUM_VAL


def tokens(each: Asked) -> str:
    x1, y1, x2, y2 = map(round, each.answer)
    return f"<|box_start|>({x1},{y1}),({x2},{y2})<|box_end|>"


def test_tokens_around_pixels_are_refused_until_pixels_are_said(tmp_path: Path, dataset: Path) -> None:
    """Qwen2-VL's tokens are 0 to 1000, but a model that was trained further may write pixels between them."""
    file = write_jsonl(
        tmp_path / "a.jsonl", [{"sent_id": each.sent_id, "answer": tokens(each)} for each in VAL]
    )
    with pytest.raises(CliprpnError, match="--coordinates xyxy"):
        convert(file, dataset, said=None)
    (report,) = convert(file, dataset, said="xyxy")
    assert any("read as xyxy" in warning for warning in report.warnings)
    assert predictions(file)["iou"] == pytest.approx([each.iou for each in VAL], abs=0.02)


def test_boxes_of_somewhat_smaller_images_are_a_warning() -> None:
    """All of them lie inside the originals, too. No usual side of a square is 0.77 times that of these images."""
    rng = np.random.default_rng(0)
    sizes = np.tile([[640.0, 480.0], [500.0, 375.0]], (60, 1))
    boxes = np.sort(rng.random((120, 2, 2)), axis=1).reshape(-1, 4) * np.tile(sizes, 2)
    said = coordinates("xyxy")
    fit = check_fit(boxes * 0.77, said, sizes, sizes, range(120))
    assert not fit.is_certain and "smaller, resized images" in (fit.message or "")
    assert check_fit(boxes, said, sizes, sizes, range(120)).message is None
