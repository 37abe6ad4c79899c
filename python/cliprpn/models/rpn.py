"""Labels, losses and proposals for one ground truth per sentence, for a whole batch at once.

torchvision's RegionProposalNetwork loops over images; here every step is one tensor operation. `test_rpn.py` checks
that both give the same results.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_iou

from cliprpn.models.suppression import suppress_each_row, suppress_rows_together
from cliprpn.models.transfer import to_device

# From torchvision.models.detection: BoxCoder's limit of size offsets, the smallest side, the beta of smooth L1.
MAX_LOG_SCALE = math.log(1000 / 16)
MIN_SIZE_PX = 1e-3
SMOOTH_L1_BETA = 1 / 9


@dataclass(frozen=True)
class RpnRules:
    """Hyperparameters of labels, losses and proposals, with the names of the contract's `rpn`."""

    fg_iou_thresh: float = 0.5
    bg_iou_thresh: float = 0.4
    objectness_loss: Literal["sampled_bce", "softmax"] = "softmax"
    box_loss: Literal["over_sampled", "over_positives"] = "over_positives"
    box_loss_weight: float = 1.0
    batch_size_per_image: int = 256
    positive_fraction: float = 0.5
    pre_nms_top_n: int = 1000
    post_nms_top_n: int = 100
    nms_thresh: float = 0.7
    negatives_loss_weight: float = 0.0


@dataclass(frozen=True)
class AnchorTargets:
    """What the losses compare the outputs for each anchor with; depends on the ground truth only.

    Attributes:
        positive: [B, N], bool.
        negative: [B, N], bool; an anchor may be neither.
        deltas: [B, N, 4], offsets from each anchor to the ground truth of the row.
    """

    positive: Tensor
    negative: Tensor
    deltas: Tensor

    def rows(self, start: int, end: int) -> AnchorTargets:
        """The targets of some rows."""
        return AnchorTargets(self.positive[start:end], self.negative[start:end], self.deltas[start:end])


@dataclass(frozen=True)
class BatchTotals:
    """What the losses of a batch use and divide by. Those of its parts divide by the totals of the whole batch.

    Attributes:
        num_rows: B.
        used: [B, N], bool: the anchors that count.
        num_used, num_boxes, num_contrasted: scalars: anchors that count for the objectness loss and for the box loss,
            and sentences that have negatives with anchors; None if no loss divides by it.
    """

    num_rows: int
    used: Tensor
    num_used: Tensor | None
    num_boxes: Tensor
    num_contrasted: Tensor | None = None

    def of_rows(self, start: int, end: int) -> BatchTotals:
        """The same totals, for the losses of some rows."""
        return replace(self, used=self.used[start:end])


def anchor_targets(anchors: Tensor, gt_boxes: Tensor, rules: RpnRules) -> AnchorTargets:
    """Labels of anchors, and the offsets to the ground truth.

    Same as torchvision's Matcher with low-quality matches: the best anchor (or all equally good ones) is positive
    for any IoU.

    Args:
        anchors: [N, 4], xyxy, pixels of the frame.
        gt_boxes: [B, 4], xyxy, pixels of the frame.
    """
    iou = box_iou(gt_boxes, anchors)  # [B, N]
    positive = (iou >= rules.fg_iou_thresh) | (iou == iou.amax(dim=1, keepdim=True))
    negative = (iou < rules.bg_iou_thresh) & ~positive
    return AnchorTargets(positive, negative, encode_boxes(gt_boxes[:, None], anchors))


def sample_anchors(
    positive: Tensor, negative: Tensor, rules: RpnRules, generator: torch.Generator | None = None
) -> Tensor:
    """Samples positives, at most `positive_fraction`, and fills up with negatives, at random in each row.

    Args:
        positive, negative: [B, N], bool.

    Returns:
        [B, N], bool.
    """
    keys = torch.rand(positive.shape, generator=generator, device=positive.device)
    max_positives = int(rules.batch_size_per_image * rules.positive_fraction)
    count = torch.full_like(positive[:, 0], max_positives, dtype=torch.long)
    positives = _select_smallest(keys, positive, count, max_positives)
    num_negatives = rules.batch_size_per_image - positives.sum(dim=1)
    return positives | _select_smallest(keys, negative, num_negatives, rules.batch_size_per_image)


def _select_smallest(keys: Tensor, candidates: Tensor, count: Tensor, max_count: int) -> Tensor:
    """Selects the `count[b]` candidates of row b with the smallest keys: [B, N], bool.

    Args:
        max_count: upper bound of `count`.
    """
    max_count = min(max(max_count, 1), keys.shape[1])
    ranked = keys.masked_fill(~candidates, 2.0).topk(max_count, dim=1, largest=False).values
    last = (count.clamp(max=max_count) - 1).clamp(min=0)
    threshold = ranked.gather(1, last[:, None])
    return candidates & (keys <= threshold) & (count > 0)[:, None]


def encode_boxes(gt_boxes: Tensor, anchors: Tensor) -> Tensor:
    """Offsets from anchors to boxes: [..., 4]. Parametrization of Faster R-CNN (Ren et al. 2015), unit weights.

    Args:
        gt_boxes, anchors: xyxy; of shapes that broadcast to [..., 4].
    """
    gt_center, gt_size = _center_size(gt_boxes)
    center, size = _center_size(anchors)
    return torch.cat([(gt_center - center) / size, torch.log(gt_size / size)], dim=-1)


def decode_boxes(deltas: Tensor, anchors: Tensor) -> Tensor:
    """Applies offsets to anchors: [..., 4] deltas and [..., 4] anchors to [..., 4] xyxy, not clipped."""
    center, size = _center_size(anchors)
    center = center + deltas[..., :2] * size
    half = size * torch.exp(deltas[..., 2:].clamp(max=MAX_LOG_SCALE)) / 2
    return torch.cat([center - half, center + half], dim=-1)


