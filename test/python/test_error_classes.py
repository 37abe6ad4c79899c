"""Error classes of answers, against a slow and literal reading of the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from helpers import make_records, prepared, write_dataset
from torchvision.ops import box_iou

from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.tables import BOX_TYPE
from cliprpn.errors import CliprpnError
from cliprpn.figures.error_classes import (
    ERROR_CLASSES,
    SplitObjects,
    classify,
    example_rows,
    split_objects,
)

# Two objects of one category, one of another, and one whose category is not annotated.
TARGET, SAME, OTHER, UNNAMED = [10, 10, 50, 50], [60, 10, 100, 50], [10, 60, 50, 100], [60, 60, 100, 100]
IMAGE = [(1, "cup", TARGET), (2, "cup", SAME), (3, "dog", OTHER), (4, None, UNNAMED)]


def make_index(
    objects: list[tuple[int, int, str | None, list[float]]], sentences: list[tuple[int, int]]
) -> DatasetIndex:
    """
    Args:
        objects: ann_id, image_id, category and box.
        sentences: sent_id and ann_id.
    """
    by_id = {ann_id: (image_id, category, box) for ann_id, image_id, category, box in objects}
    image_ids = sorted({image_id for _, image_id, _, _ in objects})
    objects_table = pa.table(
        {
            "ann_id": pa.array([row[0] for row in objects], pa.int64()),
            "image_id": pa.array([row[1] for row in objects], pa.int64()),
            "category": pa.array([row[2] for row in objects], pa.string()),
            "box_xyxy": pa.array([row[3] for row in objects], BOX_TYPE),
        }
    )
    sentences_table = pa.table(
        {
            "sent_id": pa.array([sent_id for sent_id, _ in sentences], pa.int64()),
            "ann_id": pa.array([ann_id for _, ann_id in sentences], pa.int64()),
            "category": pa.array([by_id[ann_id][1] or "" for _, ann_id in sentences], pa.string()),
        }
    )
    return DatasetIndex(
        dataset_id="made",
        root=Path("made"),
        images_dir=None,
        images=pa.table({"image_id": pa.array(image_ids, pa.int64())}),
        sentences=sentences_table,
        objects=objects_table,
        source_box_format="xyxy",
        image_rows=np.array([image_ids.index(by_id[ann_id][0]) for _, ann_id in sentences]),
        gt_boxes=np.array([by_id[ann_id][2] for _, ann_id in sentences], dtype=np.float32),
    )


def one_image(*, others_referred: bool = False) -> DatasetIndex:
    """The image above with an expression for the first object; other objects have none unless `others_referred`."""
    objects = [(ann_id, 1, category, box) for ann_id, category, box in IMAGE]
    sentences = [(100, 1)] + ([(200 + ann_id, ann_id) for ann_id in (2, 3, 4)] if others_referred else [])
    return make_index([(row[0], row[1], row[2], list(map(float, row[3]))) for row in objects], sentences)


def class_of(
    box: list[float], objects: SplitObjects, gt_box: list[float], num_boxes: int | None = None
) -> str:
    iou = float(box_iou(torch.tensor([box]).double(), torch.tensor([gt_box]).double())[0, 0])
    found = None if num_boxes is None else np.array([[num_boxes]])
    code = classify(np.array([[box]], dtype=float), np.array([[iou]]), found, objects)
    return ERROR_CLASSES[int(code[0, 0])]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (TARGET, "hit"),
        ([10, 10, 50, 30], "hit"),  # IoU 0.5
        ([10, 10, 50, 29], "loose_box"),
        ([10, 10, 50, 14], "loose_box"),  # IoU 0.1
        ([10, 10, 50, 13], "background"),
        (SAME, "wrong_instance"),
        ([60, 10, 100, 14], "wrong_instance"),
        ([60, 10, 100, 13], "background"),
        (OTHER, "wrong_category"),
        (UNNAMED, "unknown"),
        ([10, 10, 10, 50], "no_answer"),
        ([0, 0, 0, 0], "no_answer"),
        ([10, 10, 100, 50], "loose_box"),  # Overlaps both cups alike.
        ([11, 10, 100, 50], "wrong_instance"),
        ([102, 102, 120, 120], "background"),
    ],
)
def test_each_rule(box: list[float], expected: str) -> None:
    objects = split_objects(one_image(), np.array([100]))
    assert class_of(box, objects, TARGET) == expected


@pytest.mark.parametrize(
    ("box", "num_boxes", "expected"),
    [(SAME, 0, "no_answer"), (SAME, 3, "wrong_instance"), (TARGET, 0, "hit"), (TARGET, 1, "hit")],
)
def test_a_detector_without_boxes_gives_no_answer(box: list[float], num_boxes: int, expected: str) -> None:
    objects = split_objects(one_image(), np.array([100]))
    assert class_of(box, objects, TARGET, num_boxes) == expected


def test_background_is_unknown_if_only_objects_with_an_expression_are_annotated() -> None:
    objects = split_objects(one_image(others_referred=True), np.array([100]))
    assert class_of([102, 102, 120, 120], objects, TARGET) == "unknown"
    assert class_of(SAME, objects, TARGET) == "wrong_instance"
    assert class_of([10, 10, 50, 14], objects, TARGET) == "loose_box"


def test_without_a_category_another_object_is_unknown() -> None:
    objects = split_objects(one_image(others_referred=True), np.array([204]))
    assert class_of(SAME, objects, UNNAMED) == "unknown"
    assert class_of([60, 60, 100, 70], objects, UNNAMED) == "loose_box"


def test_an_expression_that_the_dataset_lacks_is_an_error() -> None:
    with pytest.raises(CliprpnError, match="1 of 2 missing") as error:
        split_objects(one_image(), np.array([100, 7]))
    assert error.value.code == "data_invalid"


def oracle(box: np.ndarray, iou: float, num_boxes: int, sent_id: int, index: DatasetIndex) -> str:
    """The rules, literally, for one answer."""
    if iou >= 0.5:
        return "hit"
    if num_boxes == 0 or box[2] <= box[0] or box[3] <= box[1]:
        return "no_answer"
    sentences, objects = index.sentences.to_pylist(), index.objects.to_pylist()
    ann_id = next(row["ann_id"] for row in sentences if row["sent_id"] == sent_id)
    target = next(row for row in objects if row["ann_id"] == ann_id)
    best, nearest = iou, target
    for row in objects:
        if row["image_id"] == target["image_id"] and row["ann_id"] != ann_id:
            boxes = torch.from_numpy(np.array([box, row["box_xyxy"]]))
            overlap = float(box_iou(boxes[:1], boxes[1:])[0, 0])
            if overlap > best:
                best, nearest = overlap, row
    if best < 0.1:
        all_referred = {row["ann_id"] for row in objects} <= {row["ann_id"] for row in sentences}
        return "unknown" if all_referred else "background"
    if nearest is target:
        return "loose_box"
    if not target["category"] or not nearest["category"]:
        return "unknown"
    return "wrong_instance" if nearest["category"] == target["category"] else "wrong_category"


def random_index(rng: np.random.Generator, *, all_referred: bool) -> DatasetIndex:
    objects: list[tuple[int, int, str | None, list[float]]] = []
    for image_id in range(12):
        for _ in range(int(rng.integers(1, 6))):
            x, y, width, height = rng.integers([0, 0, 5, 5], [60, 60, 40, 40]).tolist()
            category = [None, "cup", "dog", "cat"][int(rng.integers(4))]
            box = [float(side) for side in (x, y, x + width, y + height)]
            objects.append((len(objects), image_id, category, box))
    referred = (
        range(len(objects)) if all_referred else rng.permutation(len(objects))[: len(objects) // 2].tolist()
    )
    return make_index(objects, [(1000 + i, ann_id) for i, ann_id in enumerate(referred)])


def random_answers(rng: np.random.Generator, index: DatasetIndex, num_runs: int) -> dict[str, np.ndarray]:
    """Boxes near the target, near other objects, anywhere, and empty."""
    shape = (num_runs, index.sentences.num_rows)
    table = np.array(index.objects["box_xyxy"].to_pylist())
    boxes = table[rng.integers(len(table), size=shape)] + rng.normal(0, 3, (*shape, 4))
    near = rng.random(shape) < 0.5
    boxes[near] = (index.gt_boxes[None] + rng.normal(0, 12, (*shape, 4)))[near]
    boxes[rng.random(shape) < 0.1] = 0
    iou = np.stack(
        [
            box_iou(torch.from_numpy(run), torch.from_numpy(index.gt_boxes).double()).diagonal().numpy()
            for run in boxes
        ]
    )
    valid = (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])
    return {"boxes": boxes, "iou": np.where(valid, iou, 0.0), "num_boxes": rng.integers(0, 5, shape)}


@pytest.mark.parametrize("seed", range(6))
def test_random_answers_follow_the_rules(seed: int) -> None:
    rng = np.random.default_rng(seed)
    index = random_index(rng, all_referred=seed % 2 == 1)
    sent_ids = index.sentences["sent_id"].to_numpy()
    answers = random_answers(rng, index, 3)
    classes = classify(**answers, objects=split_objects(index, sent_ids))
    seen = set()
    for run in range(3):
        for row, sent_id in enumerate(sent_ids.tolist()):
            boxes, iou, num_boxes = (answers[name][run, row] for name in ("boxes", "iou", "num_boxes"))
            expected = oracle(boxes, float(iou), int(num_boxes), sent_id, index)
            assert ERROR_CLASSES[classes[run, row]] == expected, (run, sent_id)
            seen.add(expected)
    assert len(seen) >= 5
    assert np.array_equal(classes == 0, answers["iou"] >= 0.5)  # Hits are those of Acc@0.5.


def test_the_order_of_rows_and_runs_changes_nothing() -> None:
    rng = np.random.default_rng(9)
    index = random_index(rng, all_referred=False)
    sent_ids = index.sentences["sent_id"].to_numpy()
    answers = random_answers(rng, index, 3)
    classes = classify(**answers, objects=split_objects(index, sent_ids))
    order, runs = rng.permutation(len(sent_ids)), [2, 0, 1]
    shuffled = {name: values[runs][:, order] for name, values in answers.items()}
    again = classify(**shuffled, objects=split_objects(index, sent_ids[order]))
    assert np.array_equal(again, classes[runs][:, order])


def test_examples_are_those_of_most_runs_then_the_most_confident_one_per_image() -> None:
    classes = np.array([[2, 2, 2, 2, 1, 2], [2, 0, 2, 2, 2, 2]], dtype=np.int8)
    scores = np.array([0.1, 0.9, 0.5, 0.7, 1.0, 0.7])
    sent_ids = np.array([1, 2, 3, 8, 5, 4])
    images = np.array([1, 2, 3, 3, 4, 5])
    # Row 4 is of another class in the first run, row 1 in the second; rows 5 and 3 tie; row 2 is of row 3's image.
    assert example_rows(classes, scores, sent_ids, images, 2) == [5, 3, 0, 1]
    assert example_rows(classes, scores, sent_ids, images, 1) == [4]
    assert example_rows(classes, scores, sent_ids, images, 4) == []


def test_objects_of_a_prepared_dataset(tmp_path: Path) -> None:
    instances, refs = make_records(12)
    categories: list[dict[str, Any]] = [{"id": 7, "name": "block"}, {"id": 8, "name": "ball"}]
    instances["categories"] = categories
    for annotation in instances["annotations"][::4]:
        annotation["category_id"] = 8
    index = open_dataset(*prepared(write_dataset(tmp_path / "data", instances, refs), tmp_path / "cache"))
    sent_ids = index.sentences["sent_id"].to_numpy()
    objects = split_objects(index, sent_ids)
    assert objects.counts.sum() == 2 * len(sent_ids)
    boxes = np.tile([70.0, 50, 90, 70], (1, len(sent_ids), 1))  # The object without an expression.
    iou = box_iou(torch.from_numpy(boxes[0]), torch.from_numpy(index.gt_boxes).double()).diagonal().numpy()
    classes = classify(boxes, iou[None], None, objects)[0]
    images = index.images["image_id"].to_numpy()[index.image_rows]
    expected = np.where(images % 2 == 0, "wrong_category", "wrong_instance")
    assert [ERROR_CLASSES[code] for code in classes] == expected.tolist()
