"""The dataset and the batches of the plain loop."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

Batch = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


class Sentences(Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """Map, words, embedding and box of each of these sentences.

    Args:
        arrays: of the stores, memory maps.
        boxes: [S, 4], xyxy, pixels of the frame.
    """

    def __init__(
        self, arrays: dict[str, np.ndarray], image_rows: np.ndarray, boxes: Tensor, rows: np.ndarray
    ) -> None:
        self.arrays, self.image_rows, self.boxes, self.rows = arrays, image_rows, boxes, rows
        self.starts = np.cumsum(arrays["lengths"]) - arrays["lengths"]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        row = self.rows[position]
        start, length = self.starts[row], self.arrays["lengths"][row]
        return (
            torch.from_numpy(self.arrays["maps"][self.image_rows[row]].copy()),
            torch.from_numpy(self.arrays["words"][start : start + length].copy()),
            torch.from_numpy(self.arrays["pooled"][row].copy()),
            self.boxes[row],
        )


def collate(samples: list[tuple[Tensor, Tensor, Tensor, Tensor]]) -> Batch:
    """Maps [B, C, h, w], words [B, L, Dw], mask [B, L], embeddings [B, Dp], boxes [B, 4]."""
    maps, words, pooled, boxes = zip(*samples, strict=True)
    lengths = torch.tensor([len(words_i) for words_i in words])
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    return (
        torch.stack(maps),
        pad_sequence(words, batch_first=True),
        mask,
        torch.stack(pooled),
        torch.stack(boxes),
    )
