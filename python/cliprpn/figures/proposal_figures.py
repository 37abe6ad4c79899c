"""Recall of a baseline's boxes, independent of how they are ranked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import Interval, ProposalRecall, ProposalSummary
from cliprpn.data.predictions import PredictionColumns
from cliprpn.metrics import HIT_IOU, RECALL_AT
from cliprpn.statistics import mean_interval


def proposal_summary(columns: PredictionColumns) -> ProposalSummary:
    """Recall of the boxes, and how many misses are due to the boxes or to the ranking.

    Every sentence is a hit, a miss of the boxes (none is a hit) or a miss of the ranking (one is a hit, but
    another is ranked first): the three fractions add up to 1.

    Args:
        columns: rows of a split: `iou` of the box ranked first, `proposal_iou_at_{1,5,10,100}` and
            `proposal_iou_best` (best IoU among the k boxes with the highest detector score, and among
            all), `num_boxes` (0 if nothing was detected) and `image_id`, each [S].
    """
    images = columns["image_id"]
    any_hit = columns["proposal_iou_best"] >= HIT_IOU
    without_boxes = columns["num_boxes"] == 0
    return ProposalSummary(
        recall_at=[
            ProposalRecall(k=k, interval=_fraction(columns[f"proposal_iou_at_{k}"] >= HIT_IOU, images))
            for k in RECALL_AT
        ],
        best_proposal=_fraction(any_hit, images),
        lost_by_proposals=_fraction(~any_hit, images),
        lost_by_ranking=_fraction(any_hit & (columns["iou"] < HIT_IOU), images),
        mean_num_boxes=_mean_over_images(columns["num_boxes"], images),
        num_images_without=len(np.unique(images[without_boxes])),
        num_sentences_without=int(without_boxes.sum()),
    )


def _fraction(mask: NDArray[np.bool_], images: NDArray) -> Interval:
    return Interval(**mean_interval(mask.astype(np.float64), images)._asdict())


def _mean_over_images(values: NDArray, images: NDArray) -> float:
    """Mean over images; the values of an image's sentences are averaged first."""
    _, group = np.unique(images, return_inverse=True)
    return float((np.bincount(group, weights=values) / np.bincount(group)).mean())
