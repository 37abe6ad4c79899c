"""Names that mean the same image are one image."""

from __future__ import annotations

from pathlib import Path

import pytest
from user_data import read, rows_source, write_jsonl

from cliprpn.data.image_names import coco_number, image_identity
from cliprpn.data.splits import assign_splits


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("COCO_train2014_000000000009.jpg", 9),
        ("a/b/000000000139.JPG", 139),
        ("COCO_val2014_000000000042_1234.jpg", 42),
        ("COCO_train2014_000000000009", 9),
        ("photo_000000000009x.jpg", None),
        ("9.jpg", None),
    ],
)
def test_coco_numbers(name: str, number: int | None) -> None:
    assert coco_number(name) == number


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("./a.jpg", "a.jpg"),
        ("x\\a.jpg", "x/a.jpg"),
        ("COCO_train2014_000000000309_1161269.jpg", "COCO_train2014_000000000309.jpg"),
    ],
)
def test_ways_to_write_an_image(name: str, other: str) -> None:
    assert image_identity(name) == image_identity(other)


@pytest.mark.parametrize(
    "other", ["b/a.jpg", "A.jpg", "a\u0301.jpg", "\u00e1.jpg", "a.png", "a_1.jpg", "000000000309_1.jpg"]
)
def test_other_images(other: str) -> None:
    assert image_identity(other) == other != image_identity("a.jpg")


def test_the_objects_of_a_refcoco_image_are_in_one_image_and_one_split(tmp_path: Path) -> None:
    rows = [
        {
            "image": f"COCO_train2014_{image:012d}_{100 + n}.jpg",
            "sentence": f"{n}",
            "box": [10 * n, 0, 20, 30],
        }
        for image in range(40)
        for n in range(3)
    ]
    annotations, problems = read(rows_source(write_jsonl(tmp_path / "rows.jsonl", rows)))
    assert problems == [] and len(annotations.images) == 40 and len(annotations.objects) == 120
    sentences = assign_splits(annotations, 0)[0].sentences
    assert len({(row.image_id, row.split) for row in sentences}) == 40
