"""Non-maximum suppression of the proposals of a batch: the first boxes that remain of each row.

A box is only suppressed by better ones, so the best boxes alone give the first results: more are looked at only where
too few remain.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import nms

from cliprpn.models.transfer import to_device

# CUDA's kernel compares all boxes of a call: this many need 110 MB there.
MAX_BOXES_PER_CALL = 30_000


def suppress_each_row(
    boxes: Tensor, scores: Tensor, valid: Tensor, max_boxes: int, iou_thresh: float
) -> list[Tensor]:
    """The same as `nms(boxes, scores, iou_thresh)[:max_boxes]` of each row: [K'], positions in the row, ascending.

    Fastest on a CPU.

    Args:
        boxes: [B, K, 4], xyxy, best first.
        scores: [B, K].
        valid: [B, K], bool; other boxes are ignored.
    """
    rows = list(zip(boxes, scores, strict=True))
    if valid.all():
        return [_first_of_row(*row, max_boxes, iou_thresh) for row in rows]
    keep = []
    for (boxes_i, scores_i), valid_i in zip(rows, valid, strict=True):  # Rare.
        positions = valid_i.nonzero()[:, 0]
        first = _first_of_row(boxes_i[positions], scores_i[positions], max_boxes, iou_thresh)
        keep.append(positions[first])
    return keep


def _first_of_row(boxes: Tensor, scores: Tensor, max_boxes: int, iou_thresh: float) -> Tensor:
    """
    Args:
        boxes: [K, 4], xyxy, best first.
        scores: [K].
    """
    count = 2 * max_boxes
    keep = nms(boxes[:count], scores[:count], iou_thresh)
    while len(keep) < max_boxes and count < len(boxes):
        count *= 2
        keep = nms(boxes[:count], scores[:count], iou_thresh)
    return keep[:max_boxes]


def suppress_rows_together(
    boxes: Tensor, scores: Tensor, valid: Tensor, max_boxes: int, iou_thresh: float
) -> list[Tensor]:
    """The same as `suppress_each_row`, with few calls, since the host waits for the result of each. On the CPU."""
    keep: list[Tensor] = [torch.empty(0, dtype=torch.long)] * len(boxes)
    rows, count = list(range(len(boxes))), 2 * max_boxes
    while rows:
        count = min(count, boxes.shape[1])
        per_call = max(1, MAX_BOXES_PER_CALL // count)
        few = []
        for start in range(0, len(rows), per_call):
            some = rows[start : start + per_call]
            index = to_device(torch.tensor(some), boxes.device)
            found = _suppress(boxes[index, :count], scores[index, :count], valid[index, :count], iou_thresh)
            for row, keep_i in zip(some, found, strict=True):
                keep[row] = keep_i[:max_boxes]
                if len(keep_i) < max_boxes:
                    few.append(row)
        rows = few if count < boxes.shape[1] else []
        count *= 2
    return keep


def _suppress(boxes: Tensor, scores: Tensor, valid: Tensor, iou_thresh: float) -> list[Tensor]:
    """`nms` of each row in one call: [K'], positions in the row, ascending, on the CPU.

    Every row is shifted to a place of its own, in float64, so that no digit is lost, as it is in `batched_nms`.
    """
    num_rows, count = scores.shape
    step = boxes.amax().double() + 1
    shift = torch.arange(num_rows, device=boxes.device)[:, None, None] * step
    # Empty boxes suppress nothing.
    shifted = torch.where(valid[..., None], boxes.double() + shift, 0.0)
    keep = nms(shifted.flatten(0, 1), scores.flatten().double(), iou_thresh)
    # Invalid boxes, which remain, are moved behind the last row.
    keep = torch.where(valid.flatten()[keep], keep, num_rows * count).sort().values.cpu()
    sizes = (keep // count).bincount(minlength=num_rows + 1).tolist()
    return [part % count for part in keep.split(sizes)[:num_rows]]
