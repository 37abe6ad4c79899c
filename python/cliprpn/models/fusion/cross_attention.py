"""The cross-attention fusion of ClipRPN (Trento)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class CrossAttentionFusion(nn.Module):
    """Cells are the queries, the sentence embedding is the only key and value; add & norm, feed-forward, add & norm.

    With one key the softmax is always 1, so that (without dropout) every cell gets the same vector. This bug of ClipRPN
    (Trento) is reproduced on purpose. Parameters have the same names as there.

    Inputs and output: see `cliprpn.models.fusion`.
    """

    def __init__(
        self,
        map_channels: int,
        pooled_dim: int,
        word_dim: int,
        num_heads: int = 16,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(
            map_channels,
            num_heads,
            dropout=dropout,
            kdim=pooled_dim,
            vdim=pooled_dim,
            batch_first=True,
        )
        self.dropout = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(map_channels)
        self.linear1 = nn.Linear(map_channels, hidden_dim)
        self.linear2 = nn.Linear(hidden_dim, map_channels)
        self.norm2 = nn.LayerNorm(map_channels)
        for linear in (self.linear1, self.linear2):
            nn.init.xavier_uniform_(linear.weight)

    def forward(self, feature_map: Tensor, words: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
        cells = functional.normalize(feature_map, dim=1).flatten(2).transpose(1, 2)  # [B, h*w, C]
        text = pooled[:, None]  # [B, 1, Dp]
        attended, _ = self.attention(cells, text, text, need_weights=False)
        cells = self.norm1(cells + self.dropout(attended))
        hidden = self.dropout(functional.relu(self.linear1(cells)))
        cells = self.norm2(cells + self.linear2(hidden))
        return cells.transpose(1, 2).reshape(feature_map.shape)  # [B, C, h, w]
