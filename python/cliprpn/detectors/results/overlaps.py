"""Compares detections with the annotated objects of their images, to tell which reading of a file is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
import torch
from torchvision.ops import box_iou

from cliprpn.data.index import DatasetIndex

MAX_IMAGES, MAX_BOXES = 500, 300
SAME_OBJECT_IOU = 0.5


@dataclass(frozen=True)
class Objects:
    """The annotated objects of a dataset, sorted by image.

    Attributes:
        image_rows: [O], row of each object's image.
        boxes: [O, 4], xyxy, pixels.
        names: class name of each object; None if unknown.
    """

    image_rows: np.ndarray
    boxes: np.ndarray
    names: list[str | None]


def annotated_objects(index: DatasetIndex) -> Objects:
    image_ids = index.images["image_id"].combine_chunks()
    rows = (
        pc.index_in(index.objects["image_id"].combine_chunks(), value_set=image_ids).fill_null(-1).to_numpy()
    )
    order = np.argsort(rows, kind="stable")
    order = order[rows[order] >= 0]
    boxes = pc.list_flatten(index.objects["box_xyxy"]).to_numpy().reshape(-1, 4)
    names = index.objects["category"].to_pylist()
    return Objects(rows[order], boxes[order], [names[i] for i in order])


def best_overlaps(image_rows: np.ndarray, boxes: np.ndarray, objects: Objects) -> np.ndarray:
    """The highest IoU of each compared object with a detection of its image: [K], of at most MAX_IMAGES images.

    Args:
        image_rows: [N], row of each detection's image.
        boxes: [N, 4], xyxy, pixels.
    """
    found = [iou.max(axis=1) for _, _, iou in _by_image(image_rows, boxes, objects)]
    return np.concatenate(found) if found else np.zeros(0)


def overlapping_pairs(
    image_rows: np.ndarray, boxes: np.ndarray, objects: Objects, min_iou: float
) -> list[tuple[int, np.ndarray]]:
    """Each compared object that detections overlap, with the rows of these detections."""
    pairs = []
    for object_rows, detection_rows, iou in _by_image(image_rows, boxes, objects):
        pairs += [
            (int(object_row), detection_rows[near])
            for object_row, near in zip(object_rows, iou >= min_iou, strict=True)
            if near.any()
        ]
    return pairs


def _by_image(
    image_rows: np.ndarray, boxes: np.ndarray, objects: Objects
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Rows of objects, rows of detections, and their IoU, for images that have both."""
    order = np.argsort(image_rows, kind="stable")
    common = np.intersect1d(image_rows, objects.image_rows)
    if len(common) > MAX_IMAGES:  # Spread over the dataset.
        common = common[np.linspace(0, len(common) - 1, MAX_IMAGES).astype(int)]
    for image in common:
        first, last = np.searchsorted(objects.image_rows, [image, image + 1])
        start, end = np.searchsorted(image_rows[order], [image, image + 1])
        detections = order[start : min(end, start + MAX_BOXES)]
        iou = box_iou(
            torch.from_numpy(objects.boxes[first:last].astype(np.float64)),
            torch.from_numpy(boxes[detections]),
        )
        yield np.arange(first, last), detections, np.nan_to_num(iou.numpy())
