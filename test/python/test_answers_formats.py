"""Published formats of answers, with rows in the layout that their code writes, and boxes in the text of models."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from made_answers import NUM_VAL, VAL, Asked, convert, make_dataset, predictions
from user_data import write_csv, write_jsonl

from cliprpn.answers.text.answer_text import box_in_text


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("answers") / "set")


def scaled(each: Asked, full: float, box: tuple[float, ...] | None = None) -> list[float]:
    return [number / each.size[i % 2] * full for i, number in enumerate(box or each.answer)]


def thousand(each: Asked) -> list[int]:
    return [round(number) for number in scaled(each, 1000)]


def internvl(each: Asked) -> dict[str, Any]:
    return {
        "answer": f"<ref>{each.expression}</ref><box>[{thousand(each)}]</box>",
        "gt_bbox": list(each.truth),
        "hw": [each.size[1], each.size[0]],
    }


def qwen(each: Asked) -> dict[str, Any]:
    a, b, c, d = thousand(each)
    return internvl(each) | {"answer": f"<box>({a},{b}),({c},{d})</box>"}


def lmms_eval(each: Asked) -> dict[str, Any]:
    sample = {
        "answer": each.expression,
        "pred": scaled(each, 1),
        "ann_id": each.sent_id + 9_000,
        "bbox": scaled(each, 1, each.truth),
    }
    return {
        "doc_id": each.sent_id - 100,
        "target": "x",
        "refcoco_IoU": sample,
        "refcoco_ACC@0.5": sample,
        "doc": {"file_name": each.image},
    }


def vlm_r1(each: Asked) -> dict[str, Any]:
    numbers = ", ".join(f"{number:g}" for number in each.answer)
    return {
        "image": each.image,
        "question": f"Please provide the bounding box of: {each.expression}.",
        "ground_truth": list(each.truth),
        "model_output": f'<think>It is 1 of 4.</think>```json\n[{{"bbox_2d": [{numbers}]}}]\n```',
        "extracted_answer": list(each.answer),
        "correct": 1,
    }


def write_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def coco(each: Asked) -> dict[str, Any]:
    x1, y1, x2, y2 = each.answer
    return {"image_id": each.sent_id, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": 0.9}


Written = Callable[[Path], Path]
FORMATS: dict[str, tuple[Written, dict[str, Any]]] = {
    "internvl": (lambda at: write_json(at / "a.json", [internvl(each) for each in VAL]), {}),
    "qwen": (lambda at: write_json(at / "a.json", [qwen(each) for each in VAL]), {}),
    "lmms_eval": (lambda at: write_jsonl(at / "a.jsonl", [lmms_eval(each) for each in VAL]), {}),
    "vlm_r1": (
        lambda at: write_json(at / "a.json", {"accuracy": 50.0, "results": [vlm_r1(each) for each in VAL]}),
        {"said": "xyxy"},
    ),
    "vlmevalkit": (
        lambda at: write_csv(
            at / "a.csv",
            [
                {
                    "index": each.sent_id - 100,
                    "image_path": each.image,
                    "question": each.expression,
                    "answer": str(list(each.truth)),
                    "prediction": f"The object is at {list(each.answer)}.",
                }
                for each in VAL
            ],
        ),
        {"said": "xyxy"},
    ),
    "mdetr": (
        lambda at: write_json(
            at / "a.json",
            {
                str(each.sent_id): {
                    "boxes": [list(each.answer), [0, 0, 9, 9]],
                    "scores": [0.9, 0.1],
                }
                for each in VAL
            },
        ),
        {},
    ),
    "coco": (
        lambda at: write_json(at / "a.json", [coco(each) for each in VAL]),
        {"columns": {"sent_id": "image_id"}},
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_published_formats_are_recognized_and_read(tmp_path: Path, dataset: Path, name: str) -> None:
    write, options = FORMATS[name]
    file = write(tmp_path)
    (report,) = convert(file, dataset, **{"said": None, **options})
    assert (report.format, report.num_answered, report.num_other_ground_truth) == (name, NUM_VAL, 0)
    # Models write whole numbers of a thousand.
    exact = name not in ("internvl", "qwen")
    expected = [each.iou for each in VAL]
    assert predictions(file)["iou"] == pytest.approx(expected, abs=1e-6 if exact else 0.02)


def test_an_answer_of_four_zeros_in_a_sample_log_is_no_answer(tmp_path: Path, dataset: Path) -> None:
    rows = [lmms_eval(each) for each in VAL]
    rows[0]["refcoco_IoU"]["pred"] = [0.0, 0.0, 0.0, 0.0]
    (report,) = convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset, said=None)
    assert report.num_unparsed == 1


def test_parquet_and_lists_in_files_of_torch_are_read(tmp_path: Path, dataset: Path) -> None:
    table = {"sent_id": [each.sent_id for each in VAL], "bbox": [list(each.answer) for each in VAL]}
    pq.write_table(
        pa.table(table | {"image": [{"bytes": b"x", "path": None}] * NUM_VAL}), tmp_path / "a.parquet"
    )
    torch.save(
        [{"sent_id": each.sent_id, "bbox": torch.tensor(each.answer)} for each in VAL], tmp_path / "b.pth"
    )
    (tmp_path / "c.pkl").write_bytes(
        pickle.dumps([{"sent_id": each.sent_id, "bbox": each.answer} for each in VAL])
    )
    for name in ("a.parquet", "b.pth", "c.pkl"):
        (report,) = convert(tmp_path / name, dataset)
        assert (name, report.num_answered) == (name, NUM_VAL)


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (
            {"sent_id": "q.id", "box": "out.0"},
            lambda each: {"q": {"id": each.sent_id}, "out": [list(each.answer)]},
        ),
        (
            {"sent_id": "n", "box": "a+b+c+d"},
            lambda each: {"n": each.sent_id, **dict(zip("abcd", each.answer, strict=True))},
        ),
        ({"text": "said"}, lambda each: {"sent_id": each.sent_id, "said": f"It is {list(each.answer)}"}),
    ],
)
def test_columns_can_be_named(
    tmp_path: Path, dataset: Path, columns: dict[str, str], row: Callable[[Asked], dict[str, Any]]
) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [row(each) for each in VAL])
    (report,) = convert(file, dataset, columns=columns)
    assert report.num_answered == NUM_VAL


BOX = (12, 34, 56, 78)
TEXTS = [
    "[12, 34, 56, 78]",
    "[[12, 34, 56, 78]]",
    "(12, 34), (56, 78)",
    "(12, 34, 56, 78)",
    "12, 34, 56, 78",
    "12 34 56 78",
    "12;34;56;78",
    "<box>[[12, 34, 56, 78]]</box>",
    "<box>(12,34),(56,78)</box>",
    "<ref>dog</ref><box>(12,34),(56,78)</box>",
    "<|object_ref_start|>dog<|object_ref_end|><|box_start|>(12,34),(56,78)<|box_end|>",
    '{"bbox_2d": [12, 34, 56, 78], "label": "dog"}',
    '```json\n[{"bbox_2d": [12, 34, 56, 78]}]\n```',
    '{"bbox": [12, 34, 56, 78]}',
    '{"x1": 12, "y1": 34, "x2": 56, "y2": 78}',
    '{"answer": {"box": ["12", "34", "56", "78"]}}',
    "<think>Two dogs.</think><answer>[12, 34, 56, 78]</answer>",
    "Sure! The box is [12.0, 34.0, 56.0, 78.0], I think.",
    "[12,34,56,78] or [1, 2, 3, 4]",
    "There are 2 dogs. 12, 34, 56, 78.",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_box_is_found_in_the_text_of_a_model(text: str) -> None:
    found = box_in_text(text)
    assert found is not None and found.box == BOX
    tokens = "<box>" in text or "box_start" in text
    assert (found.coordinates is not None and found.coordinates.box_format == "xyxy_1000") == tokens


@pytest.mark.parametrize(
    ("text", "box", "name"),
    [
        ("dog<loc_100><loc_200><loc_300><loc_400>", (100.5, 200.5, 300.5, 400.5), "xyxy_1000"),
        ("<loc0256><loc0128><loc0512><loc0768> dog", (0.125, 0.25, 0.75, 0.5), "xyxy_norm"),
    ],
)
def test_tokens_tell_their_coordinates(text: str, box: tuple[float, ...], name: str) -> None:
    found = box_in_text(text)
    assert found is not None and found.coordinates is not None
    assert found.box == pytest.approx(box) and found.coordinates.box_format == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "None",
        "[1, 2, 3]",
        "1.2.3.4",
        "[12, 34, 56, 78, 90]",
        "[NaN, 1, 2, 3]",
        "at 5 or 6",
        "12, 34, 56, 78, 90",
        "1e300, 1, 2, 3, 4",
        "[1e300, 1, 2, 3]",
    ],
)
def test_a_text_without_a_box_has_none(text: str) -> None:
    assert box_in_text(text) is None
