"""Recall of a baseline's boxes, independent of how they are ranked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import Interval, ProposalRecall, ProposalSummary
from cliprpn.figures.intervals import mean_interval
from cliprpn.metrics import HIT_IOU, RECALL_AT
from cliprpn.statistics import ImageGroups

# Of the predictions of a baseline; best IoU among the k boxes with the highest detector score, and among all.
PROPOSAL_COLUMNS = ("iou", "num_boxes", "proposal_iou_best", *(f"proposal_iou_at_{k}" for k in RECALL_AT))


def proposal_summary(columns: dict[str, NDArray], groups: ImageGroups, level: float) -> ProposalSummary:
    """Recall of the boxes, and how many misses are due to the boxes or to the ranking.

    Every sentence is a hit, a miss of the boxes (none is a hit) or a miss of the ranking (one is a hit, but
    another is ranked first): the three fractions add up to 1.

    Args:
        columns: `PROPOSAL_COLUMNS`, each [S]; `num_boxes` is 0 if nothing was detected.
        groups: the image of each row.
        level: confidence level.
    """

    def fraction(mask: NDArray[np.bool_]) -> Interval:
        return mean_interval(mask, groups, has_seeds=False, level=level)

    any_hit = columns["proposal_iou_best"] >= HIT_IOU
    num_boxes = columns["num_boxes"]
    return ProposalSummary(
        recall_at=[
            ProposalRecall(k=k, interval=fraction(columns[f"proposal_iou_at_{k}"] >= HIT_IOU))
            for k in RECALL_AT
        ],
        best_proposal=fraction(any_hit),
        lost_by_proposals=fraction(~any_hit),
        lost_by_ranking=fraction(any_hit & (columns["iou"] < HIT_IOU)),
        mean_num_boxes=_mean_over_images(num_boxes, groups),
        num_images_without=len(np.unique(groups.index[num_boxes == 0])),
        num_sentences_without=int((num_boxes == 0).sum()),
    )


def _mean_over_images(values: NDArray, groups: ImageGroups) -> float:
    """Mean over images; the values of an image's sentences are averaged first."""
    return float((np.bincount(groups.index, weights=values) / np.bincount(groups.index)).mean())
