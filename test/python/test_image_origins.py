"""The collections that images come from, by their names."""

from __future__ import annotations

import pytest

from cliprpn.figures.image_origins import count_origins, image_origin


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("COCO_train2014_000000000009.jpg", "coco_train2014"),
        ("images/train2014/COCO_train2014_000000000009.jpg", "coco_train2014"),
        ("COCO_train2014_000000000009_3.jpg", "coco_train2014"),
        ("COCO_val2014_000000000042.jpg", "coco_val2014"),
        ("COCO_test2015_000000000042.jpg", "coco"),
        ("train2017/000000000009.jpg", "coco_train2017"),
        ("coco/val2017/000000000139.jpg", "coco_val2017"),
        ("000000000009.jpg", "coco"),
        ("VG_100K/2317.jpg", "visual_genome"),
        ("vg/VG_100K_2/2317.jpg", "visual_genome"),
        ("flickr30k-images/1000092795.jpg", "flickr30k"),
        ("flickr30k_entities/images/1000092795.jpg", "flickr30k"),
        ("objects365_v2_00908726.jpg", "objects365"),
        ("0a1b2c3d4e5f6071.jpg", "open_images"),
        ("1000092795.jpg", "other"),
        ("2317.jpg", "other"),
        ("my COCO_train2014.jpg", "other"),
        ("IMG_0001.JPG", "other"),
        ("demo_000001.png", "other"),
    ],
)
def test_an_origin_is_judged_by_the_name(name: str, origin: str) -> None:
    assert image_origin(name) == origin


def test_origins_are_counted_and_published_splits_are_of_train2014() -> None:
    names = ["a.jpg", "COCO_val2014_000000000042.jpg", "COCO_val2014_000000000043.jpg"]
    own = [(each.origin, each.num_images) for each in count_origins(names, "own")]
    assert own == [("coco_val2014", 2), ("other", 1)]
    published = [(each.origin, each.num_images) for each in count_origins(names, "umd")]
    assert published == [("coco_train2014", 3)]
    assert count_origins([], "own") == []
