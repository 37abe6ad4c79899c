"""The corrected fusion, with three independent switches."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from cliprpn.models.sharing import per_sentence

NUM_HEADS = 8
NUM_BLOCKS = 2
TEXT_CHANNELS = 128
# In elements: rows of the bias start at multiples of it.
BIAS_ALIGNMENT = 8


class SwitchedFusion(nn.Module):
    """A stack of blocks; each conditions every cell on the sentence, then applies an MLP.

    Switches:
        text: `pooled` gives every cell the same sentence embedding; with `words`, each cell attends to all words, so
            that different cells get different vectors.
        interaction: `additive` adds the projected text vector to the cell; `multiplicative` scales and shifts the
            cell's channels by it (FiLM, Perez et al. 2018).
        coordinates: `on` adds the position of each cell.

    `film` is pooled, multiplicative, off; `token_attention` is words, multiplicative, on. Attribute names are parameter
    names of saved models, so they stay: `where` embeds coordinates, `read` projects the text, `ask` attends to words,
    `heard_norm` normalizes the result, and `think` is the MLP.

    Inputs and output: see `cliprpn.models.fusion`. Sentences may share maps (`map_of`, see `cliprpn.models.sharing`):
    all that does not depend on the text is then computed once per map.
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
        self._coordinates: dict[tuple[int, int, torch.device, torch.dtype], Tensor] = {}
        text_dim = word_dim if text == "words" else pooled_dim
        self.read = nn.Sequential(
            nn.LayerNorm(text_dim),
            nn.Linear(text_dim, TEXT_CHANNELS),
            nn.GELU(),
            nn.Linear(TEXT_CHANNELS, TEXT_CHANNELS),
        )
        self.blocks = nn.ModuleList(FusionBlock(map_channels, text, interaction) for _ in range(NUM_BLOCKS))

    def forward(
        self, feature_map: Tensor, words: Tensor, mask: Tensor, pooled: Tensor, map_of: Tensor | None = None
    ) -> Tensor:
        cells = self.norm(feature_map.flatten(2).transpose(1, 2))  # [B or maps, h*w, C]
        if self.where is not None:
            cells = cells + self.where(self._coordinates_of(feature_map))
        text = self.read(words if self.text == "words" else pooled[:, None])  # [B, L or 1, T]
        bias = attention_bias(mask, cells.dtype) if self.text == "words" else None
        for block in self.blocks:
            cells, map_of = block(cells, text, bias, map_of), None
        return cells.transpose(1, 2).unflatten(2, feature_map.shape[2:])  # [B, C, h, w]

    def _coordinates_of(self, feature_map: Tensor) -> Tensor:
        """The coordinates of the map's cells, [h*w, 4]; computed once, since maps have the same size."""
        key = (feature_map.shape[2], feature_map.shape[3], feature_map.device, feature_map.dtype)
        if key not in self._coordinates:
            with torch.inference_mode(False):  # Tensors of inference mode cannot be used in training later.
                self._coordinates[key] = cell_coordinates(*key[:3]).to(feature_map.dtype)
        return self._coordinates[key]


class FusionBlock(nn.Module):
    """Two pre-norm residual steps: condition on the text, then apply an MLP.

    Maps cells [B, h*w, C], or of shared maps, to [B, h*w, C], given text [B, L or 1, T] and, with `words`, the bias of
    `attention_bias`.
    """

    def __init__(self, channels: int, text: str, interaction: str) -> None:
        super().__init__()
        self.own_norm = nn.LayerNorm(channels)
        self.ask = WordAttention(channels) if text == "words" else None
        # Normalizes the text vector: an average over words would be too small at the start of training.
        self.heard_norm = nn.LayerNorm(TEXT_CHANNELS)
        self.scale = nn.Linear(TEXT_CHANNELS, channels) if interaction == "multiplicative" else None
        self.shift = nn.Linear(TEXT_CHANNELS, channels)
        self.think = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, channels), nn.GELU(), nn.Linear(channels, channels)
        )

    def forward(self, cells: Tensor, text: Tensor, bias: Tensor | None, map_of: Tensor | None) -> Tensor:
        normed = self.own_norm(cells)
        context = text if self.ask is None else self.ask(normed, text, bias, map_of)  # [B, h*w or 1, T]
        context = self.heard_norm(context)
        shift = self.shift(context)
        cells, normed = per_sentence(cells, map_of), per_sentence(normed, map_of)
        cells = cells + (shift if self.scale is None else torch.addcmul(shift, normed, self.scale(context)))
        return cells + self.think(cells)


