"""The training loop a user would write on the same cached features: no files, no events, no engine."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from cliprpn.contract.generated import ClipRpnSpec
from cliprpn.inference.build import build_model
from cliprpn.models import ClipRPN

BATCH = 256


class Arrays:
    """What a notebook would load: memory-mapped features and columns of the index.

    Args:
        cache: a cache folder with the features of a single dataset.
    """

    def __init__(self, cache: Path, image_rows: np.ndarray) -> None:
        def load(pattern: str) -> np.ndarray:
            return np.load(next(cache.glob(pattern)), mmap_mode="r")

        self.maps = load("features/maps-*/maps.npy")
        self.pooled, self.words = load("features/text-*/pooled.npy"), load("features/text-*/words.npy")
        self.lengths = np.array(load("features/text-*/lengths.npy"))
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.image_rows = image_rows

    def batch(self, rows: np.ndarray, blank: bool = False) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Feature map, words, mask and pooled of these sentences, float32."""
        text = np.full_like(rows, len(self.lengths) - 1) if blank else rows
        lengths = self.lengths[text]
        mask = np.arange(lengths.max()) < lengths[:, None]
        words = np.zeros((*mask.shape, self.words.shape[1]), dtype=np.float32)
        at = self.starts[text][:, None] + np.arange(lengths.max())
        words[mask] = self.words[at[mask]]
        feature_map, pooled = self.maps[self.image_rows[rows]], self.pooled[text]
        tensors = (torch.from_numpy(array) for array in (feature_map, words, mask, pooled))
        map_t, words_t, mask_t, pooled_t = tensors
        return map_t.float(), words_t, mask_t, pooled_t.float()


def plain_loop(
    spec: ClipRpnSpec, arrays: Arrays, boxes: Tensor, train: np.ndarray, val: np.ndarray
) -> list[float]:
    """Trains with the same model, optimizer and batches as a trial. Returns the mean loss of each epoch.

    Args:
        boxes: [S, 4], ground-truth boxes of all sentences, xyxy, pixels of the frame.
    """
    torch.manual_seed(spec.seed)
    settings = spec.settings.training
    model = build_model(spec.settings, arrays.maps.shape[1], arrays.pooled.shape[1], arrays.words.shape[1])
    matrices, vectors = (
        [p for p in model.parameters() if (p.ndim > 1) is is_matrix] for is_matrix in (True, False)
    )
    optimizer_class = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    optimizer = optimizer_class(groups, lr=settings.learning_rate, fused=True)
    num_batches = math.ceil(len(train) / settings.batch_size)
    num_steps = num_batches * settings.num_epochs
    warmup = int(settings.warmup_fraction * num_steps)
    order, draws = np.random.default_rng(spec.seed), torch.Generator().manual_seed(spec.seed)
    step, losses = 0, []
    for _ in range(settings.num_epochs):
        model.train()
        total = 0.0
        image_rows = arrays.image_rows[train]
        places = order.permutation(int(image_rows.max()) + 1)
        for batch in np.array_split(np.argsort(places[image_rows], kind="stable"), num_batches):
            rate = (step + 1) / (warmup + 1)
            if step >= warmup:
                rate = 0.5 * (1 + math.cos(math.pi * (step - warmup) / (num_steps - warmup)))
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * rate
            rows = train[batch]
            objectness, box = model.losses(model(*arrays.batch(rows)), model.targets(boxes[rows]), draws)
            optimizer.zero_grad(set_to_none=True)
            (objectness + box).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.grad_clip_norm or math.inf)
            optimizer.step()
            total += (objectness + box).item() * len(batch)
            step += 1
        losses.append(total / len(train))
        top1_iou(model, arrays, boxes, val)
    model.eval()
    for start in range(0, len(val), BATCH):
        rows = val[start : start + BATCH]
        proposals, _ = model.predict_proposals(*arrays.batch(rows))
        for boxes_i, gt_box in zip(proposals, boxes[rows], strict=True):
            box_iou(boxes_i, gt_box[None])
    top1_iou(model, arrays, boxes, val, blank=True)
    return losses


def top1_iou(model: ClipRPN, arrays: Arrays, boxes: Tensor, rows: np.ndarray, blank: bool = False) -> float:
    """Mean IoU of the top-1 boxes, in the frame."""
    model.eval()
    parts = []
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        pred, _ = model.predict_top1(*arrays.batch(batch, blank))
        parts.append(box_iou(pred, boxes[batch]).diagonal())
    return torch.cat(parts).mean().item()
