"""ClipRPN on frozen features: neck, fusion and region proposal head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from cliprpn.models.anchors import Placement, make_anchors
from cliprpn.models.fusion.switched import SwitchedFusion
from cliprpn.models.head import RpnHead, flatten_head
from cliprpn.models.negatives import count_contrasted, negatives_loss
from cliprpn.models.rpn import (
    AnchorTargets,
    BatchTotals,
    RpnRules,
    anchor_targets,
    batch_totals,
    filter_proposals,
    rpn_losses,
    top1_boxes,
)
from cliprpn.models.sharing import per_sentence


class ClipRPN(nn.Module):
    """Grounds a referring expression in an image; both are given as features of the frozen CLIP.

    Args:
        fusion: its input and output maps have `neck_channels` (or `map_channels`) channels.
        map_channels: channels of CLIP's feature map.
        neck_channels: channels after the 1x1 projection before the fusion; None for no projection.
        rules: labels, losses and proposals.
        grid_size: cells along a side of the feature map.
        frame_size_px: side of the frame that all boxes refer to.
        scales_px, ratios, placement: anchors, see `make_anchors`.

    Example:
        >>> from cliprpn.models import ClipRPN, RpnRules, SwitchedFusion
        >>> model = ClipRPN(SwitchedFusion(64, 32, 48), 512, 64, RpnRules())
        >>> feature_map, words = torch.rand(2, 512, 7, 7), torch.rand(2, 9, 48)
        >>> mask, pooled = torch.ones(2, 9, dtype=torch.bool), torch.rand(2, 32)
        >>> boxes, scores = model.predict_top1(feature_map, words, mask, pooled)
        >>> boxes.shape
        torch.Size([2, 4])
    """

    anchors: Tensor

    def __init__(
        self,
        fusion: nn.Module,
        map_channels: int,
        neck_channels: int | None,
        rules: RpnRules,
        grid_size: int = 7,
        frame_size_px: int = 640,
        scales_px: Sequence[float] = (32, 64, 128, 256, 512),
        ratios: Sequence[float] = (0.5, 1.0, 2.0),
        placement: Placement = "center",
    ) -> None:
        super().__init__()
        channels = neck_channels or map_channels
        self.neck = None if neck_channels is None else nn.Conv2d(map_channels, neck_channels, 1)
        self.fusion_module = fusion
        self.head = RpnHead(channels, len(scales_px) * len(ratios))
        self.rules = rules
        self.frame_size_px = frame_size_px
        anchors = make_anchors(grid_size, frame_size_px, scales_px, ratios, placement)
        self.register_buffer("anchors", anchors, persistent=False)

    def forward(
        self, feature_map: Tensor, words: Tensor, mask: Tensor, pooled: Tensor, map_of: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Objectness logits [B, N] and offsets [B, N, 4], in the anchors' order.

        Args:
            feature_map: [B, C, h, w]; with `map_of`, [M, C, h, w].
            words: [B, L, Dw].
            mask: [B, L], True for tokens, False for padding.
            pooled: [B, Dp].
            map_of: [B], int64, the map of each sentence; None if map i belongs to sentence i.
        """
        if self.neck is not None:
            feature_map = self.neck(feature_map)
        if isinstance(self.fusion_module, SwitchedFusion):
            fused = self.fusion_module(feature_map, words, mask, pooled, map_of)
        else:  # Fusions of others have four arguments, and a map for every sentence.
            fused = self.fusion_module(per_sentence(feature_map, map_of), words, mask, pooled)
        return flatten_head(*self.head(fused))

    @torch.no_grad()
    def targets(self, gt_boxes: Tensor) -> AnchorTargets:
        """What `losses` compares the outputs with.

        Args:
            gt_boxes: [B, 4], xyxy, pixels of the frame.
        """
        return anchor_targets(self.anchors, gt_boxes, self.rules)

    def losses(
        self,
        outputs: tuple[Tensor, Tensor],
        targets: AnchorTargets,
        generator: torch.Generator | None = None,
        negatives: tuple[Tensor, Tensor] | None = None,
        totals: BatchTotals | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Objectness loss and weighted box loss, two scalars; the total loss is their sum.

        Args:
            outputs: what `forward` returned.
            targets: what `targets` returned.
            generator: for sampling anchors.
            negatives: objects that the sentences do not refer to, [B, M, 4], xyxy, pixels of the frame, and their mask
                [B, M]; their weighted loss is added to the objectness loss.
            totals: of the batch that this is a part of, from `totals`; the losses of all parts add up to its losses.
        """
        logits, deltas = (output.float() for output in outputs)
        objectness_loss, box_loss = rpn_losses(
            logits, deltas, targets, self.rules, generator=generator, totals=totals
        )
        if negatives is not None and self.rules.negatives_loss_weight > 0:
            num_contrasted = None if totals is None else totals.num_contrasted
            contrast_loss = negatives_loss(
                logits, self.anchors, targets.positive, *negatives, self.rules, num_contrasted
            )
            objectness_loss = objectness_loss + self.rules.negatives_loss_weight * contrast_loss
        weight = self.rules.box_loss_weight
        return objectness_loss, box_loss if weight == 1 else weight * box_loss

    @torch.no_grad()
    def totals(
        self,
        targets: AnchorTargets,
        parts: Sequence[tuple[int, int]],
        generator: torch.Generator | None = None,
        negatives: tuple[Tensor, Tensor] | None = None,
    ) -> BatchTotals:
        """What `losses` needs for the parts of a batch. Takes its arguments, for the whole batch.

        Args:
            parts: first row and end of each.
        """
        totals = batch_totals(targets, self.rules, generator=generator)
        if negatives is None or self.rules.negatives_loss_weight == 0:
            return totals
        boxes, mask = negatives
        counts = [
            count_contrasted(
                self.anchors, targets.positive[start:end], boxes[start:end], mask[start:end], self.rules
            )
            for start, end in parts
        ]
        return replace(totals, num_contrasted=torch.stack(counts).sum())

    @torch.no_grad()
    def predict_top1(
        self, feature_map: Tensor, words: Tensor, mask: Tensor, pooled: Tensor, map_of: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The best box for each sentence: [B, 4], xyxy, pixels of the frame; and its objectness: [B], in [0, 1].

        Takes the arguments of `forward`.
        """
        return self.top1(self(feature_map, words, mask, pooled, map_of))

    @torch.no_grad()
    def predict_proposals(
        self, feature_map: Tensor, words: Tensor, mask: Tensor, pooled: Tensor, map_of: Tensor | None = None
    ) -> tuple[list[Tensor], Tensor]:
        """Proposals of each sentence: [K, 4], xyxy, pixels of the frame, best first; and the best objectness: [B].

        Takes the arguments of `forward`.
        """
        return self.proposals(self(feature_map, words, mask, pooled, map_of))

    @torch.no_grad()
    def top1(self, outputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """What `predict_top1` returns, from what `forward` returned."""
        logits, deltas = (output.float() for output in outputs)
        boxes, best = top1_boxes(logits, deltas, self.anchors, self.frame_size_px)
        return boxes, self.objectness(best, logits)

    @torch.no_grad()
    def proposals(self, outputs: tuple[Tensor, Tensor]) -> tuple[list[Tensor], Tensor]:
        """What `predict_proposals` returns, from what `forward` returned."""
        logits, deltas = (output.float() for output in outputs)
        boxes, _ = filter_proposals(logits, deltas, self.anchors, self.frame_size_px, self.rules)
        _, best = top1_boxes(logits, deltas, self.anchors, self.frame_size_px)
        return boxes, self.objectness(best, logits)

    def objectness(self, logit: Tensor, logits: Tensor) -> Tensor:
        """Objectness in [0, 1]: sigmoid of the logit, or softmax over the sentence's anchors, as in the loss.

        Args:
            logit: [K], one logit of each row.
            logits: [K, N], the logits of all anchors.

        Returns:
            [K].
        """
        if self.rules.objectness_loss == "sampled_bce":
            return logit.sigmoid()
        return (logit - logits.logsumexp(dim=1)).exp().clamp(max=1.0)
