"""Which expression each row of a file answers, and what is counted: missing, unparsed, doubled, of nobody."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_answers import (
    ASKED,
    NUM_TEST,
    NUM_VAL,
    VAL,
    Asked,
    convert,
    make_dataset,
    predictions,
    prepare_rows,
    row_of,
)
from user_data import write_csv, write_jsonl

from cliprpn.errors import CliprpnError

IOUS = pytest.approx([each.iou for each in VAL], abs=1e-6)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("answers") / "set")


def by_text(each: Asked, **changes: Any) -> dict[str, Any]:
    return row_of(each, sent_id=None, image=each.image, expression=each.expression) | changes


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (row_of, "num_by_sent_id"),
        (lambda each: row_of(each, sent_id=str(each.sent_id)), "num_by_sent_id"),
        (lambda each: row_of(each, sent_id=float(each.sent_id)), "num_by_sent_id"),
        (by_text, "num_by_text"),
        (lambda each: by_text(each, image=f"/data/photos/{each.image}"), "num_by_text"),
        (lambda each: by_text(each, image=each.image[:-4]), "num_by_text"),
        (lambda each: by_text(each, expression=each.expression.upper() + " ."), "num_by_normalized_text"),
        (lambda each: by_text(each, expression=f"Where is {each.expression}?"), "num_by_normalized_text"),
        (lambda each: by_text(each, image=None), "num_by_normalized_text"),
    ],
)
def test_rows_match_by_id_or_by_image_and_text_in_any_order(
    tmp_path: Path, dataset: Path, make: Callable[[Asked], dict[str, Any]], key: str
) -> None:
    rows = [{k: v for k, v in make(each).items() if v is not None} for each in VAL]
    random.Random(1).shuffle(rows)
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    (report,) = convert(file, dataset)
    counts = {name: getattr(report, name) for name in ("num_by_sent_id", "num_by_text")}
    counts["num_by_normalized_text"] = report.num_by_normalized_text
    assert counts == {**dict.fromkeys(counts, 0), key: NUM_VAL}
    assert predictions(file)["iou"] == IOUS
    assert bool(report.notes) == (key == "num_by_normalized_text")


def test_rows_without_a_key_match_by_order_if_their_ground_truth_agrees(
    tmp_path: Path, dataset: Path
) -> None:
    rows = [{"bbox": list(each.answer), "gt_box": list(each.truth)} for each in VAL]
    (report,) = convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset)
    assert predictions(tmp_path / "a.jsonl")["iou"] == IOUS
    assert report.num_ground_truth == NUM_VAL and any("order" in note for note in report.notes)
    shifted = [{"bbox": [1, 2, 30, 40], "gt_box": row["gt_box"]} for row in rows[1:] + rows[:1]]
    with pytest.raises(CliprpnError, match="rows in another order"):
        convert(write_jsonl(tmp_path / "b.jsonl", shifted), dataset)


def test_missing_unparsed_doubled_and_strange_rows_are_counted_and_missing_ones_are_misses(
    tmp_path: Path, dataset: Path
) -> None:
    rows = [row_of(each) for each in VAL[3:]]
    rows[0] = {"sent_id": VAL[3].sent_id, "answer": "There is no such thing."}
    rows.append(row_of(VAL[5], bbox=[0, 0, 1, 1]))
    rows.append(row_of(VAL[6], sent_id=77_777))
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    (report,) = convert(file, dataset)
    found = (report.num_rows, report.num_missing, report.num_unparsed, report.num_duplicates)
    assert found == (NUM_VAL - 1, 3, 1, 1)
    assert (report.num_answered, report.num_strangers) == (NUM_VAL - 4, 1)
    columns = predictions(file)
    assert columns["iou"][:4] == [0, 0, 0, 0] and columns["iou"][5] == pytest.approx(VAL[5].iou)
    assert columns["pred_box_xyxy"][0] == columns["pred_box_xyxy"][3] == [0, 0, 0, 0]
    examples = {each.kind: (each.where, each.text) for each in report.examples}
    assert examples["unparsed"] == ("a.jsonl:1", "There is no such thing.")
    assert examples["stranger"][0] == "a.jsonl:23"
    assert examples["missing"] == (f"sent_id {VAL[2].sent_id}", VAL[2].expression)


def test_a_row_is_a_stranger_only_if_no_split_has_it(tmp_path: Path, dataset: Path) -> None:
    rows = [row_of(each) for each in ASKED] + [row_of(VAL[0], sent_id=5)]
    random.Random(2).shuffle(rows)
    reports = convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset, "val", "test")
    assert [report.num_expressions for report in reports] == [NUM_VAL, NUM_TEST]
    assert [report.num_strangers for report in reports] == [1, 1]
    test = [each.iou for each in ASKED[NUM_VAL:]]
    assert predictions(tmp_path / "a.jsonl", "test")["iou"] == pytest.approx(test)


def test_a_row_of_another_split_by_its_own_word_is_a_stranger(tmp_path: Path, dataset: Path) -> None:
    rows = [row_of(each, split="VAL" if i else "train") for i, each in enumerate(VAL)]
    (report,) = convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset)
    assert (report.num_missing, report.num_strangers) == (1, 1)


def test_the_row_with_the_highest_score_counts_if_all_have_scores(tmp_path: Path, dataset: Path) -> None:
    rows = [row_of(each, score=0.5) for each in VAL]
    rows += [row_of(VAL[0], bbox=[1, 2, 30, 40], score=0.9), row_of(VAL[1], bbox=[1, 2, 30, 40], score=-0.9)]
    (report,) = convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset)
    columns = predictions(tmp_path / "a.jsonl")
    assert report.has_scores and columns["objectness"][:2] == [0.9, 0.5]
    assert columns["pred_box_xyxy"][0] == [1, 2, 30, 40]
    assert columns["iou"][1] == pytest.approx(VAL[1].iou)


@pytest.mark.parametrize("key", ["expression", "image"])
def test_sent_ids_of_another_dataset_are_refused(tmp_path: Path, dataset: Path, key: str) -> None:
    rows = [row_of(each, **{key: getattr(VAL[i - 1], key)}) for i, each in enumerate(VAL)]
    with pytest.raises(CliprpnError, match="sent_ids of this dataset") as caught:
        convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset)
    assert caught.value.code == "data_invalid" and "a.jsonl:1" in caught.value.message
    assert not (tmp_path / "out").exists()


def test_a_file_of_another_dataset_is_refused_with_an_example_of_each(tmp_path: Path, dataset: Path) -> None:
    rows = [row_of(each, sent_id=each.sent_id + 5_000) for each in VAL]
    with pytest.raises(CliprpnError, match="24 of 24 rows match none") as caught:
        convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset)
    assert "5100" in caught.value.message and str(VAL[0].sent_id) in caught.value.message


def with_truth(number: int) -> list[dict[str, Any]]:
    """Rows of which the first `number` have another ground truth."""
    return [row_of(each, gt_box=[1, 2, 33, 44] if i < number else each.truth) for i, each in enumerate(VAL)]


@pytest.mark.parametrize(("number", "num_warnings"), [(0, 0), (1, 0), (3, 1)])
def test_another_ground_truth_is_counted_and_warned_about(
    tmp_path: Path, dataset: Path, number: int, num_warnings: int
) -> None:
    (report,) = convert(write_jsonl(tmp_path / "a.jsonl", with_truth(number)), dataset)
    assert (report.num_ground_truth, report.num_other_ground_truth) == (NUM_VAL, number)
    assert len(report.warnings) == num_warnings
    assert predictions(tmp_path / "a.jsonl")["iou"] == IOUS


def test_another_ground_truth_of_most_rows_is_refused(tmp_path: Path, dataset: Path) -> None:
    with pytest.raises(CliprpnError, match="another dataset") as caught:
        convert(write_jsonl(tmp_path / "a.jsonl", with_truth(20)), dataset)
    assert caught.value.code == "bad_input" and "20 of 24" in caught.value.message


def test_a_ground_truth_tells_the_coordinates(tmp_path: Path, dataset: Path) -> None:
    """Small boxes fit as corners and as sizes; only the ground truth tells."""
    rows = []
    for each in VAL:
        x1, y1, x2, y2 = each.truth
        rows.append(row_of(each, bbox=[1, 2, 30, 40], gt_box=[x1, y1, x2 - x1, y2 - y1]))
    with pytest.raises(CliprpnError, match="--coordinates xywh"):
        convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset)


def test_the_same_answers_in_every_layout_are_the_same(tmp_path: Path, dataset: Path) -> None:
    rows = [row_of(each) for each in VAL]
    names = ("sent_id", "pred_x1", "pred_y1", "pred_x2", "pred_y2")
    cells = [dict(zip(names, (each.sent_id, *each.answer), strict=True)) for each in VAL]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "b.json").write_text(json.dumps({"model": "x", "results": rows}))
    (tmp_path / "c.json").write_text(json.dumps({str(row["sent_id"]): row for row in rows}))
    write_jsonl(tmp_path / "d.jsonl", rows)
    csv = write_csv(tmp_path / "e.csv", cells).read_text()
    (tmp_path / "f.csv").write_bytes(csv.replace(",", ";").encode("utf-16"))
    (tmp_path / "g.tsv").write_bytes(b"\xef\xbb\xbf" + csv.replace(",", "\t").encode())
    (tmp_path / "h.csv").write_bytes(csv.replace("\r\n", "\n").encode() + b"\n\n")
    (tmp_path / "i.jsonl").write_bytes((tmp_path / "d.jsonl").read_bytes().replace(b"\n", b"\r\n"))
    (tmp_path / "j.json").write_bytes(json.dumps(rows).encode("utf-16"))
    for name in (
        "a.json",
        "b.json",
        "c.json",
        "d.jsonl",
        "e.csv",
        "f.csv",
        "g.tsv",
        "h.csv",
        "i.jsonl",
        "j.json",
    ):
        (report,) = convert(tmp_path / name, dataset)
        assert (name, report.num_answered) == (name, NUM_VAL)
        assert predictions(tmp_path / name)["iou"] == IOUS


def coco(each: Asked, image_id: Any) -> dict[str, Any]:
    """A row of COCO results."""
    x1, y1, x2, y2 = each.answer
    return {"image_id": image_id, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": 0.9}


def dataset_with(folder: Path, image_ids: list[int]) -> Path:
    """A dataset whose expressions have these images."""
    rows = [
        {
            "image": f"photo{image_id}.jpg",
            "image_id": image_id,
            "sentence": each.expression,
            "box": list(each.truth),
            "split": each.split,
            "sent_id": each.sent_id,
            "width": each.size[0],
            "height": each.size[1],
        }
        for each, image_id in zip(SIX, image_ids, strict=True)
    ]
    return prepare_rows(folder, rows, "made")


SIX = [each for each in VAL if each.size == VAL[0].size]
SENT_IDS = [each.sent_id for each in SIX]
IMAGE_IDS = [900_000 + i for i in range(len(SIX))]


def test_coco_results_match_by_image_if_each_image_has_one_expression(tmp_path: Path) -> None:
    """Also if there are several boxes of an image: the best counts."""
    root = dataset_with(tmp_path / "set", IMAGE_IDS)
    rows = [coco(each, image_id) for each, image_id in zip(SIX, IMAGE_IDS, strict=True)]
    rows += [{**row, "bbox": [0, 0, 9, 9], "score": 0.1} for row in rows]
    random.Random(3).shuffle(rows)
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (report,) = convert(tmp_path / "a.json", root, said=None)
    assert (report.num_answered, report.num_by_image, report.num_strangers) == (len(SIX), len(SIX), 0)
    assert any("by their image" in note for note in report.notes)
    assert predictions(tmp_path / "a.json")["iou"] == pytest.approx([each.iou for each in SIX], abs=1e-6)


@pytest.mark.parametrize(
    ("image_ids", "numbers", "hint"),
    [
        # Two expressions an image.
        (
            [IMAGE_IDS[i // 2] for i in range(len(SIX))],
            [IMAGE_IDS[i // 2] for i in range(len(SIX))],
            r"3 of these images have several expressions.*--columns sent_id=",
        ),
        # The ids of expressions in place of those of images, and numbers that may be either.
        (IMAGE_IDS, SENT_IDS, r"6 of 6 rows are sent_ids.*--columns sent_id=image_id"),
        (SENT_IDS[::-1], SENT_IDS[::-1], r"images may be sent_ids too.*sent_id=image_id.*sent_id=-"),
    ],
)
def test_coco_results_that_may_answer_other_expressions_are_refused_with_what_to_name(
    tmp_path: Path, image_ids: list[int], numbers: list[int], hint: str
) -> None:
    root = dataset_with(tmp_path / "set", image_ids)
    rows = [coco(each, number) for each, number in zip(SIX, numbers, strict=True)]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    with pytest.raises(CliprpnError, match=hint) as caught:
        convert(tmp_path / "a.json", root, said=None)
    assert caught.value.code == "data_invalid"


def test_columns_tell_whether_numbers_are_those_of_images_or_of_expressions(tmp_path: Path) -> None:
    root = dataset_with(tmp_path / "set", SENT_IDS[::-1])
    rows = [coco(each, number) for each, number in zip(SIX, SENT_IDS[::-1], strict=True)]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (report,) = convert(tmp_path / "a.json", root, said=None, columns={"sent_id": "-"})
    assert report.num_by_image == len(SIX)
    expected = [each.iou for each in SIX]
    assert predictions(tmp_path / "a.json")["iou"] == pytest.approx(expected, abs=1e-6)
    rows = [coco(each, number) for each, number in zip(SIX, SENT_IDS, strict=True)]
    (tmp_path / "b.json").write_text(json.dumps(rows))
    (report,) = convert(tmp_path / "b.json", root, said=None, columns={"sent_id": "image_id"})
    assert report.num_by_sent_id == len(SIX)
    assert predictions(tmp_path / "b.json")["iou"] == pytest.approx(expected, abs=1e-6)


def test_a_dataset_without_the_sizes_of_its_images_is_refused(tmp_path: Path) -> None:
    """Boxes in parts of the image mean nothing then."""
    rows = [
        {"image": each.image, "sentence": each.expression, "box": list(each.truth), "split": "val"}
        for each in VAL
    ]
    root = prepare_rows(tmp_path / "set", rows, "made")
    with pytest.raises(CliprpnError, match=rf"for {NUM_VAL} of {NUM_VAL} expressions; prepare") as caught:
        convert(write_jsonl(tmp_path / "a.jsonl", [row_of(each) for each in VAL]), root)
    assert caught.value.code == "data_invalid"
