"""How well boxes fit sentences, and which fits best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

NO_CLASS = -1


@dataclass(frozen=True)
class CategoryPrior:
    """What a detector says of its boxes.

    Attributes:
        class_vectors: [C, D], of the texts that name its classes, L2-normalised; C >= 1.
        box_classes: [N], int64, each box's class among them; `NO_CLASS` where it has none.
    """

    class_vectors: Tensor
    box_classes: Tensor


def score_boxes(
    views: list[Tensor], sentences: Tensor, prior: CategoryPrior | None, logit_scale: float
) -> Tensor:
    """Logits of an image's boxes, for all its sentences at once.

    Over several views the logits are summed: with `crop` and `blur` this is ReCLIP's score of isolated proposals
    (Subramanian et al. 2022, section 3.1; `--box_method_aggregator sum` in its released code). The prior adds the
    log of its own softmax.

    Args:
        views: each [N, D], the boxes' vectors, L2-normalised.
        sentences: [S, D], L2-normalised.
        logit_scale: what CLIP's cosines are multiplied by.

    Returns:
        [S, N].
    """
    scores = logit_scale * (sentences @ torch.stack(views).sum(dim=0).T)
    if prior is None:
        return scores
    return scores + log_class_share(prior, sentences, logit_scale)


def log_class_share(prior: CategoryPrior, sentences: Tensor, logit_scale: float) -> Tensor:
    """log p(a box's class | sentence), p being CLIP's softmax over the detector's classes; no class has 1 / C.

    Returns:
        [S, N].
    """
    shares = (logit_scale * sentences @ prior.class_vectors.T).log_softmax(dim=1)  # [S, C]
    known = prior.box_classes != NO_CLASS
    uniform = -math.log(len(prior.class_vectors))
    return torch.where(known, shares[:, prior.box_classes.clamp(min=0)], uniform)


def rank(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes from the best to the worst, ties in their own order, and the best one's share.

    Args:
        scores: [S, N], logits; N >= 1.

    Returns:
        order [S, N], int64; share [S], the winner's part of a softmax over the boxes.
    """
    order = scores.argsort(dim=1, descending=True, stable=True)
    # Not by softmax(), which wakes torch's threads however few the boxes: they take longer than all else here.
    best = scores.amax(dim=1, keepdim=True)
    return order, 1 / (scores - best).exp().sum(dim=1)
