"""The concatenation fusion of ClipRPN (Trento)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConcatenationFusion(nn.Module):
    """Concatenates feature map and two copies of the sentence embedding by channels, then applies a 1x1 convolution.

    Inputs and output: see `cliprpn.models.fusion`.
    """

    def __init__(self, map_channels: int, pooled_dim: int, word_dim: int) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv2d(map_channels + 2 * pooled_dim, map_channels, kernel_size=1)

    def forward(self, feature_map: Tensor, words: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
        height, width = feature_map.shape[-2:]
        text = torch.cat([pooled, pooled], dim=1)[:, :, None, None]  # [B, 2 * Dp, 1, 1]
        return self.conv1x1(torch.cat([feature_map, text.expand(-1, -1, height, width)], dim=1))
