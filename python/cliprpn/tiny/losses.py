"""Contrastive loss with several positives per row, and the weights of cells inside boxes."""

from __future__ import annotations

import torch
from torch import Tensor


def multi_positive_contrast(logits: Tensor, positives: Tensor) -> Tensor:
    """InfoNCE in which a row may have several positives (SupCon, Khosla et al. 2020, `in`-variant).

    Args:
        logits: [N, M], similarities divided by the temperature.
        positives: [N, M], bool; rows without a positive are ignored.

    Returns:
        A scalar.
    """
    positive = torch.logsumexp(logits.masked_fill(~positives, float("-inf")), dim=1)
    loss = torch.logsumexp(logits, dim=1) - positive
    return loss[positives.any(dim=1)].mean()


def box_weights(boxes_xyxy_norm: Tensor, grid: int) -> Tensor:
    """Fraction of each grid cell that is inside each box.

    Args:
        boxes_xyxy_norm: [N, 4], xyxy in [0, 1].
        grid: cells along a side.

    Returns:
        [N, grid * grid], in [0, 1].
    """
    edges = torch.arange(grid, dtype=torch.float32)
    start, end = edges / grid, (edges + 1) / grid
    x1, y1, x2, y2 = (boxes_xyxy_norm[:, i, None] for i in range(4))
    across = (torch.minimum(x2, end) - torch.maximum(x1, start)).clamp(min=0) * grid  # [N, grid]
    down = (torch.minimum(y2, end) - torch.maximum(y1, start)).clamp(min=0) * grid
    return (down[:, :, None] * across[:, None, :]).flatten(1)
