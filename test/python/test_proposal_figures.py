"""Misses of a baseline that are due to its boxes, and those that are due to its ranking."""

from __future__ import annotations

import numpy as np
import pytest

from cliprpn.contract.generated import ProposalSummary
from cliprpn.data.predictions import PredictionColumns
from cliprpn.figures.proposal_figures import proposal_summary
from cliprpn.metrics import HIT_IOU
from cliprpn.statistics import ImageGroups


def made_columns(**changes: list[float]) -> PredictionColumns:
    """Two sentences on each of three images; nothing was detected in the third."""
    columns = {
        "image_id": [4, 4, 9, 9, 2, 2],
        "num_boxes": [12, 12, 3, 3, 0, 0],
        "iou": [0.9, 0.1, 0.5, 0.2, 0.6, 0.1],
        "proposal_iou_at_1": [0.0, 0.1, 0.5, 0.2, 0.6, 0.1],
        "proposal_iou_at_5": [0.4, 0.1, 0.5, 0.3, 0.6, 0.1],
        "proposal_iou_at_10": [0.9, 0.7, 0.5, 0.3, 0.6, 0.1],
        "proposal_iou_at_100": [0.9, 0.8, 0.5, 0.3, 0.6, 0.1],
        "proposal_iou_best": [0.9, 0.8, 0.5, 0.3, 0.6, 0.1],
    }
    return {name: np.array(values) for name, values in (columns | changes).items()}


def summary_of(columns: PredictionColumns) -> ProposalSummary:
    return proposal_summary(columns, ImageGroups(columns["image_id"]), 0.95)


def test_every_miss_is_due_to_the_boxes_or_the_ranking() -> None:
    columns = made_columns()
    accuracy = (columns["iou"] >= HIT_IOU).mean()
    summary = summary_of(columns)
    assert accuracy == 3 / 6
    assert summary.lost_by_ranking.mean == pytest.approx(1 / 6)
    assert summary.lost_by_proposals.mean == pytest.approx(2 / 6)
    assert summary.best_proposal.mean == pytest.approx(4 / 6)


def test_recall_uses_the_detectors_order() -> None:
    recall = {entry.k: entry.interval.mean for entry in summary_of(made_columns()).recall_at}
    assert recall == pytest.approx({1: 2 / 6, 5: 2 / 6, 10: 4 / 6, 100: 4 / 6})


def test_images_without_boxes_are_counted_with_their_sentences() -> None:
    summary = summary_of(made_columns())
    assert (summary.num_images_without, summary.num_sentences_without) == (1, 2)


def test_boxes_are_averaged_over_images_not_sentences() -> None:
    columns = made_columns(image_id=[4, 4, 4, 4, 4, 2], num_boxes=[10, 10, 10, 20, 10, 4])
    assert summary_of(columns).mean_num_boxes == pytest.approx((12 + 4) / 2)
