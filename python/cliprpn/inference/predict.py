"""Asks a model every sentence of a split."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from cliprpn.boxes import box_area, box_intersection_paired, box_iou_paired, clip_boxes
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError
from cliprpn.features.frozen import FrozenFeatures
from cliprpn.geometry import to_image
from cliprpn.metrics import RECALL_AT
from cliprpn.models import ClipRPN
from cliprpn.run_context import RunContext

BATCH = 256
Columns = dict[str, np.ndarray]


def top1_ious(
    model: ClipRPN,
    index: DatasetIndex,
    features: FrozenFeatures,
    rows: np.ndarray,
    device: torch.device,
    blank: bool = False,
) -> np.ndarray:
    """IoU of each sentence's answer with the truth, [N]: all that choosing an epoch needs."""
    model.eval()
    parts = []
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        boxes, _ = model.predict_top1(*features.batch(some, device, blank))
        sizes, truth = sizes_and_truth(index, some)
        pred = in_image(
            boxes.cpu().double(), features.frames_of(some), sizes, features.zoom(model.frame_size_px)
        )
        parts.append(box_iou_paired(pred, truth))
    return torch.cat(parts).numpy()


def predict_split(
    model: ClipRPN,
    index: DatasetIndex,
    features: FrozenFeatures,
    rows: np.ndarray,
    context: RunContext,
) -> Columns:
    """A row per sentence: answer, IoU, the best IoU among the first proposals, and IoU without the sentence."""
    model.eval()
    parts: list[Columns] = []
    for start in range(0, len(rows), BATCH):
        if context.should_stop():
            raise CliprpnError("interrupted", "stopped while evaluating")
        some = rows[start : start + BATCH]
        boxes, objectness = model.predict_proposals(*features.batch(some, context.device))
        sizes, truth = sizes_and_truth(index, some)
        frames = features.frames_of(some)
        everywhere = each_in_image(boxes, frames, sizes, features.zoom(model.frame_size_px))
        parts.append(answer_columns(everywhere, objectness.cpu(), truth))
        context.progress("evaluation", min(start + BATCH, len(rows)), len(rows))
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    columns["iou_blank"] = top1_ious(model, index, features, rows, context.device, blank=True)
    return columns


def sizes_and_truth(index: DatasetIndex, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Images' widths and heights [N, 2] and true boxes [N, 4], in float64: an IoU of 7/10 is to be 0.7."""
    sizes = torch.from_numpy(index.image_sizes(rows)).double()
    return sizes, torch.from_numpy(index.gt_boxes[rows]).double()


def in_image(boxes: Tensor, frames: Tensor, sizes: Tensor, zoom: float) -> Tensor:
    """Boxes of the model's frame in pixels of their original images, cut at the edges: [N, 4]."""
    return clip_boxes(to_image(boxes, frames, zoom), sizes)


def each_in_image(boxes: list[Tensor], frames: Tensor, sizes: Tensor, zoom: float) -> list[Tensor]:
    """The same for several boxes of each image: per image [K, 4], float64, on the CPU."""
    return [
        in_image(own.cpu().double(), frame.expand(len(own), 4), size.expand(len(own), 2), zoom)
        for own, frame, size in zip(boxes, frames, sizes, strict=True)
    ]


def answer_columns(boxes: list[Tensor], objectness: Tensor, truth: Tensor) -> Columns:
    """What is kept of each sentence's answer.

    Args:
        boxes: of each sentence [K, 4], float64, xyxy, pixels of its image, the best first; K may be 0.
        objectness: [N], of the first ones.
        truth: [N, 4].
    """
    pred = torch.stack([own[0] if len(own) else torch.zeros(4).double() for own in boxes])
    intersection = box_intersection_paired(pred, truth)
    center = (pred[:, :2] + pred[:, 2:]) / 2
    inside = ((center >= truth[:, :2]) & (center <= truth[:, 2:])).all(dim=1)
    columns = {
        "pred_box_xyxy": pred,
        "objectness": objectness,
        "iou": box_iou_paired(pred, truth),
        "intersection": intersection,
        "union": box_area(pred) + box_area(truth) - intersection,
        "pointing": inside,
    }
    best = best_ious(boxes, truth, RECALL_AT[1:])
    for k in RECALL_AT[1:]:
        columns[f"iou_at_{k}"] = best[k]
    return {key: value.numpy() for key, value in columns.items()}


def best_ious(boxes: list[Tensor], truth: Tensor, ks: tuple[int, ...]) -> dict[int, Tensor]:
    """The best IoU among each sentence's first k boxes, 0 where it has none: k to [N]."""
    ious = [
        box_iou(own, true[None])[:, 0] if len(own) else torch.zeros(1).double()
        for own, true in zip(boxes, truth, strict=True)
    ]
    return {k: torch.stack([each[:k].max() for each in ious]) for k in ks}