class WordAttention(nn.Module):
    """Attention of each cell over all words: [B, h*w, C], or of shared maps, and [B, L, T] to [B, h*w, T]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(TEXT_CHANNELS)
        self.query = nn.Linear(channels, TEXT_CHANNELS)
        self.key_value = nn.Linear(TEXT_CHANNELS, 2 * TEXT_CHANNELS)

    def forward(self, cells: Tensor, text: Tensor, bias: Tensor, map_of: Tensor | None) -> Tensor:
        key, value = self.key_value(self.norm(text)).chunk(2, dim=2)
        return attend(self.query(cells), key, value, bias, map_of)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, map_of: Tensor | None = None) -> Tensor:
    """Multi-head attention with query-key normalization per head (Dehghani et al. 2023), so that it starts sharp.

    Args:
        query: [B, Nq, T], or of shared maps.
        key, value: [B, Nk, T] each.
        bias: [B, 1, 1, Nk], added to the logits: 0 or -inf.
        map_of: [B], see `cliprpn.models.sharing`.

    Returns:
        [B, Nq, T].
    """
    query, key, value = (part.unflatten(2, (NUM_HEADS, -1)) for part in (query, key, value))
    query, key = (functional.layer_norm(part, part.shape[-1:]) for part in (query, key))
    query = per_sentence(query, map_of)
    query, key, value = (
        part.transpose(1, 2) for part in (query, key, value)
    )  # [B, heads, Nq or Nk, T / heads]
    if query.device.type == "cpu" and query.dtype == torch.float32:
        attended = _attend_by_products(query, key, value, bias)
    else:
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    return attended.transpose(1, 2).flatten(2)


def _attend_by_products(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """The same as `scaled_dot_product_attention`, whose kernel for CPUs takes three times as long for so few keys.

    The vectors of a head are normalized, so no logit exceeds the square root of their size, and exponentials are finite
    without subtracting the largest logit first.
    """
    weights = (query @ (key * query.shape[-1] ** -0.5).transpose(-1, -2)).exp()  # [B, heads, Nq, Nk]
    # The last column adds up the weights. Padding has no part in either.
    sums = weights @ (functional.pad(value, (0, 1), value=1.0) * bias.exp().transpose(-1, -2))
    return sums[..., :-1] / sums[..., -1:]


def attention_bias(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """What attention adds to its logits, [B, 1, 1, L]: 0 for a token, -inf for padding.

    Made once for all blocks, and at addresses that CUDA's kernel can read; torch would make both for each call.

    Args:
        mask: [B, L], True for tokens.
    """
    length = mask.shape[1]
    bias = mask.log().to(dtype)  # log(True) is 0, and log(False) is -inf.
    return functional.pad(bias, (0, -length % BIAS_ALIGNMENT))[:, None, None, :length]


def cell_coordinates(height: int, width: int, device: torch.device) -> Tensor:
    """x, y and their squares at the center of each cell, in [-1, 1]: [h*w, 4]."""
    y = (torch.arange(height, device=device) + 0.5) * (2 / height) - 1
    x = (torch.arange(width, device=device) + 0.5) * (2 / width) - 1
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    flat = torch.stack([grid_x, grid_y], dim=-1).reshape(-1, 2)
    return torch.cat([flat, flat.square()], dim=1)
