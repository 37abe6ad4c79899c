"""Real COCO photos with RefCOCOg's original pickle, if they are next to the repository."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from helpers import REPO
from prepared import source_of, write_pixels

from cliprpn.data.index import open_tables
from cliprpn.data.pixels import open_pixels
from cliprpn.data.sources import read_source
from cliprpn.data.tables import write_tables

PHOTOS = REPO.parent / "shared" / "data" / "refcocog-photos"
pytestmark = pytest.mark.skipif(not PHOTOS.is_dir(), reason="../shared/data is missing")


def test_annotations_of_the_photos_are_read_unchanged(tmp_path: Path) -> None:
    annotations = read_source(source_of(PHOTOS)).annotations
    assert len(annotations.sentences) == 404
    assert {image.image_id for image in annotations.images} == {row.image_id for row in annotations.sentences}
    assert len({row.ref_id for row in annotations.sentences}) == 224
    assert set(Counter(row.split for row in annotations.sentences)) == {"train", "val", "test"}
    instances = json.loads((PHOTOS / "annotations" / "instances.json").read_text())
    names = {image["id"]: image["file_name"] for image in instances["images"]}
    boxes = {annotation["id"]: annotation["bbox"] for annotation in instances["annotations"]}
    assert all(image.file_name == names[image.image_id] for image in annotations.images)
    write_tables(annotations, None, tmp_path)
    index = open_tables(tmp_path, "photos", None, "xywh")
    for row, gt_box in zip(annotations.sentences, index.gt_boxes.tolist(), strict=True):
        x, y, width, height = boxes[row.ann_id]
        assert gt_box == pytest.approx((x, y, x + width, y + height), abs=1)
    assert index.sentences["source_box"].to_pylist() == [boxes[row.ann_id] for row in annotations.sentences]


def test_the_photos_are_prepared(tmp_path: Path) -> None:
    images = read_source(source_of(PHOTOS)).annotations.images[:16]
    files = [PHOTOS / "images" / image.file_name for image in images]
    manifest = write_pixels(files, [image.file_name for image in images], tmp_path, 64)
    prepared = [item for shard in manifest.shards for item in shard.pictures]
    assert [(item.width, item.height) for item in prepared] == [
        (image.width, image.height) for image in images
    ]
    pixels = open_pixels(tmp_path)
    assert all(shard.reshape(len(shard), -1).std(axis=1).min() > 5 for shard in pixels.shards)
