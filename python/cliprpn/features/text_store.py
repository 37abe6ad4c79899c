"""Sentence and word vectors of a data set's sentences, once per sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cliprpn.errors import CliprpnError
from cliprpn.features.store import Arrays, StoreWriter
from cliprpn.models.backbone import ClipBackbone
from cliprpn.run_context import RunContext
from cliprpn.storage.durable import check_space
from cliprpn.storage.half import to_half

BLOCK = 256
# Rows that are copied to an accelerator at once.
PART = 256
# For the free room only: RefCOCOg's sentences have 10.5 tokens, both marks included.
TYPICAL_TOKENS = 12


class TextFeatures:
    """Vectors of all sentences; the last row stands for the empty sentence.

    Words are kept end to end, so that a short sentence takes little room.

    Args:
        arrays: pooled [S + 1, Dp] and words [all tokens, Dw], float16; lengths [S + 1], int64.
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.pooled: np.ndarray | Tensor = arrays["pooled"]
        self.words: np.ndarray | Tensor = arrays["words"]
        self.lengths = torch.from_numpy(np.array(arrays["lengths"]))
        self.starts = torch.cumsum(self.lengths, dim=0) - self.lengths  # [S + 1]
        self.blank_row = len(self.lengths) - 1

    @property
    def num_bytes(self) -> int:
        return self.pooled.nbytes + self.words.nbytes

    def keep_on(self, device: torch.device) -> None:
        """Moves the vectors to an accelerator."""
        self.pooled, self.words = (
            torch.from_numpy(np.array(a)).to(device) if isinstance(a, np.ndarray) else a
            for a in (self.pooled, self.words)
        )

    def batch(self, rows: Tensor, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """words [B, L, Dw] and mask [B, L], True where there is a token, and pooled [B, Dp]; float32.

        L is the longest sentence of the batch; words are 0 behind a sentence's end.

        Args:
            rows: [B], on the CPU.
        """
        starts, lengths = self.starts[rows], self.lengths[rows]
        steps = torch.arange(int(lengths.max()))
        mask = steps < lengths[:, None]  # [B, L]
        at = torch.where(mask, starts[:, None] + steps, starts[:, None])
        mask = mask.to(device)
        words = gather(self.words, at, device) * mask[..., None]
        return words, mask, gather(self.pooled, rows, device)


def gather(source: np.ndarray | Tensor, rows: Tensor, device: torch.device) -> Tensor:
    """Rows of an array (a memory map, or a tensor on the device) as float32 on the device.

    Args:
        rows: of any shape, on the CPU.
    """
    if isinstance(source, Tensor):
        return source[rows.to(source.device)].to(device).float()
    return torch.from_numpy(source[rows.numpy()]).to(device).float()


def on_device(source: np.ndarray | Tensor, device: torch.device) -> Tensor:
    """A memory map's rows on an accelerator, copied in parts, so that the machine's own memory is not filled."""
    if isinstance(source, Tensor):
        return source.to(device)
    moved = torch.empty(source.shape, dtype=torch.float16, device=device)
    for start in range(0, len(source), PART):
        part = np.array(source[start : start + PART])
        moved[start : start + PART] = torch.from_numpy(part).to(device)
    return moved


def extract_text(
    folder: Path,
    sentences: list[str],
    backbone: ClipBackbone,
    facts: dict[str, object],
    context: RunContext,
) -> None:
    """Encodes every sentence, and the empty one, and fills the store. The caller holds the lock.

    Raises:
        CliprpnError: interrupted, no_space, weights_mismatch.
    """
    texts = [*sentences, ""]
    device = context.device
    backbone = backbone.to(device)
    arrays: Arrays = {
        "pooled": ((backbone.pooled_dim,), np.float16),
        "words": ((backbone.word_dim,), np.float16),
        "lengths": ((), np.int64),
    }
    with StoreWriter(folder, arrays, facts) as store:
        per_sentence = backbone.pooled_dim + TYPICAL_TOKENS * backbone.word_dim
        check_space(folder, (len(texts) - store.done) * per_sentence * 2)
        context.progress("text_features", store.done, len(texts))
        for start in range(store.done, len(texts), BLOCK):
            some = texts[start : start + BLOCK]
            pooled, words, mask = backbone.encode_text(backbone.tokenize(some).to(device))
            what = f"sentences {start + 1} to {start + len(some)}"
            blocks = {"pooled": to_half(pooled, what), "words": to_half(words[mask], what)}
            store.append(len(some), {**blocks, "lengths": mask.sum(dim=1).cpu().numpy()})
            context.progress("text_features", store.done, len(texts))
            if context.should_stop():
                store.commit()
                raise CliprpnError("interrupted", "stopped while encoding sentences")
        store.finish()
