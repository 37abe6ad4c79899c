"""The repaired fusion, built from three switches that vary apart."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

NUM_HEADS = 8
NUM_BLOCKS = 2
TEXT_CHANNELS = 128


class SwitchedFusion(nn.Module):
    """Blocks in which each cell first takes in the sentence, then thinks about it.

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
        self.text = text
        self.norm = nn.LayerNorm(map_channels)
        self.where = nn.Linear(4, map_channels) if coordinates == "on" else None
        text_dim = word_dim if text == "words" else pooled_dim
        self.read = nn.Sequential(
            nn.LayerNorm(text_dim),
            nn.Linear(text_dim, TEXT_CHANNELS),
            nn.GELU(),
            nn.Linear(TEXT_CHANNELS, TEXT_CHANNELS),
        )
        self.blocks = nn.ModuleList(FusionBlock(map_channels, text, interaction) for _ in range(NUM_BLOCKS))

    def forward(self, map: Tensor, words: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
        cells = self.norm(map.flatten(2).transpose(1, 2))  # [B, h*w, C]
        if self.where is not None:
            cells = cells + self.where(cell_coordinates(map.shape[2], map.shape[3], map.device))
        said = self.read(words if self.text == "words" else pooled[:, None])  # [B, L or 1, T]
        for block in self.blocks:
            cells = block(cells, said, mask)
        return cells.transpose(1, 2).reshape(map.shape)  # [B, C, h, w]


class FusionBlock(nn.Module):
    """Two residual steps, normalised before each: hear the sentence, then think."""

    def __init__(self, channels: int, text: str, interaction: str) -> None:
        super().__init__()
        self.own_norm = nn.LayerNorm(channels)
        self.ask = WordAttention(channels) if text == "words" else None
        # What is heard starts at unit length: averaged over words, it would start too faint to learn from.
        self.heard_norm = nn.LayerNorm(TEXT_CHANNELS)
        self.scale = nn.Linear(TEXT_CHANNELS, channels) if interaction == "multiplicative" else None
        self.shift = nn.Linear(TEXT_CHANNELS, channels)
        self.think = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, channels), nn.GELU(), nn.Linear(channels, channels)
        )

    def forward(self, cells: Tensor, said: Tensor, mask: Tensor) -> Tensor:
        own = self.own_norm(cells)
        heard = said if self.ask is None else self.ask(own, said, mask)  # [B, h*w or 1, T]
        heard = self.heard_norm(heard)
        told = self.shift(heard)
        cells = cells + (told if self.scale is None else own * self.scale(heard) + told)
        return cells + self.think(cells)


class WordAttention(nn.Module):
    """Each cell asks all words: [B, h*w, C] and [B, L, T] to [B, h*w, T]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(TEXT_CHANNELS)
        self.query = nn.Linear(channels, TEXT_CHANNELS)
        self.key_value = nn.Linear(TEXT_CHANNELS, 2 * TEXT_CHANNELS)

    def forward(self, cells: Tensor, said: Tensor, mask: Tensor) -> Tensor:
        key, value = self.key_value(self.norm(said)).chunk(2, dim=2)
        return attend(self.query(cells), key, value, mask)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Multi-head attention; queries and keys are normalised per head, so that it starts decided.

    (Query-key normalisation, Dehghani et al. 2023.)

    Args:
        query: [B, Nq, T].
        key: [B, Nk, T], and value the same.
        mask: [B, Nk], True where a key may be asked.

    Returns:
        [B, Nq, T].
    """
    query, key, value = (part.unflatten(2, (NUM_HEADS, -1)).transpose(1, 2) for part in (query, key, value))
    query, key = (functional.layer_norm(part, part.shape[-1:]) for part in (query, key))
    heard = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None])
    return heard.transpose(1, 2).flatten(2)


def cell_coordinates(height: int, width: int, device: torch.device) -> Tensor:
    """x, y and their squares at each cell's centre, in [-1, 1]: [h*w, 4]."""
    y = (torch.arange(height, device=device) + 0.5) * (2 / height) - 1
    x = (torch.arange(width, device=device) + 0.5) * (2 / width) - 1
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    flat = torch.stack([grid_x, grid_y], dim=-1).reshape(-1, 2)
    return torch.cat([flat, flat.square()], dim=1)
