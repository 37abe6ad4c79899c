"""A dataset's images and objects, to train a YOLO on and to measure its recall."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from cliprpn.data.images import ImageFile, image_files, load_images
from cliprpn.data.index import DatasetIndex
from cliprpn.detectors.proposals import Detector
from cliprpn.errors import CliprpnError
from cliprpn.metrics import HIT_IOU, RECALL_AT

RECALL_BATCH_SIZE = 16


@dataclass(frozen=True)
class LabeledImage:
    """An image and its objects.

    Attributes:
        labels: [N], int, class numbers.
        boxes_xyxy: [N, 4], pixels, none empty; N may be 0 (background).
    """

    file: ImageFile
    width: int
    height: int
    labels: np.ndarray
    boxes_xyxy: np.ndarray


def label_images(index: DatasetIndex, rows: list[int], classes: list[str]) -> list[LabeledImage]:
    """The images in these rows of the index, with their objects as labels.

    Args:
        classes: class names; labels are their positions.

    Raises:
        CliprpnError: data_invalid, if no image has an object.
    """
    class_numbers = {name: number for number, name in enumerate(classes)}
    objects = _objects_by_image(index)
    ids, widths, heights = (index.images[key].to_pylist() for key in ("image_id", "width", "height"))
    images = []
    for row, file in zip(rows, image_files(index, rows), strict=True):
        objects_i = objects.get(ids[row], [])
        labels = np.array([class_numbers[name] for name, _ in objects_i], dtype=np.int64)
        boxes = np.array([box for _, box in objects_i], dtype=np.float64).reshape(-1, 4)
        images.append(LabeledImage(file, widths[row], heights[row], labels, boxes))
    if not any(len(image.labels) for image in images):
        raise CliprpnError(
            "data_invalid",
            f"{index.root}: expected annotated objects in the images of train to train a YOLO on, found none",
        )
    return images


def _objects_by_image(index: DatasetIndex) -> dict[int, list[tuple[str, list[float]]]]:
    """Class name ("" if it has none) and box of each object, by image_id; empty boxes are left out."""
    objects: dict[int, list[tuple[str, list[float]]]] = defaultdict(list)
    columns = (index.objects[key].to_pylist() for key in ("image_id", "category", "box_xyxy"))
    for image_id, category, box in zip(*columns, strict=True):
        if box[2] > box[0] and box[3] > box[1]:
            objects[image_id].append((category or "", box))
    return objects


def split_image_rows(index: DatasetIndex, split: str) -> list[int]:
    """Rows of a split's images."""
    rows: list[int] = np.unique(index.image_rows[index.split(split)]).tolist()
    return rows


def measure_recall(
    detector: Detector, index: DatasetIndex, rows: list[int], should_stop: Callable[[], bool]
) -> dict[str, float] | None:
    """Fraction of all objects covered by one of their image's k best boxes, by "@k"; None if there are no objects.

    Args:
        rows: rows of the index's images.

    Raises:
        CliprpnError: interrupted.
    """
    objects, ids = _objects_by_image(index), index.images["image_id"].to_pylist()
    best_ious: list[Tensor] = []
    images = load_images(image_files(index, rows))
    for start in range(0, len(rows), RECALL_BATCH_SIZE):
        if should_stop():
            raise CliprpnError("interrupted", "stopped while evaluating a trained YOLO")
        proposals = detector.detect(list(islice(images, RECALL_BATCH_SIZE)))
        for row, proposals_i in zip(rows[start : start + RECALL_BATCH_SIZE], proposals, strict=True):
            gt_boxes = torch.tensor([box for _, box in objects.get(ids[row], [])], dtype=torch.float64)
            ious = torch.zeros(len(gt_boxes), max(RECALL_AT), dtype=torch.float64)
            ious[:, : len(proposals_i)] = box_iou(gt_boxes.reshape(-1, 4), proposals_i.boxes_xyxy)
            best_ious.append(ious.cummax(dim=1).values)  # [num_objects, k]
    covered = torch.cat([*best_ious, torch.zeros(0, max(RECALL_AT), dtype=torch.float64)]) >= HIT_IOU
    if len(covered) == 0:
        return None
    return {f"@{k}": round(float(covered[:, k - 1].double().mean()), 4) for k in RECALL_AT}
