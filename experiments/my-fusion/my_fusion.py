"""An example of a user-defined fusion: a gate opens where a cell is similar to the expression."""

from torch import Tensor, nn
from torch.nn import functional


class MyFusion(nn.Module):
    """Scales every cell by its similarity to the expression, then mixes channels."""

    def __init__(self, map_channels: int, pooled_dim: int, word_dim: int, sharpness: float = 4.0) -> None:
        super().__init__()
        self.text = nn.Linear(pooled_dim, map_channels)
        self.mix = nn.Conv2d(map_channels, map_channels, kernel_size=1)
        self.sharpness = sharpness

    def forward(self, feature_map: Tensor, words: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
        text = self.text(pooled)[:, :, None, None]  # [B, C, 1, 1]
        similarity = functional.cosine_similarity(feature_map, text.expand_as(feature_map), dim=1)  # [B, h, w]
        gate = (self.sharpness * similarity).sigmoid()[:, None]  # [B, 1, h, w]
        return feature_map + self.mix(feature_map * gate * text)
