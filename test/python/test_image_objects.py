"""The other objects in the image of a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cliprpn.data.annotations import Annotations, ImageRecord, ObjectRecord, SentenceRecord
from cliprpn.data.image_objects import ImageObjects
from cliprpn.data.index import open_tables
from cliprpn.data.tables import write_tables

# By image: ann_id and category. Two sentences refer to objects of image 0, two of image 2, one to the single object.
OBJECTS = {
    0: [(10, "dog"), (11, "cat"), (12, "dog")],
    1: [(13, "dog")],
    2: [(14, None), (15, None), (16, "cat"), (17, "cat"), (18, "cat")],
}
REFERRED = [12, 11, 13, 14, 17]


def box(ann_id: int) -> tuple[float, float, float, float]:
    return (float(ann_id), 1.0, ann_id + 20.0, 30.0)


@pytest.fixture
def objects(tmp_path: Path) -> ImageObjects:
    """Sentence row i refers to REFERRED[i]; objects are not in the order of their images."""
    image_of = {ann_id: image_id for image_id, all_of in OBJECTS.items() for ann_id, _ in all_of}
    records = [
        ObjectRecord(ann_id, image_id, category, box(ann_id))
        for image_id in (2, 0, 1)
        for ann_id, category in OBJECTS[image_id]
    ]
    annotations = Annotations(
        "xyxy",
        [ImageRecord(image_id, f"{image_id}.jpg", 100, 100) for image_id in OBJECTS],
        {record.ann_id: record for record in records},
        [
            SentenceRecord(row, row, ann_id, image_of[ann_id], "train", "it")
            for row, ann_id in enumerate(REFERRED)
        ],
    )
    write_tables(annotations, None, tmp_path)
    return ImageObjects(open_tables(tmp_path, "objects", None, "xyxy"))


def others_of(objects: ImageObjects, rows: list[int]) -> list[tuple[list[int], list[int]]]:
    """Per sentence, ann_ids of all others and of those of the same category; a box's left edge is its ann_id."""
    others = objects.others(np.array(rows))
    ids = others.boxes[..., 0].astype(int)
    return [
        (ids_i[mask].tolist(), ids_i[same].tolist())
        for ids_i, mask, same in zip(ids, others.mask, others.same_category, strict=True)
    ]


def test_others_are_all_objects_of_the_image_except_the_referred_one(objects: ImageObjects) -> None:
    assert others_of(objects, [0]) == [([10, 11], [10])]
    assert others_of(objects, [1]) == [([10, 12], [])]
    assert others_of(objects, [4]) == [([14, 15, 16, 18], [16, 18])]


def test_a_single_object_has_no_others(objects: ImageObjects) -> None:
    assert others_of(objects, [2]) == [([], [])]


def test_objects_without_a_category_have_no_same_category_others(objects: ImageObjects) -> None:
    assert others_of(objects, [3]) == [([15, 16, 17, 18], [])]


def test_a_batch_is_padded_to_its_largest_image(objects: ImageObjects) -> None:
    rows = [2, 4, 0, 4]
    others = objects.others(np.array(rows))
    assert others.boxes.shape == (4, 5, 4)
    assert others.mask.shape == others.same_category.shape == others.categories.shape == (4, 5)
    assert others.mask.sum(axis=1).tolist() == [0, 4, 2, 4]
    assert others_of(objects, rows) == [others_of(objects, [row])[0] for row in rows]
    assert objects.others(np.array([2])).boxes.shape == (1, 1, 4)


def test_boxes_and_categories_match_the_objects(objects: ImageObjects) -> None:
    others = objects.others(np.array([4, 0]))
    for row, ids in ((0, [14, 15, 16, 18]), (1, [10, 11])):
        mask = others.mask[row]
        assert others.boxes[row][mask].tolist() == [list(box(ann_id)) for ann_id in ids]
    names = [objects.category_names[code] for code in others.categories[0][others.mask[0]].tolist()]
    assert names == ["", "", "cat", "cat"]
    assert not (others.same_category & ~others.mask).any()
