"""The repaired fusion, built from three switches that vary apart."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

NUM_HEADS = 8
NUM_BLOCKS = 2


class SwitchedFusion(nn.Module):
    """Blocks in which each cell first takes in the sentence, then looks at the other cells.

    Switches:
        text: `pooled` gives every cell the sentence's one vector; `words` lets each cell ask all
            words by attention, so that different cells hear different words.
        interaction: `additive` adds what was heard to the cell; `multiplicative` scales the cell's
            channels by it, and shifts them (FiLM, Perez et al. 2018).
        coordinates: `on` tells each cell where it is.

    `film` is pooled, multiplicative, off; `token_attention` is words, multiplicative, on.
    """

    def __init__(
        self,
        map_channels: int,
        pooled_dim: int,
        word_dim: int,
        text: Literal["pooled", "words"] = "words",
        interaction: Literal["additive", "multiplicative"] = "multiplicative",
        coordinates: Literal["off", "on"] = "on",
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(map_channels)
        self.where = nn.Linear(4, map_channels) if coordinates == "on" else None
        self.blocks = nn.ModuleList(
            FusionBlock(map_channels, word_dim if text == "words" else pooled_dim, text, interaction)
            for _ in range(NUM_BLOCKS)
        )

    def forward(self, map: Tensor, words: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
        cells = self.norm(map.flatten(2).transpose(1, 2))  # [B, h*w, C]
        if self.where is not None:
            cells = cells + self.where(cell_coordinates(map.shape[2], map.shape[3], map.device))
        for block in self.blocks:
            cells = block(cells, words, mask, pooled)
        return cells.transpose(1, 2).reshape(map.shape)  # [B, C, h, w]


class FusionBlock(nn.Module):
    """Hear the sentence, look around, think: three residual steps, normalised before each."""

    def __init__(self, channels: int, text_dim: int, text: str, interaction: str) -> None:
        super().__init__()
        self.listen_norm = nn.LayerNorm(channels)
        self.listen = WordAttention(channels, text_dim) if text == "words" else None
        self.read = nn.Linear(text_dim, channels) if text == "pooled" else None
        self.scale = nn.Linear(channels, channels) if interaction == "multiplicative" else None
        self.shift = nn.Linear(channels, channels)
        self.look_norm = nn.LayerNorm(channels)
        self.look_qkv = nn.Linear(channels, 3 * channels)
        self.look_out = nn.Linear(channels, channels)
        self.think_norm = nn.LayerNorm(channels)
        self.think = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels)
        )

    def forward(self, cells: Tensor, words: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
        own = self.listen_norm(cells)
        heard = self.hear(own, words, mask, pooled)  # [B, h*w or 1, C]
        told = self.shift(heard)
        cells = cells + (told if self.scale is None else own * self.scale(heard) + told)
        query, key, value = self.look_qkv(self.look_norm(cells)).chunk(3, dim=2)
        cells = cells + self.look_out(attend(query, key, value, None))
        return cells + self.think(self.think_norm(cells))

    def hear(self, cells: Tensor, words: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
        if self.listen is not None:
            return self.listen(cells, words, mask)
        assert self.read is not None
        return functional.gelu(self.read(pooled))[:, None]  # [B, 1, C]


class WordAttention(nn.Module):
    """Each cell asks all words: [B, h*w, C] and [B, L, Dw] to [B, h*w, C]."""

    def __init__(self, channels: int, word_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(word_dim)
        self.query = nn.Linear(channels, channels)
        self.key_value = nn.Linear(word_dim, 2 * channels)

    def forward(self, cells: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        key, value = self.key_value(self.norm(words)).chunk(2, dim=2)
        return attend(self.query(cells), key, value, mask)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Multi-head attention: [B, Nq, C], [B, Nk, C] and mask [B, Nk] (True: may be asked) to [B, Nq, C]."""
    query, key, value = (part.unflatten(2, (NUM_HEADS, -1)).transpose(1, 2) for part in (query, key, value))
    allowed = None if mask is None else mask[:, None, None]  # [B, 1, 1, Nk]
    heard = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    return heard.transpose(1, 2).flatten(2)


def cell_coordinates(height: int, width: int, device: torch.device) -> Tensor:
    """x, y and their squares at each cell's centre, in [-1, 1]: [h*w, 4]."""
    y = (torch.arange(height, device=device) + 0.5) * (2 / height) - 1
    x = (torch.arange(width, device=device) + 0.5) * (2 / width) - 1
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    flat = torch.stack([grid_x, grid_y], dim=-1).reshape(-1, 2)
    return torch.cat([flat, flat.square()], dim=1)
