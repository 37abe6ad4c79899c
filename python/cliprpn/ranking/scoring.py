"""Scores of boxes for sentences, and their ranking."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

NO_CLASS = -1


@dataclass(frozen=True)
class CategoryPrior:
    """The detector's classes, used as a prior on boxes.

    Attributes:
        class_embeddings: [C, D], text embeddings of the class names, L2-normalized; C >= 1.
        box_classes: [N], int64, class of each box; `NO_CLASS` where it has none.
    """

    class_embeddings: Tensor
    box_classes: Tensor


def score_boxes(
    views: list[Tensor], sentences: Tensor, prior: CategoryPrior | None, logit_scale: float
) -> Tensor:
    """Logits of an image's boxes for each of its sentences.

    Logits of several views are summed: with `crop` and `blur` this is ReCLIP's score of isolated proposals
    (Subramanian et al. 2022, section 3.1; `--box_method_aggregator sum` in its released code). The prior adds
    `log_class_probability`.

    Args:
        views: for each view [N, D], embeddings of the boxes, L2-normalized.
        sentences: [S, D], L2-normalized.
        logit_scale: CLIP's factor for cosine similarities.

    Returns:
        [S, N].
    """
    scores = logit_scale * (sentences @ torch.stack(views).sum(dim=0).T)
    if prior is None:
        return scores
    return scores + log_class_probability(prior, sentences, logit_scale)


def log_class_probability(prior: CategoryPrior, sentences: Tensor, logit_scale: float) -> Tensor:
    """log p(class of a box | sentence), a softmax of CLIP over the detector's classes; 1 / C for boxes without a class.

    Returns:
        [S, N].
    """
    log_probs = (logit_scale * sentences @ prior.class_embeddings.T).log_softmax(dim=1)  # [S, C]
    has_class = prior.box_classes != NO_CLASS
    uniform = -math.log(len(prior.class_embeddings))
    return torch.where(has_class, log_probs[:, prior.box_classes.clamp(min=0)], uniform)


def rank(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Ranks boxes by score, highest first; ties keep the order of the boxes.

    Args:
        scores: [S, N], logits; N >= 1.

    Returns:
        order: [S, N], int64.
        probability: [S], softmax probability of the best box.
    """
    order = scores.argsort(dim=1, descending=True, stable=True)
    # softmax() would start torch's threads even for a few boxes, and that would dominate the run time.
    best = scores.amax(dim=1, keepdim=True)
    return order, 1 / (scores - best).exp().sum(dim=1)
