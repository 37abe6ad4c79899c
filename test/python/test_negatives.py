"""The loss on other objects of the image: its value, its gradient, and trials with and without it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import make_spec
from torch import Tensor
from torchvision.ops import box_iou

from cliprpn.contract.generated import ClipRpnSpec, CompletedOutcome
from cliprpn.models import cliprpn as cliprpn_module
from cliprpn.models.anchors import make_anchors
from cliprpn.models.negatives import negatives_loss
from cliprpn.models.rpn import RpnRules, anchor_targets
from cliprpn.trials import training
from cliprpn.trials.trial import run_trial

pytestmark = pytest.mark.usefixtures("no_traces")

FRAME = 640.0
RULES = RpnRules(fg_iou_thresh=0.5, bg_iou_thresh=0.4)
ANCHORS = make_anchors(7, 640, (96, 144, 208, 304, 448), (0.5, 1, 2), "center")
LEFT, RIGHT, BOTTOM = [40.0, 60, 220, 250], [380.0, 300, 600, 560], [30.0, 400, 250, 620]


def positives_of(gt_boxes: Tensor) -> Tensor:
    """[B, N], bool."""
    return anchor_targets(ANCHORS, gt_boxes, RULES).positive


def slow_loss(logits: Tensor, gt_boxes: Tensor, negatives: Tensor, mask: Tensor) -> float:
    """The same loss with loops over sentences, negatives and anchors."""
    losses = []
    for row in range(len(logits)):
        true = positives_of(gt_boxes[row : row + 1])[0].nonzero()[:, 0].tolist()
        scores = []
        for box, is_negative in zip(negatives[row], mask[row].tolist(), strict=True):
            iou = box_iou(box[None], ANCHORS)[0].tolist()
            anchor_ids = [
                n for n in range(len(ANCHORS)) if iou[n] >= RULES.fg_iou_thresh or iou[n] == max(iou)
            ]
            anchor_ids = [n for n in anchor_ids if n not in true]
            if is_negative and anchor_ids:
                scores.append(math.log(sum(math.exp(logits[row, n]) for n in anchor_ids)))
        if scores:
            truth = math.log(sum(math.exp(logits[row, n]) for n in true))
            losses.append(math.log(sum(map(math.exp, [truth, *scores]))) - truth)
    return sum(losses) / max(1, len(losses))


def random_boxes(generator: torch.Generator, *shape: int) -> Tensor:
    corners = torch.rand(*shape, 2, generator=generator) * 400
    return torch.cat([corners, corners + 40 + torch.rand(*shape, 2, generator=generator) * 190], dim=-1)


@pytest.mark.parametrize("seed", range(4))
def test_the_loss_is_the_cross_entropy_of_selecting_the_object(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(6, len(ANCHORS), generator=generator) * 3
    gt_boxes, negatives = random_boxes(generator, 6), random_boxes(generator, 6, 4)
    mask = torch.rand(6, 4, generator=generator) < 0.5
    mask[2] = False  # Sentences without negatives are excluded.
    negatives[4, 0], mask[4, 0] = gt_boxes[4], True  # So are negatives that equal the object.
    loss = negatives_loss(logits, ANCHORS, positives_of(gt_boxes), negatives, mask, RULES)
    assert loss.item() == pytest.approx(slow_loss(logits, gt_boxes, negatives, mask), rel=1e-5)
    assert loss > 0.01


def gradient(gt_box: list[float], negatives: list[list[float]], mask: list[bool]) -> tuple[Tensor, Tensor]:
    """Gradient of the loss with respect to equal logits, [N], and the loss."""
    logits = torch.zeros(1, len(ANCHORS), requires_grad=True)
    boxes = torch.tensor(negatives).reshape(1, -1, 4)
    is_negative = torch.tensor([mask], dtype=torch.bool)
    loss = negatives_loss(logits, ANCHORS, positives_of(torch.tensor([gt_box])), boxes, is_negative, RULES)
    loss.backward()
    assert logits.grad is not None
    return logits.grad[0], loss.detach()


def test_gradient_descent_raises_the_object_and_lowers_the_negatives() -> None:
    slope, _ = gradient(LEFT, [RIGHT, BOTTOM], [True, False])
    assert (slope[positives_of(torch.tensor([LEFT]))[0]] < 0).all()  # Gradient descent raises these logits.
    assert (slope[positives_of(torch.tensor([RIGHT]))[0]] > 0).all()
    rest = ~(positives_of(torch.tensor([LEFT]))[0] | positives_of(torch.tensor([RIGHT]))[0])
    assert (slope[rest] == 0).all()  # Neither background nor masked negatives.
    assert slope.sum().item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("negatives", "mask"),
    [
        ([RIGHT], [False]),
        ([LEFT], [True]),  # All of its anchors belong to the object.
        ([[0.0, 0, 0, 0]], [False]),
        ([], []),
    ],
)
def test_without_negatives_loss_and_gradient_are_zero(negatives: list[list[float]], mask: list[bool]) -> None:
    slope, loss = gradient(LEFT, negatives, mask)
    assert loss == 0 and (slope == 0).all()


def test_shared_anchors_belong_to_the_object() -> None:
    shifted = [side + 25 for side in LEFT]
    both = positives_of(torch.tensor([LEFT]))[0] & positives_of(torch.tensor([shifted]))[0]
    assert both.any() and (positives_of(torch.tensor([shifted]))[0] & ~both).any()
    slope, _ = gradient(LEFT, [shifted], [True])
    assert (slope[both] < 0).all()
    assert (slope[positives_of(torch.tensor([shifted]))[0] & ~both] > 0).all()


def test_large_logits_stay_finite() -> None:
    logits = torch.full((2, len(ANCHORS)), 1e4)
    logits[1] *= -1
    logits.requires_grad_()
    boxes, mask = torch.tensor([[RIGHT], [RIGHT]]), torch.tensor([[True], [True]])
    loss = negatives_loss(logits, ANCHORS, positives_of(torch.tensor([LEFT, LEFT])), boxes, mask, RULES)
    loss.backward()
    assert loss.isfinite() and logits.grad is not None and logits.grad.isfinite().all()


def spec_of(root: Path, weight: float) -> ClipRpnSpec:
    return make_spec(root, root.parent, rpn={"negatives_loss_weight": weight})


def outcome_of(spec: ClipRpnSpec, folder: Path) -> CompletedOutcome:
    outcome = run_trial(spec, folder, lambda event: None, lambda: False)
    assert isinstance(outcome, CompletedOutcome), outcome
    return outcome


def test_negatives_change_what_a_trial_learns(root: Path, tmp_path: Path) -> None:
    """Every image of the small dataset has two objects of the same category."""
    without, with_them = (outcome_of(spec_of(root, weight), tmp_path / str(weight)) for weight in (0, 1))
    first, second = without.epochs[0], with_them.epochs[0]
    # With random weights, choosing between two objects costs about log 2.
    assert 0.2 < second.loss_objectness - first.loss_objectness < 1.5
    weights = [(tmp_path / name / "last.safetensors").read_bytes() for name in ("0", "1")]
    assert weights[0] != weights[1]


def test_with_weight_zero_negatives_are_not_computed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: Any) -> None:
        raise AssertionError("negatives were computed")

    monkeypatch.setattr(training, "ImageObjects", never)
    monkeypatch.setattr(cliprpn_module, "negatives_loss", never)
    outcome_of(spec_of(root, 0), tmp_path / "without")
    with pytest.raises(AssertionError, match="negatives were computed"):  # The test can fail.
        training.ImageObjects(None)  # type: ignore[arg-type]
    failed = run_trial(spec_of(root, 1), tmp_path / "with", lambda event: None, lambda: False)
    assert failed.state == "failed" and "negatives were computed" in failed.error.message
