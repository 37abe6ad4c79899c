"""Sets the true object against the image's other objects: ranking, not proposing, is what grounding fails at."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_iou

from cliprpn.models.rpn import RpnRules, label_anchors


def negatives_loss(
    logits: Tensor, anchors: Tensor, gt_boxes: Tensor, negatives: Tensor, mask: Tensor, rules: RpnRules
) -> Tensor:
    """Cross-entropy of choosing the true object among it and its image's negatives.

    An object's score is the logsumexp of the logits of its own anchors: those with an IoU of at least
    `fg_iou_thresh`, or its best one. Anchors that are the true object's positives count for it alone.

    Args:
        logits: [B, N].
        anchors: [N, 4], xyxy, pixels of the frame.
        gt_boxes: [B, 4], xyxy, pixels of the frame.
        negatives: [B, M, 4], xyxy, pixels of the frame; rows beyond an image's own are of no account.
        mask: [B, M], True where there is a negative.

    Returns:
        A scalar: the mean over sentences that have a negative with an anchor of its own; 0 where none has.
    """
    true = label_anchors(anchors, gt_boxes, rules) == 1  # [B, N]
    iou = box_iou(negatives.flatten(0, 1), anchors).unflatten(0, negatives.shape[:2])  # [B, M, N]
    own = (iou >= rules.fg_iou_thresh) | (iou == iou.amax(dim=2, keepdim=True))
    own = own & ~true[:, None] & mask[..., None]  # [B, M, N]
    there = own.any(dim=2)  # [B, M]
    scores = torch.cat([_pooled(logits, true)[:, None], _pooled(logits[:, None], own)], dim=1)  # [B, 1 + M]
    scores = scores.masked_fill(~functional.pad(there, (1, 0), value=True), float("-inf"))
    losses = scores.logsumexp(dim=1) - scores[:, 0]
    has_any = there.any(dim=1)
    return torch.where(has_any, losses, 0.0).sum() / has_any.sum().clamp(min=1)


def _pooled(logits: Tensor, own: Tensor) -> Tensor:
    """logsumexp over an object's own anchors; finite where it has none, so that gradients stay so too."""
    lowest = torch.finfo(logits.dtype).min / 4
    return torch.where(own, logits, lowest).logsumexp(dim=-1)
