"""Predicts a box for every sentence of a split."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from cliprpn.boxes import box_area, box_intersection_paired, box_iou_paired, clip_boxes
from cliprpn.data.index import DatasetIndex
from cliprpn.data.predictions import PredictionColumns
from cliprpn.errors import CliprpnError
from cliprpn.features.frozen import FrozenFeatures
from cliprpn.geometry import to_image
from cliprpn.metrics import RECALL_AT
from cliprpn.models import ClipRPN
from cliprpn.out_of_memory import compute_in_batches
from cliprpn.run_context import RunContext

EVAL_BATCH_SIZE = 256
# 5,000 sentences with 735 anchors need 74 MB; two epochs are kept at a time.
MAX_KEPT_BYTES = 256 * 2**20

Outputs = tuple[Tensor, Tensor]
Result = TypeVar("Result")


@dataclass
class KeptOutputs:
    """What a model returned in the last pass over a split, on its device; so that no second pass is needed.

    Attributes:
        batches: logits [B, N] and offsets [B, N, 4] of each batch; empty if they would need too much memory.
    """

    batches: list[Outputs] = field(default_factory=list)

    def rows(self, start: int, end: int) -> Outputs:
        """The outputs for some of the rows."""
        first, parts = 0, []
        for logits, deltas in self.batches:
            part = slice(max(start - first, 0), max(end - first, 0))
            if part.start < min(part.stop, len(logits)):
                parts.append((logits[part], deltas[part]))
            first += len(logits)
        return (
            parts[0]
            if len(parts) == 1
            else (torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts]))
        )


def top1_ious(
    model: ClipRPN,
    index: DatasetIndex,
    features: FrozenFeatures,
    rows: np.ndarray,
    context: RunContext,
    kept: KeptOutputs | None = None,
) -> np.ndarray:
    """IoU of each top-1 box with the ground truth: [N]. Used to select an epoch.

    Args:
        rows: [N], rows of the index's sentences.
        kept: gets the outputs, for `predict_split`.
    """
    outputs: list[Outputs] = []
    boxes = []
    for batch, (output, boxes_i) in _evaluate(
        model, features, rows, context, lambda output: (output, model.top1(output)[0].cpu())
    ):
        boxes.append(boxes_i)
        if kept is not None and _num_bytes(output) * len(rows) <= MAX_KEPT_BYTES * len(batch):
            outputs.append(output)
    if kept is not None:
        kept.batches = outputs
    return _ious(torch.cat(boxes), model, index, features, rows)


def predict_split(
    model: ClipRPN,
    index: DatasetIndex,
    features: FrozenFeatures,
    rows: np.ndarray,
    context: RunContext,
    kept: KeptOutputs | None = None,
) -> PredictionColumns:
    """A row per sentence: predicted box, IoU, best IoU among the first proposals, and IoU with the empty sentence.

    Args:
        rows: [N], rows of the index's sentences.
        kept: outputs of a model with the same weights for the same rows.

    Raises:
        CliprpnError: interrupted.
    """
    parts: list[PredictionColumns] = []
    done = 0
    for batch, (boxes, objectness) in _evaluate(
        model, features, rows, context, lambda output: _on_cpu(*model.proposals(output)), kept
    ):
        if context.should_stop():
            raise CliprpnError("interrupted", "stopped while evaluating")
        sizes, gt_boxes = sizes_and_gt_boxes(index, batch)
        frames = features.frames_of(batch)
        proposals = all_to_image_clipped(boxes, frames, sizes, features.zoom(model.frame_size_px))
        parts.append(prediction_columns(proposals, objectness, gt_boxes))
        done += len(batch)
        context.progress("evaluation", done, len(rows))
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    columns["iou_blank"] = _blank_ious(model, index, features, rows, context)
    return columns


def _evaluate(
    model: ClipRPN,
    features: FrozenFeatures,
    rows: np.ndarray,
    context: RunContext,
    finish: Callable[[Outputs], Result],
    kept: KeptOutputs | None = None,
    blank: bool = False,
) -> Iterator[tuple[np.ndarray, Result]]:
    """Batches of the rows, and what is made of the model's outputs for them.

    Args:
        finish: needs memory of the device, too, so a batch is halved if it does not fit in there.
        kept: the outputs, if they are known.
        blank: replaces each sentence by the empty one.
    """

    @torch.no_grad()
    def compute(batch: np.ndarray, start: int) -> Result:
        if kept is not None and kept.batches:
            return finish(kept.rows(start, start + len(batch)))
        return finish(model(*features.shared_batch(batch, context.device, blank)))

    model.eval()
    return compute_in_batches(rows, EVAL_BATCH_SIZE, compute, context)


def _num_bytes(output: Outputs) -> int:
    return sum(part.numel() * part.element_size() for part in output)


def _blank_ious(
    model: ClipRPN, index: DatasetIndex, features: FrozenFeatures, rows: np.ndarray, context: RunContext
) -> np.ndarray:
    """Like `top1_ious`, for the empty sentence, whose boxes are those of the image: predicted once per image."""
    _, first, image_of = np.unique(index.image_rows[rows], return_index=True, return_inverse=True)
    top1 = _evaluate(
        model, features, rows[first], context, lambda output: model.top1(output)[0].cpu(), blank=True
    )
    boxes = torch.cat([boxes_i for _, boxes_i in top1])
    return _ious(boxes[torch.from_numpy(image_of)], model, index, features, rows)


def _ious(
    boxes: Tensor, model: ClipRPN, index: DatasetIndex, features: FrozenFeatures, rows: np.ndarray
) -> np.ndarray:
    """IoU of boxes of the model's frame, [N, 4], with the ground truth of the rows: [N]."""
    sizes, gt_boxes = sizes_and_gt_boxes(index, rows)
    pred = to_image_clipped(
        boxes.double(), features.frames_of(rows), sizes, features.zoom(model.frame_size_px)
    )
    return box_iou_paired(pred, gt_boxes).numpy()


