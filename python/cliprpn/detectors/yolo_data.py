"""A data set's images and objects, to train a detector on and to try it."""

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

# Images that are tried together.
BATCH = 16
RECALL_IOU = 0.5
RECALL_AT = (1, 5, 10, 100)


@dataclass(frozen=True)
class Labelled:
    """An image and what is in it.

    Attributes:
        labels: [N], int, numbers of classes.
        boxes_xyxy: [N, 4], pixels, none empty; N may be 0: background.
    """

    file: ImageFile
    width: int
    height: int
    labels: np.ndarray
    boxes_xyxy: np.ndarray


def labelled(index: DatasetIndex, rows: list[int], classes: list[str]) -> list[Labelled]:
    """
    Raises:
        CliprpnError: data_invalid, where no image has an object.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    objects = _objects(index)
    ids, widths, heights = (index.images[key].to_pylist() for key in ("image_id", "width", "height"))
    found = []
    for row, file in zip(rows, image_files(index, rows), strict=True):
        own = objects.get(ids[row], [])
        labels = np.array([numbers[name] for name, _ in own], dtype=np.int64)
        boxes = np.array([box for _, box in own], dtype=np.float64).reshape(-1, 4)
        found.append(Labelled(file, widths[row], heights[row], labels, boxes))
    if not any(len(each.labels) for each in found):
        raise CliprpnError(
            "data_invalid",
            f"{index.root}: expected annotated objects in train's images, found none to train a YOLO on",
        )
    return found


def _objects(index: DatasetIndex) -> dict[int, list[tuple[str, list[float]]]]:
    """Of each image its objects: class ("" where it has none) and box; those without an area are left out."""
    found: dict[int, list[tuple[str, list[float]]]] = defaultdict(list)
    columns = (index.objects[key].to_pylist() for key in ("image_id", "category", "box_xyxy"))
    for image_id, category, box in zip(*columns, strict=True):
        if box[2] > box[0] and box[3] > box[1]:
            found[image_id].append((category or "", box))
    return found


def image_rows(index: DatasetIndex, split: str) -> list[int]:
    """Rows of a split's images."""
    rows: list[int] = np.unique(index.image_rows[index.split(split)]).tolist()
    return rows


def recall(
    detector: Detector, index: DatasetIndex, rows: list[int], should_stop: Callable[[], bool]
) -> dict[str, float] | None:
    """Share of all objects that one of an image's k best boxes covers; None where there is no object."""
    objects, ids = _objects(index), index.images["image_id"].to_pylist()
    best: list[Tensor] = []
    pictures = load_images(image_files(index, rows))
    for start in range(0, len(rows), BATCH):
        if should_stop():
            raise CliprpnError("interrupted", "stopped while a trained YOLO is tried")
        found = detector.detect(list(islice(pictures, BATCH)))
        for row, own in zip(rows[start : start + BATCH], found, strict=True):
            gt_boxes = torch.tensor([box for _, box in objects.get(ids[row], [])], dtype=torch.float64)
            ious = torch.zeros(len(gt_boxes), max(RECALL_AT), dtype=torch.float64)
            ious[:, : len(own)] = box_iou(gt_boxes.reshape(-1, 4), own.boxes_xyxy)
            best.append(ious.cummax(dim=1).values)  # [objects, k]
    covered = torch.cat([*best, torch.zeros(0, max(RECALL_AT), dtype=torch.float64)]) >= RECALL_IOU
    if len(covered) == 0:
        return None
    return {f"@{k}": round(float(covered[:, k - 1].double().mean()), 4) for k in RECALL_AT}
