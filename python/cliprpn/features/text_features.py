"""Sentence embeddings and token features of all sentences: extraction and batching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cliprpn.errors import CliprpnError
from cliprpn.models.backbone import ClipBackbone, count_tokens
from cliprpn.models.transfer import copy_together, to_device
from cliprpn.pipeline.copies import Copies, HostCopy
from cliprpn.pipeline.read_ahead import read_ahead
from cliprpn.pipeline.stages import run_pipeline
from cliprpn.run_context import RunContext
from cliprpn.storage.array_store import ArraySpecs, StoreWriter
from cliprpn.storage.durable import check_space
from cliprpn.storage.half import check_range, to_half

SENTENCES_PER_BLOCK = 256
# Rows copied to an accelerator positions once.
ROWS_PER_COPY = 256
# To estimate the disk space. RefCOCOg's sentences have 10.5 tokens on average, start and end tokens included.
TYPICAL_TOKENS = 12


@dataclass(frozen=True)
class TextRows:
    """Where the features of a batch of sentences are.

    Attributes:
        pooled: [B], int64.
        words: [B, L], int64; padding has the row of the sentence's first token.
        mask: [B, L], True for tokens, False for padding.
    """

    pooled: Tensor
    words: Tensor
    mask: Tensor


class TextFeatures:
    """Features of all sentences; the last row is the empty sentence.

    Token features are concatenated, so that short sentences need little space.

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
        """Size of the features."""
        return self.pooled.nbytes + self.words.nbytes

    def move_to(self, device: torch.device) -> None:
        """Moves the features to an accelerator."""
        self.pooled, self.words = (
            torch.from_numpy(np.array(array)).to(device) if isinstance(array, np.ndarray) else array
            for array in (self.pooled, self.words)
        )

    def batch(self, rows: Tensor, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """A batch: words [B, L, Dw], mask [B, L] (True for tokens, False for padding) and pooled [B, Dp]; float32.

        L is the length of the longest sentence in the batch; padding is 0 in words.

        Args:
            rows: [B], on the CPU.
        """
        return self.read(self.find(rows), device)

    def find(self, rows: Tensor, padded_to: int = 1) -> TextRows:
        """Where the features of these sentences are.

        Args:
            rows: [B], on the CPU.
            padded_to: L is a multiple of it, so that fewer lengths occur.
        """
        starts, lengths = self.starts[rows], self.lengths[rows]
        steps = torch.arange(-(-int(lengths.max()) // padded_to) * padded_to)
        mask = steps < lengths[:, None]  # [B, L]
        return TextRows(rows, torch.where(mask, starts[:, None] + steps, starts[:, None]), mask)

    def copy_rows(self, batches: Sequence[TextRows], device: torch.device) -> list[TextRows]:
        """Copies rows to where the features are, and the masks to the device: one copy each for all batches."""
        pooled = copy_together([batch.pooled for batch in batches], device_of(self.pooled))
        words = copy_together([batch.words for batch in batches], device_of(self.words))
        masks = copy_together([batch.mask for batch in batches], device)
        return [TextRows(*parts) for parts in zip(pooled, words, masks, strict=True)]

    def read(
        self, rows: TextRows, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What `batch` returns, for rows that `find` returned; of another type, if one is given."""
        mask = to_device(rows.mask, device)
        words = gather(self.words, rows.words, device, dtype) * mask[..., None]
        return words, mask, gather(self.pooled, rows.pooled, device, dtype)


def gather(
    source: np.ndarray | Tensor, rows: Tensor, device: torch.device, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Rows of a memory map or tensor, on the device.

    Args:
        rows: of any shape; on the CPU, or on the source's device.
    """
    if isinstance(source, Tensor):
        return source[to_device(rows, source.device)].to(device).to(dtype)
    return to_device(torch.from_numpy(source[rows.numpy()]), device).to(dtype)


def device_of(source: np.ndarray | Tensor) -> torch.device:
    """Where the rows of `gather` are best."""
    return source.device if isinstance(source, Tensor) else torch.device("cpu")


def copy_to_device(source: np.ndarray, device: torch.device) -> Tensor:
    """Copies a memory map to an accelerator, block by block to limit the use of CPU memory."""
    copy = torch.empty(source.shape, dtype=torch.float16, device=device)
    for start in range(0, len(source), ROWS_PER_COPY):
        block = np.array(source[start : start + ROWS_PER_COPY])
        copy[start : start + ROWS_PER_COPY] = torch.from_numpy(block).to(device)
    return copy


@dataclass(frozen=True)
class _Block:
    """Sentences from `start`.

    Attributes:
        tokens: [b, L].
        lengths: [b], number of tokens.
        word_rows: [sum of lengths], positions in tokens.flatten() that are not padding.
    """

    start: int
    tokens: Tensor
    lengths: Tensor
    word_rows: Tensor


def extract_text(
    folder: Path,
    sentences: list[str],
    backbone: ClipBackbone,
    made_from: dict[str, object],
    context: RunContext,
    require_lock: Callable[[], None] = lambda: None,
) -> None:
    """Writes a store with the features of every sentence, and of the empty one. The caller holds the lock.

    Args:
        require_lock: as for `StoreWriter`.

    Raises:
        CliprpnError: interrupted, no_space, weights_mismatch; LockLostError.
    """
    texts = [*sentences, ""]
    backbone = backbone.to(context.device)
    copies = Copies(context.device)
    arrays: ArraySpecs = {
        "pooled": ((backbone.pooled_dim,), np.float16),
        "words": ((backbone.word_dim,), np.float16),
        "lengths": ((), np.int64),
    }

    def read(start: int) -> _Block:
        tokens = backbone.tokenize(texts[start : start + SENTENCES_PER_BLOCK])
        lengths = count_tokens(tokens)
        mask = torch.arange(tokens.shape[1]) < lengths[:, None]
        return _Block(start, tokens, lengths, mask.flatten().nonzero()[:, 0])

    def compute(block: _Block) -> HostCopy:
        tokens, word_rows = copies.to_device([block.tokens, block.word_rows])
        pooled, words, _ = backbone.encode_text(tokens)
        return copies.to_host([*to_half(pooled), *to_half(words.flatten(0, 1)[word_rows])])

    def write(block: _Block, result: HostCopy) -> None:
        pooled, largest_pooled, words, largest_word = result.wait()
        lengths = block.lengths.numpy()
        ends = np.cumsum(lengths)

        def name_of(row: int) -> str:
            return f"the features of sentence {block.start + row + 1}, {texts[block.start + row]!r}"

        check_range(largest_pooled, name_of)
        check_range(largest_word, lambda word: name_of(int(np.searchsorted(ends, word, side="right"))))
        store.append(len(lengths), {"pooled": pooled, "words": words, "lengths": lengths})

    with StoreWriter(folder, arrays, made_from, require_lock) as store:
        numbers_per_sentence = backbone.pooled_dim + TYPICAL_TOKENS * backbone.word_dim
        check_space(folder, (len(texts) - store.done) * numbers_per_sentence * 2)
        context.progress("text_features", store.done, len(texts))
        if not run_pipeline(
            read_ahead(read, range(store.done, len(texts), SENTENCES_PER_BLOCK), 1, 2),
            compute,
            write,
            lambda block: context.progress("text_features", block.start + len(block.tokens), len(texts)),
            context.should_stop,
        ):
            store.commit()
            raise CliprpnError("interrupted", "stopped while encoding sentences")
        store.finish()
