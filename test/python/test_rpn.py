"""The vectorized RPN against torchvision's RegionProposalNetwork."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler
from torchvision.ops import nms

from cliprpn.models import suppression
from cliprpn.models.anchors import make_anchors
from cliprpn.models.head import RpnHead, flatten_head
from cliprpn.models.rpn import (
    RpnRules,
    anchor_targets,
    decode_boxes,
    encode_boxes,
    filter_proposals,
    rpn_losses,
    sample_anchors,
    top1_boxes,
)
from cliprpn.models.rpn_torchvision import square_images, torchvision_rpn
from cliprpn.models.suppression import suppress_each_row, suppress_rows_together

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
    targets = anchor_targets(anchors, gt_boxes, REFERENCE)
    sampled = sample_anchors(targets.positive, targets.negative, REFERENCE)

    def same_sample(self, labels):
        positive = [(label >= 1) & row for label, row in zip(labels, sampled, strict=True)]
        negative = [(label == 0) & row for label, row in zip(labels, sampled, strict=True)]
        return positive, negative

    monkeypatch.setattr(BalancedPositiveNegativeSampler, "__call__", same_sample)
    rpn = torchvision_rpn(head, anchors, 15, REFERENCE).train()
    _, expected = rpn(
        square_images(len(maps), FRAME), {"0": maps}, [{"boxes": box[None]} for box in gt_boxes]
    )
    objectness, box = rpn_losses(logits, deltas, targets, REFERENCE, sampled)
    torch.testing.assert_close(objectness, expected["loss_objectness"])
    torch.testing.assert_close(box, expected["loss_rpn_box_reg"])


def plain_losses(
    logits: Tensor, deltas: Tensor, anchors: Tensor, gt_boxes: Tensor, rules: RpnRules, sampled: Tensor
) -> tuple[Tensor, Tensor]:
    """The same losses from the anchors that count, selected by their index."""
    targets = anchor_targets(anchors, gt_boxes, rules)
    positive, used = targets.positive, targets.positive | targets.negative
    if rules.objectness_loss == "softmax":
        rows = zip(logits, positive, used, strict=True)
        objectness = torch.stack(
            [
                logits_i[used_i].logsumexp(0) - logits_i[positive_i].mean()
                for logits_i, positive_i, used_i in rows
            ]
        ).mean()
    else:
        positive, used = positive & sampled, sampled
        objectness = functional.binary_cross_entropy_with_logits(logits[used], positive[used].float())
    row, anchor = positive.nonzero(as_tuple=True)
    expected = encode_boxes(gt_boxes[row], anchors[anchor])
    box = functional.smooth_l1_loss(deltas[row, anchor], expected, beta=1 / 9, reduction="sum")
    return objectness, box / max(1, len(row) if rules.box_loss == "over_positives" else int(used.sum()))


@pytest.mark.parametrize("objectness_loss", ["softmax", "sampled_bce"])
@pytest.mark.parametrize("box_loss", ["over_positives", "over_sampled"])
def test_losses_of_fixed_shapes_equal_those_of_the_selected_anchors(
    objectness_loss: str, box_loss: str
) -> None:
    anchors = make_anchors(7, FRAME, (96, 144, 208, 304, 448), (0.5, 1.0, 2.0), "center")
    rules = replace(RpnRules(), objectness_loss=objectness_loss, box_loss=box_loss)
    for seed in range(5):
        head, maps, gt_boxes = make_case(seed)
        targets = anchor_targets(anchors, gt_boxes, rules)
        sampled = sample_anchors(targets.positive, targets.negative, rules)
        assert not (targets.positive | targets.negative).all()  # Some are neither.
        results = []
        for is_plain in (False, True):
            outputs = [output.detach().requires_grad_() for output in flatten_head(*head(maps))]
            objectness, box = (
                plain_losses(*outputs, anchors, gt_boxes, rules, sampled)
                if is_plain
                else rpn_losses(*outputs, targets, rules, sampled)
            )
            (objectness + 2 * box).backward()
            results.append([objectness, box, *(output.grad for output in outputs)])
        for found, expected in zip(*results, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)
        assert results[0][1] > 1e-3  # A box loss far above the tolerance.


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


@pytest.mark.parametrize("per_call", [1, 700, 30_000])
@pytest.mark.parametrize("spread", [20, 2000])
def test_suppressing_rows_together_equals_suppressing_each(
    monkeypatch: pytest.MonkeyPatch, per_call: int, spread: int
) -> None:
    """Of crowded boxes few remain, so that more are looked at; of spread ones the first are enough."""
    monkeypatch.setattr(suppression, "MAX_BOXES_PER_CALL", per_call)
    generator = torch.Generator().manual_seed(spread)
    corners = torch.rand(5, 300, 2, generator=generator) * spread
    sizes = 20 + torch.rand(5, 300, 2, generator=generator) * 80
    sizes[torch.rand(5, 300, generator=generator) < 0.1] *= 1e-6  # Invalid.
    sizes[4] = 0
    boxes = torch.cat([corners, corners + sizes], dim=2)
    scores = torch.randn(5, 300, generator=generator).sort(dim=1, descending=True).values
    scores[:, 20:23] = scores[:, 20:21]  # Equal scores: the first counts.
    valid = (sizes >= 1e-3).all(dim=2)
    assert 0 < valid[0].sum() < 300 and not valid[4].any()
    together = suppress_rows_together(boxes, scores, valid, 50, 0.5)
    each = suppress_each_row(boxes, scores, valid, 50, 0.5)
    for found, expected in zip(together, each, strict=True):
        assert torch.equal(found, expected)
    # Among the first 100 boxes, of which 50 are looked for, too few remain if they are crowded.
    few = [len(nms(boxes[row, :100], scores[row, :100], 0.5)) < 50 for row in range(4)]
    assert all(few) if spread == 20 else not any(few)


def test_a_sample_is_full_and_at_most_half_of_it_is_positive() -> None:
    labels = torch.zeros(3, 735, dtype=torch.int8)
    labels[0, :300] = 1
    labels[1, :3] = 1
    sampled = sample_anchors(labels == 1, labels == 0, REFERENCE)
    assert (sampled & (labels == 1)).sum(dim=1).tolist() == [128, 3, 0]
    assert sampled.sum(dim=1).tolist() == [256, 256, 256]


def test_softmax_objectness_is_lowest_on_the_positives() -> None:
    anchors = make_anchors(7, FRAME, (128, 256), (1.0,), "center")
    gt_boxes = anchors[[10, 50]]
    rules = replace(REFERENCE, objectness_loss="softmax", box_loss="over_positives", fg_iou_thresh=0.9)
    logits = torch.zeros(2, len(anchors))
    logits[[0, 1], [10, 50]] = 20.0
    deltas = torch.zeros(2, len(anchors), 4)
    targets = anchor_targets(anchors, gt_boxes, rules)
    good, box = rpn_losses(logits, deltas, targets, rules)
    bad, _ = rpn_losses(-logits, deltas, targets, rules)
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
