"""The vectorized RPN against torchvision's RegionProposalNetwork."""

from dataclasses import replace

import pytest
import torch
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler

from cliprpn.models.anchors import make_anchors
from cliprpn.models.head import RpnHead, flatten_head
from cliprpn.models.rpn import (
    RpnRules,
    decode_boxes,
    filter_proposals,
    label_anchors,
    rpn_losses,
    sample_anchors,
    top1_boxes,
)
from cliprpn.models.rpn_torchvision import square_images, torchvision_rpn

FRAME = 640
REFERENCE = RpnRules(
    fg_iou_thresh=0.7, bg_iou_thresh=0.2, objectness_loss="sampled_bce", box_loss="over_sampled"
)
# Fewer boxes than 2 * 100 before NMS, more, and all of them.
PRE_NMS = [100, 300, 1000]


def make_case(seed: int, batch: int = 6):
    generator = torch.Generator().manual_seed(seed)
    head = RpnHead(16, 15)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    maps = torch.randn(batch, 16, 7, 7, generator=generator)
    corners = torch.rand(batch, 2, generator=generator) * 500
    sizes = torch.rand(batch, 2, generator=generator) * 400 + 5
    boxes = torch.cat([corners, (corners + sizes).clamp(max=FRAME)], dim=1)
    return head, maps, boxes


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("placement", ["corner", "center"])
@pytest.mark.parametrize("pre_nms_top_n", PRE_NMS)
def test_top1_and_proposals_equal_torchvisions(seed: int, placement: str, pre_nms_top_n: int) -> None:
    head, maps, _ = make_case(seed)
    rules = replace(REFERENCE, pre_nms_top_n=pre_nms_top_n)
    anchors = make_anchors(7, FRAME, (32, 64, 128, 256, 512), (0.5, 1.0, 2.0), placement)
    rpn = torchvision_rpn(head, anchors, 15, rules).eval()
    with torch.no_grad():
        expected, _ = rpn(square_images(len(maps), FRAME), {"0": maps})
        logits, deltas = flatten_head(*head(maps))
        boxes, _ = top1_boxes(logits, deltas, anchors, FRAME)
        all_boxes, _ = filter_proposals(logits, deltas, anchors, FRAME, rules)
    for top1_i, boxes_i, expected_i in zip(boxes, all_boxes, expected, strict=True):
        torch.testing.assert_close(
            top1_i, expected_i[0], rtol=1e-5, atol=1e-3
        )  # pixels; sums in another order
        torch.testing.assert_close(boxes_i, expected_i, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_losses_equal_torchvisions_on_the_same_sample(seed: int, monkeypatch) -> None:
    head, maps, gt_boxes = make_case(seed)
    anchors = make_anchors(7, FRAME, (32, 64, 128, 256, 512), (0.5, 1.0, 2.0), "corner")
    logits, deltas = flatten_head(*head(maps))
    sampled = sample_anchors(label_anchors(anchors, gt_boxes, REFERENCE), REFERENCE)

    def same_sample(self, labels):
        positive = [(label >= 1) & row for label, row in zip(labels, sampled, strict=True)]
        negative = [(label == 0) & row for label, row in zip(labels, sampled, strict=True)]
        return positive, negative

    monkeypatch.setattr(BalancedPositiveNegativeSampler, "__call__", same_sample)
    rpn = torchvision_rpn(head, anchors, 15, REFERENCE).train()
    _, expected = rpn(
        square_images(len(maps), FRAME), {"0": maps}, [{"boxes": box[None]} for box in gt_boxes]
    )
    objectness, box = rpn_losses(logits, deltas, anchors, gt_boxes, REFERENCE, sampled)
    torch.testing.assert_close(objectness, expected["loss_objectness"])
    torch.testing.assert_close(box, expected["loss_rpn_box_reg"])


def test_more_boxes_before_nms_only_add_boxes_and_change_no_best_box() -> None:
    anchors = make_anchors(7, FRAME, (96, 144, 208, 304, 448), (0.5, 1.0, 2.0), "center")
    fewest = 100
    for seed in range(20):
        head, maps, _ = make_case(seed)
        with torch.no_grad():
            logits, deltas = flatten_head(*head(maps))
            top1, _ = top1_boxes(logits, deltas, anchors, FRAME)
            found = [
                filter_proposals(logits, deltas, anchors, FRAME, replace(REFERENCE, pre_nms_top_n=count))[0]
                for count in PRE_NMS
            ]
        for top1_i, few, more, most in zip(top1, *found, strict=True):
            assert torch.equal(few[0], top1_i) and torch.equal(most[0], top1_i)  # To the last bit.
            assert torch.equal(few, more[: len(few)]) and torch.equal(more, most[: len(more)])
            assert len(most) == REFERENCE.post_nms_top_n
            fewest = min(fewest, len(few))
    assert fewest < REFERENCE.post_nms_top_n  # 100 before NMS are fewer after it.


def test_a_sample_is_full_and_at_most_half_of_it_is_positive() -> None:
    labels = torch.zeros(3, 735, dtype=torch.int8)
    labels[0, :300] = 1
    labels[1, :3] = 1
    sampled = sample_anchors(labels, REFERENCE)
    assert (sampled & (labels == 1)).sum(dim=1).tolist() == [128, 3, 0]
    assert sampled.sum(dim=1).tolist() == [256, 256, 256]


def test_softmax_objectness_is_lowest_on_the_positives() -> None:
    anchors = make_anchors(7, FRAME, (128, 256), (1.0,), "center")
    gt_boxes = anchors[[10, 50]]
    rules = replace(REFERENCE, objectness_loss="softmax", box_loss="over_positives", fg_iou_thresh=0.9)
    logits = torch.zeros(2, len(anchors))
    logits[[0, 1], [10, 50]] = 20.0
    deltas = torch.zeros(2, len(anchors), 4)
    good, box = rpn_losses(logits, deltas, anchors, gt_boxes, rules)
    bad, _ = rpn_losses(-logits, deltas, anchors, gt_boxes, rules)
    assert good < 1e-3 < bad
    assert box == 0  # the positive anchor equals the box


def test_proposals_that_are_empty_after_clipping_are_skipped() -> None:
    head, maps, _ = make_case(0)
    rules = replace(REFERENCE, pre_nms_top_n=100)
    with torch.no_grad():
        head.reg_offsets.weight *= 30  # Far outside the frame.
        anchors = make_anchors(7, FRAME, (32, 64, 128, 256, 512), (0.5, 1.0, 2.0), "center")
        expected, _ = torchvision_rpn(head, anchors, 15, rules).eval()(
            square_images(len(maps), FRAME), {"0": maps}
        )
        logits, deltas = flatten_head(*head(maps))
        boxes, scores = filter_proposals(logits, deltas, anchors, FRAME, rules)
    best = logits.topk(rules.pre_nms_top_n, dim=1).indices
    top_boxes = decode_boxes(deltas.gather(1, best[..., None].expand(-1, -1, 4)), anchors[best]).clamp(
        0, FRAME
    )
    assert ((top_boxes[..., 2:] - top_boxes[..., :2]) < 1e-3).any()
    for boxes_i, scores_i, expected_i in zip(boxes, scores, expected, strict=True):
        torch.testing.assert_close(boxes_i, expected_i, rtol=1e-5, atol=1e-3)
        assert len(scores_i) == len(boxes_i) and (scores_i.diff() <= 0).all()
