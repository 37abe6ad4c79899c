"""Real COCO photos with the original's own pickle, where they lie beside the repository."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from helpers import REPO

from cliprpn.data.images import load_squashed
from cliprpn.data.refcocog import read_refcocog

PHOTOS = REPO.parent / "shared" / "data" / "refcocog-photos"
pytestmark = pytest.mark.skipif(not PHOTOS.is_dir(), reason="../shared/data is not there")


def test_the_photos_are_read_as_they_are() -> None:
    images, sentences = read_refcocog(PHOTOS, "umd")
    assert len(sentences) == 404
    assert {image.image_id for image in images} == {row.image_id for row in sentences}
    assert len({row.ref_id for row in sentences}) == 224
    assert set(Counter(row.split for row in sentences)) == {"train", "val", "test"}
    instances = json.loads((PHOTOS / "annotations" / "instances.json").read_text())
    names = {image["id"]: image["file_name"] for image in instances["images"]}
    boxes = {each["id"]: each["bbox"] for each in instances["annotations"]}
    assert all(image.file_name == names[image.image_id] for image in images)
    for row in sentences:
        x, y, width, height = boxes[row.ann_id]
        assert row.gt_box_xyxy == pytest.approx((x, y, x + width, y + height), abs=1)


def test_every_photo_decodes() -> None:
    images, _ = read_refcocog(PHOTOS, "umd")
    for image in images[:16]:
        assert load_squashed(PHOTOS / "images" / image.file_name, 64).float().std() > 5
