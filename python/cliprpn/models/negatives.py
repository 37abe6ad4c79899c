"""Contrasts the referred object with other objects: most grounding errors are in ranking, not in proposing."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import box_iou

from cliprpn.models.rpn import RpnRules


def negatives_loss(
    logits: Tensor,
    anchors: Tensor,
    positives: Tensor,
    negatives: Tensor,
    mask: Tensor,
    rules: RpnRules,
    num_contrasted: Tensor | None = None,
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
        num_contrasted: from `count_contrasted` for the batch that this is a part of.

    Returns:
        A scalar: the mean over sentences that have a negative with anchors; 0 if there are none.
    """
    objects = _anchors_of_objects(anchors, positives, negatives, mask, rules)
    has_anchors = objects.any(dim=2)
    # Finite also for an object without anchors, so that gradients are finite too.
    scores = (
        logits[:, None].masked_fill(~objects, torch.finfo(logits.dtype).min / 4).logsumexp(dim=2)
    )  # [B, 1 + M]
    # A sentence without negatives has one score, and so the loss 0, with gradients of 0.
    losses = scores.masked_fill(~has_anchors, float("-inf")).logsumexp(dim=1) - scores[:, 0]
    if num_contrasted is None:
        num_contrasted = _count(has_anchors)
    return losses.sum() / num_contrasted.clamp(min=1)


def count_contrasted(
    anchors: Tensor, positives: Tensor, negatives: Tensor, mask: Tensor, rules: RpnRules
) -> Tensor:
    """The number of sentences that have a negative with anchors, a scalar. Takes the arguments of `negatives_loss`."""
    return _count(_anchors_of_objects(anchors, positives, negatives, mask, rules).any(dim=2))


def _anchors_of_objects(
    anchors: Tensor, positives: Tensor, negatives: Tensor, mask: Tensor, rules: RpnRules
) -> Tensor:
    """The anchors of the referred object and of each negative: [B, 1 + M, N], bool."""
    iou = box_iou(negatives.flatten(0, 1), anchors).unflatten(0, negatives.shape[:2])  # [B, M, N]
    assigned = (iou >= rules.fg_iou_thresh) | (iou == iou.amax(dim=2, keepdim=True))
    assigned = assigned & ~positives[:, None] & mask[..., None]  # [B, M, N]
    return torch.cat([positives[:, None], assigned], dim=1)  # [B, 1 + M, N], the referred one first.


def _count(has_anchors: Tensor) -> Tensor:
    """Sentences with a negative, from [B, 1 + M], the objects that have anchors."""
    return has_anchors[:, 1:].any(dim=1).sum()
