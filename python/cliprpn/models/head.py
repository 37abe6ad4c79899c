"""The head of the region proposal network."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RpnHead(nn.Module):
    """3x3 convolution and ReLU, then 1x1 convolutions for objectness and offsets; weights from N(0, 0.01).

    Parameters have the same names as in ClipRPN (Trento).
    """

    def __init__(self, map_channels: int, num_anchors_per_cell: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(map_channels, map_channels, kernel_size=3, padding=1), nn.ReLU())
        self.cls_logits = nn.Conv2d(map_channels, num_anchors_per_cell, kernel_size=1)
        self.reg_offsets = nn.Conv2d(map_channels, 4 * num_anchors_per_cell, kernel_size=1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # all convolutions here have a bias
        # Like the maps of most fusions; otherwise, every step would convert the weights and their gradients.
        self.conv.to(memory_format=torch.channels_last)

    def forward(self, feature_map: Tensor) -> tuple[Tensor, Tensor]:
        """[B, C, h, w] to objectness logits [B, A, h, w] and offsets [B, 4A, h, w]."""
        hidden = self.conv(feature_map)
        return self.cls_logits(hidden), self.reg_offsets(hidden)


def flatten_head(logits: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs of `RpnHead` in the anchors' order: [B, N] and [B, N, 4], with N = h * w * A."""
    batch_size, num_anchors, height, width = logits.shape
    deltas = offsets.view(batch_size, num_anchors, 4, height, width).permute(0, 3, 4, 1, 2)
    return logits.permute(0, 2, 3, 1).flatten(1), deltas.reshape(batch_size, -1, 4)
