"""Real COCO photos with the original's own pickle, where they lie beside the repository."""

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
pytestmark = pytest.mark.skipif(not PHOTOS.is_dir(), reason="../shared/data is not there")


def test_the_photos_are_read_as_they_are(tmp_path: Path) -> None:
    found = read_source(source_of(PHOTOS)).annotations
    assert len(found.sentences) == 404
    assert {picture.image_id for picture in found.images} == {row.image_id for row in found.sentences}
    assert len({row.ref_id for row in found.sentences}) == 224
    assert set(Counter(row.split for row in found.sentences)) == {"train", "val", "test"}
    instances = json.loads((PHOTOS / "annotations" / "instances.json").read_text())
    names = {image["id"]: image["file_name"] for image in instances["images"]}
    boxes = {each["id"]: each["bbox"] for each in instances["annotations"]}
    assert all(picture.file_name == names[picture.image_id] for picture in found.images)
    write_tables(found, None, tmp_path)
    index = open_tables(tmp_path, "photos", None, "xywh")
    for row, gt_box in zip(found.sentences, index.gt_boxes.tolist(), strict=True):
        x, y, width, height = boxes[row.ann_id]
        assert gt_box == pytest.approx((x, y, x + width, y + height), abs=1)
    assert index.sentences["source_box"].to_pylist() == [boxes[row.ann_id] for row in found.sentences]


def test_photos_are_prepared(tmp_path: Path) -> None:
    pictures = read_source(source_of(PHOTOS)).annotations.images[:16]
    files = [PHOTOS / "images" / picture.file_name for picture in pictures]
    manifest = write_pixels(files, [picture.file_name for picture in pictures], tmp_path, 64)
    prepared = [each for shard in manifest.shards for each in shard.pictures]
    assert [(each.width, each.height) for each in prepared] == [
        (each.width, each.height) for each in pictures
    ]
    pixels = open_pixels(tmp_path)
    assert all(shard.reshape(len(shard), -1).std(axis=1).min() > 5 for shard in pixels.shards)
