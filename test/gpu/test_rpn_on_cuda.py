"""On CUDA, the vectorized RPN equals torchvision's in the cases of test_rpn.py, and recorded outputs are reproduced."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_golden import FILES
from test_rpn import FRAME, REFERENCE, make_case
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler

from cliprpn.inference.golden import check_golden
from cliprpn.models.anchors import make_anchors
from cliprpn.models.head import flatten_head
from cliprpn.models.rpn import anchor_targets, filter_proposals, rpn_losses, sample_anchors, top1_boxes
from cliprpn.models.rpn_torchvision import square_images, torchvision_rpn

SCALES, RATIOS = (32, 64, 128, 256, 512), (0.5, 1.0, 2.0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("placement", ["corner", "center"])
def test_top1_and_proposals_equal_torchvisions(device: torch.device, seed: int, placement: str) -> None:
    head, maps, _ = make_case(seed)
    head, maps = head.to(device), maps.to(device)
    anchors = make_anchors(7, FRAME, SCALES, RATIOS, placement).to(device)
    with torch.no_grad():
        outputs = head(maps)  # Called once: two convolutions may differ in their last bits.
        rpn = torchvision_rpn(lambda _: outputs, anchors, 15, REFERENCE).to(device).eval()
        expected, _ = rpn(square_images(len(maps), FRAME), {"0": maps})
        logits, deltas = flatten_head(*outputs)
        boxes, _ = top1_boxes(logits, deltas, anchors, FRAME)
        all_boxes, _ = filter_proposals(logits, deltas, anchors, FRAME, REFERENCE)
    for box, boxes_i, expected_i in zip(boxes, all_boxes, expected, strict=True):
        assert box.device == expected_i.device == device
        torch.testing.assert_close(
            box, expected_i[0], rtol=1e-5, atol=1e-3
        )  # pixels; different order of sums
        torch.testing.assert_close(boxes_i, expected_i, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_losses_equal_torchvisions_on_the_same_sample(
    device: torch.device, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, maps, gt_boxes = make_case(seed)
    maps, gt_boxes = maps.to(device), gt_boxes.to(device)
    outputs = head.to(device)(maps)
    anchors = make_anchors(7, FRAME, SCALES, RATIOS, "corner").to(device)
    generator = torch.Generator(device).manual_seed(seed)
    targets = anchor_targets(anchors, gt_boxes, REFERENCE)
    sampled = sample_anchors(targets.positive, targets.negative, REFERENCE, generator)
    assert sampled.sum(dim=1).tolist() == [REFERENCE.batch_size_per_image] * len(maps)

    def same_sample(self: object, labels: list[torch.Tensor]) -> object:
        positive = [(label >= 1) & row for label, row in zip(labels, sampled, strict=True)]
        negative = [(label == 0) & row for label, row in zip(labels, sampled, strict=True)]
        return positive, negative

    monkeypatch.setattr(BalancedPositiveNegativeSampler, "__call__", same_sample)
    rpn = torchvision_rpn(lambda _: outputs, anchors, 15, REFERENCE).to(device).train()
    _, losses = rpn(square_images(len(maps), FRAME), {"0": maps}, [{"boxes": box[None]} for box in gt_boxes])
    objectness, box = rpn_losses(*flatten_head(*outputs), targets, REFERENCE, sampled)
    torch.testing.assert_close(objectness, losses["loss_objectness"])
    torch.testing.assert_close(box, losses["loss_rpn_box_reg"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_recorded_outputs_are_those_of_the_device(device: torch.device, file: Path) -> None:
    rows = check_golden([file], device)
    assert {row.output for row in rows} >= {"fused", "objectness_logits", "top1_xyxy", "loss_rpn_box_reg"}
    assert [row for row in rows if not row.ok] == []
