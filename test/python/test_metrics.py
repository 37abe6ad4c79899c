"""Every metric on boxes whose value can be computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cliprpn.boxes import box_iou_paired, clip_boxes
from cliprpn.figures.floors import constant_iou, fit_constant_box
from cliprpn.inference.predict import all_to_image_clipped, prediction_columns
from cliprpn.metrics import pair_hits, pair_rows, sentence_figures, split_metrics

IMAGE = torch.tensor([[100.0, 50.0]], dtype=torch.float64)
# Squashed to a square of 50, in a frame of 100 that is twice as high as the image: y halves on the way back.
SQUASHED, ZOOM = torch.tensor([[0.5, 1.0, 0.0, 0.0]], dtype=torch.float64), 2.0


def prediction(gt_box: list[float], *proposals: list[float]) -> dict[str, Any]:
    """The row of one sentence; proposals are in the frame, the ground truth is in the image."""
    boxes = torch.tensor(proposals, dtype=torch.float32).reshape(-1, 4)
    gt_boxes = torch.tensor([gt_box], dtype=torch.float64)
    boxes_in_image = all_to_image_clipped([boxes], SQUASHED, IMAGE, ZOOM)
    columns = prediction_columns(boxes_in_image, torch.tensor([0.5]), gt_boxes)
    return {name: values[0] for name, values in columns.items()}


@pytest.mark.parametrize(
    ("name", "gt_box", "proposal", "iou", "pointing"),
    [
        ("the same", [10, 10, 30, 20], [10, 20, 30, 40], 1.0, True),
        ("half of it", [0, 0, 20, 20], [0, 0, 10, 40], 0.5, True),
        ("apart", [0, 0, 20, 20], [50, 0, 60, 40], 0.0, False),
        ("touching", [0, 0, 20, 20], [20, 0, 40, 40], 0.0, False),
        ("inside", [0, 0, 20, 20], [5, 10, 15, 30], 100 / 400, True),
        ("around", [40, 20, 60, 30], [30, 20, 70, 80], 200 / 1200, True),
        ("overlapping", [0, 0, 20, 10], [12, 10, 32, 30], 40 / 360, False),
        ("no +1: a point has no area", [5, 5, 6, 6], [5, 10, 5, 12], 0.0, False),
        ("clipped to the image", [80, 30, 100, 50], [80, 60, 140, 160], 1.0, True),
        ("seven tenths", [0, 0, 10, 10], [0, 0, 7, 20], 0.7, True),
    ],
)
def test_iou_and_center_accuracy(
    name: str, gt_box: list[float], proposal: list[float], iou: float, pointing: bool
) -> None:
    row = prediction(gt_box, proposal)
    assert row["iou"] == pytest.approx(iou, abs=1e-15), name
    assert row["pointing"] == pointing, name
    assert row["intersection"] / row["union"] == pytest.approx(iou, abs=1e-15)


def test_recall_uses_the_best_of_the_first_k() -> None:
    miss, near, hit = [50, 0, 60, 20], [0, 0, 20, 20], [0, 0, 20, 40]
    row = prediction([0, 0, 20, 20], miss, *[miss] * 4, near, *[miss] * 4, hit)
    assert (row["iou"], row["iou_at_5"], row["iou_at_10"], row["iou_at_100"]) == (0, 0, 0.5, 1)
    assert prediction([0, 0, 20, 20], near)["iou_at_100"] == 0.5  # fewer proposals than k


def test_no_proposal_is_a_miss() -> None:
    row = prediction([0, 0, 20, 20])
    assert (row["iou"], row["iou_at_100"], row["pred_box_xyxy"].tolist()) == (0, 0, [0, 0, 0, 0])


def columns(**values: Any) -> dict[str, Any]:
    """Columns of a split; a missing one is a hit everywhere."""
    count = len(values["iou"])
    ones = np.ones(count)
    rest = {"iou_at_5": ones, "iou_at_10": ones, "iou_at_100": ones, "pointing": ones, "union": ones}
    return {
        **rest,
        "intersection": np.asarray(values["iou"]),
        "pair_id": np.full(count, -1),
        "image_id": np.arange(count),
        **{name: np.asarray(column) for name, column in values.items()},
    }


def test_accuracies_include_their_threshold() -> None:
    iou = [0.0, 0.2499, 0.25, 0.4999, 0.5, 0.7, 0.75, 0.9, 1.0, 1.0]
    metrics = split_metrics(columns(iou=iou))
    assert (metrics["acc_at_25"], metrics["acc_at_50"], metrics["acc_at_75"], metrics["acc_at_90"]) == (
        0.8,
        0.6,
        0.4,
        0.3,
    )
    assert metrics["recall_at_1"] == metrics["acc_at_50"]
    assert metrics["miou"] == pytest.approx(sum(iou) / 10)


@pytest.mark.parametrize("step", range(10))
def test_macc_is_the_mean_over_ten_thresholds_including_each(step: int) -> None:
    iou = (50 + 5 * step) / 100
    assert sentence_figures(columns(iou=[iou]))["macc"][0] == pytest.approx((step + 1) / 10)
    just_below = sentence_figures(columns(iou=[np.nextafter(iou, 0)]))
    assert just_below["macc"][0] == pytest.approx(step / 10)


def test_an_iou_below_one_half_adds_nothing_to_macc() -> None:
    figures = sentence_figures(columns(iou=[0.5 - 1e-12]))
    assert (figures["acc_at_50"][0], figures["macc"][0]) == (0, 0)


def test_boxes_that_reach_a_threshold_exactly_are_hits() -> None:
    # An IoU of 0.9, then 0.75, computed from boxes.
    for width, name in ((9, "acc_at_90"), (7.5, "acc_at_75")):
        row = prediction([0, 0, 10, 10], [0, 0, width, 20])
        assert sentence_figures({key: np.array([value]) for key, value in row.items()})[name] == [1.0]


def test_oiou_is_weighted_by_area_and_miou_is_not() -> None:
    metrics = split_metrics(columns(iou=[1.0, 0.0], intersection=[900.0, 0.0], union=[900.0, 100.0]))
    assert (metrics["oiou"], metrics["miou"]) == (0.9, 0.5)


def test_recalls_and_pointing() -> None:
    metrics = split_metrics(
        columns(
            iou=[0.1, 0.6],
            iou_at_5=[0.49, 0.6],
            iou_at_10=[0.5, 0.6],
            iou_at_100=[0.8, 0.6],
            pointing=[True, False],
        )
    )
    assert [metrics[f"recall_at_{k}"] for k in (1, 5, 10, 100)] == [0.5, 0.5, 1.0, 1.0]
    assert metrics["pointing"] == 0.5


def test_a_pair_is_correct_if_both_sentences_are_hits() -> None:
    pair_id = np.array([7, -1, 3, 7, 3, -1, 9, 9, 5])  # id 5 occurs once only
    iou = np.array([0.9, 0.0, 0.6, 0.5, 0.4999, 1.0, 0.1, 0.2, 1.0])
    assert pair_rows(pair_id).tolist() == [[2, 4], [0, 3], [6, 7]]
    assert pair_hits(iou, pair_rows(pair_id)).tolist() == [0, 1, 0]
    metrics = split_metrics(columns(iou=iou, pair_id=pair_id))
    assert metrics["pair_accuracy"] == pytest.approx(1 / 3)
    assert split_metrics(columns(iou=[1.0]))["pair_accuracy"] is None


def test_three_rows_with_one_pair_id_are_no_pair() -> None:
    assert pair_rows(np.array([4, 4, 4, 8, 8, -1, -1])).tolist() == [[3, 4]]


def test_boxes_are_clipped_to_the_image() -> None:
    assert clip_boxes(torch.tensor([[-5.0, -5, 500, 500]]), torch.tensor([[30.0, 20]])).tolist() == [
        [0, 0, 30, 20]
    ]


def test_two_empty_boxes_have_no_overlap() -> None:
    empty = torch.tensor([[5.0, 5, 5, 5]])
    assert box_iou_paired(empty, empty).tolist() == [0.0]


def test_the_constant_box_is_the_best_one() -> None:
    rng = np.random.default_rng(0)
    center, size = rng.uniform(0.3, 0.7, (400, 2)), rng.uniform(0.1, 0.3, (400, 2))
    gt_box = np.clip(np.concatenate([center - size, center + size], axis=1), 0, 1)

    def mean_iou(box: np.ndarray) -> float:
        return float(constant_iou(box, gt_box * 1000, np.full((400, 2), 1000.0)).mean())

    box = fit_constant_box(gt_box)
    assert np.array_equal(box, fit_constant_box(gt_box))
    grid = np.linspace(0.05, 0.95, 19)
    best = max(
        mean_iou(np.array([x1, y1, x2, y2]))
        for x1 in grid[3:9]
        for y1 in grid[3:9]
        for x2 in grid[10:16]
        for y2 in grid[10:16]
    )
    assert mean_iou(box) >= best - 1e-3
    whole = constant_iou(np.array([0.0, 0, 1, 1]), gt_box * 1000, np.full((400, 2), 1000.0))
    np.testing.assert_allclose(whole, (gt_box[:, 2] - gt_box[:, 0]) * (gt_box[:, 3] - gt_box[:, 1]))
