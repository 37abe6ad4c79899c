"""The model of ClipRPN (Trento), for its checkpoints."""

from __future__ import annotations

from typing import Literal

from cliprpn.models.cliprpn import ClipRPN
from cliprpn.models.fusion import ConcatenationFusion, CrossAttentionFusion
from cliprpn.models.rpn import RpnRules

ORIGINAL_IMAGE_SIZE_PX = 224
# The rules of ClipRPN (Trento), for training and for predictions.
ORIGINAL_RULES = RpnRules(
    fg_iou_thresh=0.7, bg_iou_thresh=0.2, objectness_loss="sampled_bce", box_loss="over_sampled"
)


def original_model(
    fusion: Literal["concatenation", "cross_attention"], map_channels: int, pooled_dim: int
) -> ClipRPN:
    """The architecture of ClipRPN (Trento) with random weights: no neck, 15 corner anchors per cell of 7x7."""
    kinds = {"concatenation": ConcatenationFusion, "cross_attention": CrossAttentionFusion}
    fusion_module = kinds[fusion](map_channels, pooled_dim, word_dim=1)
    return ClipRPN(fusion_module, map_channels, None, ORIGINAL_RULES, placement="corner")
