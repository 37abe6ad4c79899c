"""Fusions of image and text features: one file per fusion, all with the same signature.

A fusion is a module that is built with `(map_channels, pooled_dim, word_dim, **params)` and called with these four
positional arguments:

    feature_map  [B, C, h, w]  features of the image
    words        [B, L, Dw]    features of each token, including the start and end tokens
    mask         [B, L]        True for tokens, False for padding
    pooled       [B, Dp]       embedding of the sentence, L2-normalized

It returns a feature map [B, C, h, w].
"""

from cliprpn.models.fusion.concatenation import ConcatenationFusion
from cliprpn.models.fusion.cross_attention import CrossAttentionFusion
from cliprpn.models.fusion.switched import SwitchedFusion

__all__ = ["ConcatenationFusion", "CrossAttentionFusion", "SwitchedFusion"]
