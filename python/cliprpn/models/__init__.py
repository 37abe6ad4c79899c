"""ClipRPN's modules in plain PyTorch, usable without the rest of this package."""

from cliprpn.models.cliprpn import ClipRPN
from cliprpn.models.fusion import ConcatenationFusion, CrossAttentionFusion, SwitchedFusion
from cliprpn.models.rpn import RpnRules

__all__ = ["ClipRPN", "ConcatenationFusion", "CrossAttentionFusion", "RpnRules", "SwitchedFusion"]
