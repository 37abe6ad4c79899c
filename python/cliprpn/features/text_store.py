"""Sentence and word vectors of a data set's sentences, once per sentence."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from cliprpn.errors import CliprpnError
from cliprpn.models.backbone import ClipBackbone

BATCH = 256


class TextFeatures:
    """Vectors of all sentences; the last row stands for the empty sentence.

    Words are kept end to end, so that a short sentence takes little room.
    """

    def __init__(self, path: Path) -> None:
        with safe_open(path, framework="pt") as file:
            self.pooled: Tensor = file.get_tensor("pooled")  # [S + 1, Dp], float16
            self.words: Tensor = file.get_tensor("words")  # [all tokens, Dw], float16
            self.starts: Tensor = file.get_tensor("starts")  # [S + 2], int64
        self.blank_row = len(self.pooled) - 1

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """words [B, L, Dw] and pooled [B, Dp] in float32, and mask [B, L], True where there is a token."""
        starts, lengths = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        steps = torch.arange(int(lengths.max()))
        mask = steps < lengths[:, None]
        at = torch.where(mask, starts[:, None] + steps, 0)
        words = self.words[at].float() * mask[..., None]
        return words, mask, self.pooled[rows].float()


def extract_text(
    path: Path,
    sentences: list[str],
    backbone: ClipBackbone,
    device: torch.device,
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> None:
    """Encodes every sentence once and writes the store in one step."""
    backbone = backbone.to(device)
    texts = [*sentences, ""]
    pooled_parts: list[Tensor] = []
    word_parts: list[Tensor] = []
    lengths: list[int] = []
    for start in range(0, len(texts), BATCH):
        if should_stop():
            raise CliprpnError("interrupted", "stopped while encoding sentences")
        tokens = backbone.tokenize(texts[start : start + BATCH]).to(device)
        pooled, words, mask = backbone.encode_text(tokens)
        pooled_parts.append(pooled.half().cpu())
        word_parts.append(words[mask].half().cpu())
        lengths += mask.sum(dim=1).tolist()
        on_progress(min(start + BATCH, len(texts)), len(texts))
    starts = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]))
    staging = path.with_suffix(".new")
    save_file(
        {"pooled": torch.cat(pooled_parts), "words": torch.cat(word_parts), "starts": starts},
        staging,
    )
    os.replace(staging, path)