def _on_cpu(boxes: list[Tensor], objectness: Tensor) -> tuple[list[Tensor], Tensor]:
    """Boxes [K, 4] of each sentence and the objectness [N] in one copy, for which the host waits once."""
    copy = torch.cat([*(boxes_i.flatten() for boxes_i in boxes), objectness]).cpu()
    flat, objectness = copy.split([len(copy) - len(boxes), len(boxes)])
    return [*flat.view(-1, 4).split([len(boxes_i) for boxes_i in boxes])], objectness


def sizes_and_gt_boxes(index: DatasetIndex, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Width and height of each sentence's image, [N, 2], and the ground truth, [N, 4], xyxy; pixels.

    In float64, so that an IoU of 7/10 equals 0.7.
    """
    sizes = torch.from_numpy(index.image_sizes(rows)).double()
    return sizes, torch.from_numpy(index.gt_boxes[rows]).double()


def to_image_clipped(boxes: Tensor, frames: Tensor, sizes: Tensor, zoom: float) -> Tensor:
    """Converts boxes from the model's frame to pixels of the original images, clipped to the image: [N, 4].

    Args:
        boxes: [N, 4], xyxy, pixels of the frame.
        frames: [N, 4], see `geometry.to_frame`.
        sizes: [N, 2], width and height of each image, pixels.
        zoom: pixels of the frame per pixel of the prepared square.
    """
    return clip_boxes(to_image(boxes, frames, zoom), sizes)


def all_to_image_clipped(boxes: list[Tensor], frames: Tensor, sizes: Tensor, zoom: float) -> list[Tensor]:
    """Like `to_image_clipped`, for several boxes per image: a list of [K, 4], float64, on the CPU."""
    counts = [len(boxes_i) for boxes_i in boxes]
    row_of = torch.arange(len(boxes)).repeat_interleave(torch.tensor(counts))  # [all K]
    # All boxes in one copy.
    converted = to_image_clipped(torch.cat(boxes).cpu().double(), frames[row_of], sizes[row_of], zoom)
    return [*converted.split(counts)]


def prediction_columns(boxes: list[Tensor], objectness: Tensor, gt_boxes: Tensor) -> PredictionColumns:
    """The stored columns of each sentence's prediction.

    Args:
        boxes: [K, 4] for each sentence, float64, xyxy, pixels of its image, best first; K may be 0.
        objectness: [N], of the best boxes.
        gt_boxes: [N, 4], xyxy, pixels.
    """
    pred = torch.stack([boxes_i[0] if len(boxes_i) else torch.zeros(4).double() for boxes_i in boxes])
    intersection = box_intersection_paired(pred, gt_boxes)
    center = (pred[:, :2] + pred[:, 2:]) / 2
    inside = ((center >= gt_boxes[:, :2]) & (center <= gt_boxes[:, 2:])).all(dim=1)
    inside &= box_area(pred) > 0  # An empty box is no answer.
    columns = {
        "pred_box_xyxy": pred,
        "objectness": objectness,
        "iou": box_iou_paired(pred, gt_boxes),
        "intersection": intersection,
        "union": box_area(pred) + box_area(gt_boxes) - intersection,
        "pointing": inside,
    }
    best = best_ious(boxes, gt_boxes, RECALL_AT[1:])
    for k in RECALL_AT[1:]:
        columns[f"iou_at_{k}"] = best[k]
    return {key: value.numpy() for key, value in columns.items()}


def best_ious(boxes: list[Tensor], gt_boxes: Tensor, ks: tuple[int, ...]) -> dict[int, Tensor]:
    """The best IoU among the first k boxes of each sentence, 0 if it has none; [N] for each k.

    Args:
        boxes: [K, 4] for each sentence, float64, xyxy, pixels; K may be 0.
        gt_boxes: [N, 4], xyxy, pixels.
    """
    ious = [
        box_iou(boxes_i, gt_box[None])[:, 0] if len(boxes_i) else torch.zeros(1).double()
        for boxes_i, gt_box in zip(boxes, gt_boxes, strict=True)
    ]
    return {k: torch.stack([ious_i[:k].max() for ious_i in ious]) for k in ks}