def _center_size(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """[..., 4] xyxy to [..., 2] each."""
    size = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + size / 2, size


def batch_totals(
    targets: AnchorTargets,
    rules: RpnRules,
    sampled: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> BatchTotals:
    """The totals of a batch, without those of negatives.

    Args:
        sampled: [B, N], bool: anchors to use; sampled at random if None.
        generator: for the sampling.
    """
    positive = targets.positive
    if rules.objectness_loss == "softmax":
        used, num_used = positive | targets.negative, None
    else:
        used = sample_anchors(positive, targets.negative, rules, generator) if sampled is None else sampled
        positive, num_used = positive & used, used.sum()
    boxes = positive if rules.box_loss == "over_positives" else used
    return BatchTotals(len(positive), used, num_used, boxes.sum().clamp(min=1))


def rpn_losses(
    logits: Tensor,
    deltas: Tensor,
    targets: AnchorTargets,
    rules: RpnRules,
    sampled: Tensor | None = None,
    generator: torch.Generator | None = None,
    totals: BatchTotals | None = None,
) -> tuple[Tensor, Tensor]:
    """Objectness and (unweighted) box loss of a batch.

    All shapes are fixed: anchors that do not count have weight 0, so that the host never waits for their number.

    Args:
        logits: [B, N].
        deltas: [B, N, 4].
        targets: of the batch.
        sampled, generator: as in `batch_totals`.
        totals: of the batch that this is a part of; the losses of all parts add up to its losses.

    Returns:
        Two scalars.
    """
    if totals is None:
        totals = batch_totals(targets, rules, sampled, generator)
    positive, used = targets.positive, totals.used
    if rules.objectness_loss == "softmax":
        # A finite number, since 0 * -inf is NaN; its exponential is 0.
        masked = logits.masked_fill(~used, torch.finfo(logits.dtype).min / 4)
        # Target probabilities over -B: their products with the logarithms add up to the mean cross-entropy.
        weights = positive / (positive.sum(dim=1, keepdim=True) * -totals.num_rows)
        objectness = (weights * functional.log_softmax(masked, dim=1)).sum()
    else:
        losses = functional.binary_cross_entropy_with_logits(
            logits, positive.to(logits.dtype), used, reduction="sum"
        )
        assert totals.num_used is not None
        objectness = losses / totals.num_used
        positive = positive & used
    box = functional.smooth_l1_loss(deltas, targets.deltas, beta=SMOOTH_L1_BETA, reduction="none")
    return objectness, (box * (positive / totals.num_boxes)[..., None]).sum()


def top1_boxes(
    logits: Tensor, deltas: Tensor, anchors: Tensor, frame_size_px: float
) -> tuple[Tensor, Tensor]:
    """The best proposal of each sentence, without non-maximum suppression, which never removes the best one.

    Proposals with a side below torchvision's minimum after clipping are skipped, unless there are no others.

    Args:
        logits: [B, N].
        deltas: [B, N, 4].
        anchors: [N, 4], xyxy, pixels of the frame.

    Returns:
        boxes [B, 4], xyxy, clipped to the frame, and their logits [B].
    """
    best = logits.argmax(dim=1)
    rows = torch.arange(logits.shape[0], device=logits.device)
    boxes = decode_boxes(deltas[rows, best], anchors[best]).clamp(0, frame_size_px)
    thin = ((boxes[:, 2:] - boxes[:, :2]) < MIN_SIZE_PX).any(dim=1)
    # Rare: check all proposals. An accelerator does it anyway, since waiting for the answer takes longer.
    if logits.device.type != "cpu" or thin.any():
        all_boxes = decode_boxes(deltas, anchors).clamp(0, frame_size_px)
        valid = ((all_boxes[..., 2:] - all_boxes[..., :2]) >= MIN_SIZE_PX).all(dim=2)
        scores = torch.where(valid, logits, logits.amin(dim=1, keepdim=True) - 1e4)
        best = torch.where(thin, scores.argmax(dim=1), best)
        boxes = decode_boxes(deltas[rows, best], anchors[best]).clamp(0, frame_size_px)
    return boxes, logits[rows, best]


def filter_proposals(
    logits: Tensor, deltas: Tensor, anchors: Tensor, frame_size_px: float, rules: RpnRules
) -> tuple[list[Tensor], list[Tensor]]:
    """Proposals of every sentence after non-maximum suppression, best first.

    Args:
        logits: [B, N].
        deltas: [B, N, 4].
        anchors: [N, 4], xyxy, pixels of the frame.

    Returns:
        per sentence: boxes [K, 4], xyxy, clipped to the frame, and logits [K], K <= post_nms_top_n.
    """
    count = min(rules.pre_nms_top_n, logits.shape[1])
    scores, order = logits.topk(count, dim=1)  # [B, K]
    top_deltas = deltas.gather(1, order[..., None].expand(-1, -1, 4))
    boxes = decode_boxes(top_deltas, anchors[order]).clamp(0, frame_size_px)
    valid = ((boxes[..., 2:] - boxes[..., :2]) >= MIN_SIZE_PX).all(dim=2)
    suppress = suppress_each_row if boxes.device.type == "cpu" else suppress_rows_together
    keep = suppress(boxes, scores, valid, rules.post_nms_top_n, rules.nms_thresh)
    counts = [len(keep_i) for keep_i in keep]
    # [all K]: positions in the flattened batch; the boxes of all rows are selected at once.
    flat = to_device(torch.cat([keep_i + row * count for row, keep_i in enumerate(keep)]), boxes.device)
    return [*boxes.flatten(0, 1)[flat].split(counts)], [*scores.flatten()[flat].split(counts)]
