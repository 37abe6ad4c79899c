"""How good a baseline's boxes are, apart from how they are ranked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import Interval, ProposalRecall, ProposalSummary
from cliprpn.data.predictions import PredictionColumns
from cliprpn.metrics import HIT_IOU, RECALL_AT
from cliprpn.statistics import mean_interval


def proposal_summary(columns: PredictionColumns) -> ProposalSummary:
    """Recall of the boxes alone, and which share of the misses is theirs and which the ranking's.

    A sentence is found, lost by the boxes (none of them is a hit) or lost by the ranking (one is, but
    another was ranked first): the three shares add up to 1.

    Args:
        columns: a split's rows: `iou` of the box ranked first, `proposal_iou_at_{1,5,10,100}` and
            `proposal_iou_best` (best IoU among so many of the detector's best-scoring boxes, and among
            all), `num_boxes` (ranked; 0 where nothing was detected) and `image_id`, each [S].
    """
    images = columns["image_id"]
    among_all = columns["proposal_iou_best"] >= HIT_IOU
    without = columns["num_boxes"] == 0
    return ProposalSummary(
        recall_at=[
            ProposalRecall(k=k, interval=_share(columns[f"proposal_iou_at_{k}"] >= HIT_IOU, images))
            for k in RECALL_AT
        ],
        best_proposal=_share(among_all, images),
        lost_by_proposals=_share(~among_all, images),
        lost_by_ranking=_share(among_all & (columns["iou"] < HIT_IOU), images),
        mean_num_boxes=_mean_over_images(columns["num_boxes"], images),
        num_images_without=len(np.unique(images[without])),
        num_sentences_without=int(without.sum()),
    )


def _share(chosen: NDArray[np.bool_], images: NDArray) -> Interval:
    mean, low, high = mean_interval(chosen.astype(np.float64), images)
    return Interval(mean=mean, low=low, high=high)


def _mean_over_images(values: NDArray, images: NDArray) -> float:
    """However many sentences an image has; boxes that depend on the sentence are averaged in it first."""
    _, group = np.unique(images, return_inverse=True)
    return float((np.bincount(group, weights=values) / np.bincount(group)).mean())
