"""How sentence and image are joined: one file per fusion, all with one signature.

A fusion is a module built with `(map_channels, pooled_dim, word_dim, **params)` and called with

    map     [B, C, h, w]  the image's features
    words   [B, L, Dw]    one vector for every token, start and end marks included
    mask    [B, L]        True where there is a token
    pooled  [B, Dp]       the sentence's vector, L2-normalised

It returns a map [B, C, h, w].
"""

from cliprpn.models.fusion.concatenation import ConcatenationFusion
from cliprpn.models.fusion.cross_attention import CrossAttentionFusion
from cliprpn.models.fusion.switched import SwitchedFusion

__all__ = ["ConcatenationFusion", "CrossAttentionFusion", "SwitchedFusion"]
