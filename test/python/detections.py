"""A dataset of COCO's images in memory, and its annotated objects as detections of many layouts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cliprpn.contract.generated import FileDetector
from cliprpn.data.index import DatasetIndex
from cliprpn.detectors.coco_classes import coco_categories, coco_classes
from cliprpn.detectors.results_file import Results, read_results

SIZES = ((640, 480), (500, 375), (427, 640))
CLASSES = ("person", "dog", "stop sign", "zebra", "teddy bear", "cup")


@dataclass(frozen=True)
class Detection:
    """One annotated object: xyxy in pixels of its image."""

    image_row: int
    name: str
    box: tuple[float, float, float, float]


def make_objects(num_images: int = 12) -> list[Detection]:
    """Three objects in each image, of different classes and sizes."""
    rng = np.random.default_rng(0)
    objects = []
    for row in range(num_images):
        width, height = SIZES[row % 3]
        for i in range(3):
            left, top = rng.uniform(0.05, 0.45, 2) * (width, height)
            w, h = rng.uniform(0.2, 0.5, 2) * (width, height)
            box = tuple(float(np.round(side, 2)) for side in (left, top, left + w, top + h))
            objects.append(Detection(row, CLASSES[(row + i) % len(CLASSES)], box))
    return objects


def make_index(
    objects: list[Detection], file_names: list[str] | None = None, ids: list[int] | None = None
) -> DatasetIndex:
    """A dataset with these objects; by default of COCO's images with their ids."""
    num_images = 1 + max(each.image_row for each in objects)
    ids = ids or [image_id(row) for row in range(num_images)]
    names = file_names or [file_name(row) for row in range(num_images)]
    images = pa.table(
        {
            "image_id": ids,
            "file_name": names,
            "width": [SIZES[row % 3][0] for row in range(num_images)],
            "height": [SIZES[row % 3][1] for row in range(num_images)],
        }
    )
    table = pa.table(
        {
            "ann_id": list(range(len(objects))),
            "image_id": [ids[each.image_row] for each in objects],
            "category": [each.name for each in objects],
            "box_xyxy": pa.array([list(each.box) for each in objects], pa.list_(pa.float64(), 4)),
        }
    )
    no_boxes = np.zeros((0, 4), np.float32)
    return DatasetIndex(
        "detections", Path("."), None, images, pa.table({}), table, "xywh", np.zeros(0, int), no_boxes
    )


def image_id(row: int) -> int:
    return 9 + 16 * row


def file_name(row: int) -> str:
    return f"COCO_train2014_{image_id(row):012d}.jpg"


def coco_id(name: str) -> int:
    return coco_categories().index(name)


def class_number(name: str) -> int:
    """Number among COCO's 80 classes, from 0."""
    return coco_classes().index(name)


def xywh(box: tuple[float, ...]) -> list[float]:
    return [box[0], box[1], round(box[2] - box[0], 2), round(box[3] - box[1], 2)]


def cxcywh(box: tuple[float, ...]) -> list[float]:
    return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]]


def scaled(box: Any, row: int, full: float = 1) -> list[float]:
    """Coordinates relative to the image, where `full` is its right and lower edge."""
    width, height = SIZES[row % 3]
    return [side * full / (width, height)[i % 2] for i, side in enumerate(box)]


def as_rows(objects: list[Detection], **more: Any) -> list[dict[str, Any]]:
    """COCO results."""
    return [
        {
            "image_id": image_id(each.image_row),
            "category_id": coco_id(each.name),
            "bbox": xywh(each.box),
            "score": 0.9,
            **more,
        }
        for each in objects
    ]


def by_image(objects: list[Detection]) -> dict[int, list[Detection]]:
    images: dict[int, list[Detection]] = {}
    for each in objects:
        images.setdefault(each.image_row, []).append(each)
    return images


def detector(file: Path, **options: Any) -> FileDetector:
    usual = {"box_format": None, "score_max": None, "category_ids": None}
    return FileDetector(kind="file", file=str(file), sha256="0" * 64, **usual | options)


def read(file: Path, index: DatasetIndex, **options: Any) -> Results:
    return read_results(detector(file, **options), index)


def assert_same(
    results: Results, objects: list[Detection], tolerance_px: float = 0.02, names: bool = True
) -> None:
    """Each image has exactly these objects, as near as the format allows, with their class names."""
    for row, expected in by_image(objects).items():
        proposals = results.proposals_of(row)
        found = sorted(zip(proposals.boxes_xyxy.tolist(), proposals.categories, strict=True))
        wanted = sorted((list(each.box), each.name) for each in expected)
        assert len(found) == len(wanted), (row, found, wanted)
        for (box, name), (wanted_box, wanted_name) in zip(found, wanted, strict=True):
            assert np.abs(np.array(box) - wanted_box).max() <= tolerance_px, (row, box, wanted_box)
            assert not names or name == wanted_name, (row, name, wanted_name)
