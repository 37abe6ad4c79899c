"""Contrasts the referred object with other objects: most grounding errors are in ranking, not in proposing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_iou

from cliprpn.models.rpn import RpnRules


def negatives_loss(
    logits: Tensor, anchors: Tensor, positives: Tensor, negatives: Tensor, mask: Tensor, rules: RpnRules
) -> Tensor:
    """Cross-entropy of selecting the referred object among itself and the negatives of its image.

    An object's score is the logsumexp of the logits of its anchors: those with an IoU of at least `fg_iou_thresh`, or
    the best one. Positive anchors of the referred object are not assigned to negatives.

    Args:
        logits: [B, N].
        anchors: [N, 4], xyxy, pixels of the frame.
        positives: [B, N], bool: the anchors of the referred objects.
        negatives: [B, M, 4], xyxy, pixels of the frame; rows that are padding are ignored.
        mask: [B, M], True for negatives, False for padding.

    Returns:
        A scalar: the mean over sentences that have a negative with anchors; 0 if there are none.
    """
    iou = box_iou(negatives.flatten(0, 1), anchors).unflatten(0, negatives.shape[:2])  # [B, M, N]
    assigned = (iou >= rules.fg_iou_thresh) | (iou == iou.amax(dim=2, keepdim=True))
    assigned = assigned & ~positives[:, None] & mask[..., None]  # [B, M, N]
    has_anchors = assigned.any(dim=2)  # [B, M]
    scores = torch.cat(
        [_pool(logits, positives)[:, None], _pool(logits[:, None], assigned)], dim=1
    )  # [B, 1 + M]
    scores = scores.masked_fill(~functional.pad(has_anchors, (1, 0), value=True), float("-inf"))
    losses = scores.logsumexp(dim=1) - scores[:, 0]
    has_negatives = has_anchors.any(dim=1)
    return torch.where(has_negatives, losses, 0.0).sum() / has_negatives.sum().clamp(min=1)


def _pool(logits: Tensor, assigned: Tensor) -> Tensor:
    """logsumexp over an object's anchors; finite if it has none, so that gradients are finite too."""
    lowest = torch.finfo(logits.dtype).min / 4
    return torch.where(assigned, logits, lowest).logsumexp(dim=-1)
