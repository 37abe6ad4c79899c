"""Recall of a baseline's boxes, independent of how they are ranked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import Interval, ProposalRecall, ProposalSummary
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable
from cliprpn.metrics import HIT_IOU, RECALL_AT
from cliprpn.statistics import ImageGroups, estimate, measure


def proposal_summary(runs: Runs, table: SplitTable, level: float) -> ProposalSummary:
    """Recall of the boxes, and how many misses are due to the boxes or to the ranking.

    Every sentence is a hit, a miss of the boxes (none is a hit) or a miss of the ranking (one is a hit, but
    another is ranked first): the three fractions add up to 1.

    Args:
        runs: of a baseline, with the columns `proposal_iou_at_{1,5,10,100}` and `proposal_iou_best` (best IoU among
            the k boxes with the highest detector score, and among all) and `num_boxes` (0 if nothing was detected).
        level: confidence level.
    """
    groups = table.groups

    def fraction(mask: NDArray[np.bool_]) -> Interval:
        value = estimate(measure(mask, None, groups, has_seeds=False), level)
        return Interval(mean=value.mean, low=value.low, high=value.high)

    runs.read("proposal_iou_best", "num_boxes", *(f"proposal_iou_at_{k}" for k in RECALL_AT))
    any_hit = runs.column("proposal_iou_best") >= HIT_IOU
    num_boxes = runs.column("num_boxes")[0]
    return ProposalSummary(
        recall_at=[
            ProposalRecall(k=k, interval=fraction(runs.column(f"proposal_iou_at_{k}") >= HIT_IOU))
            for k in RECALL_AT
        ],
        best_proposal=fraction(any_hit),
        lost_by_proposals=fraction(~any_hit),
        lost_by_ranking=fraction(any_hit & ~runs.hits()),
        mean_num_boxes=_mean_over_images(num_boxes, groups),
        num_images_without=len(np.unique(groups.index[num_boxes == 0])),
        num_sentences_without=int((num_boxes == 0).sum()),
    )


def _mean_over_images(values: NDArray, groups: ImageGroups) -> float:
    """Mean over images; the values of an image's sentences are averaged first."""
    return float((np.bincount(groups.index, weights=values) / np.bincount(groups.index)).mean())
