"""The loop that a researcher would write on the same features: a DataLoader, the same model, fused Adam, autocast."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Subset
from torchvision.ops import box_iou

from bench.gpu.cases import Case, settings_of
from bench.gpu.device import has_driver, make_context, peak_memory, reset_peak_memory
from bench.gpu.features import Size, open_arrays
from bench.gpu.plain_data import Batch, Sentences, collate
from bench.gpu.row import Row
from bench.gpu.training import (
    NUM_EPOCHS,
    NUM_THREADS,
    WARM_UP_STEPS,
    affordable_steps,
    extrapolation,
)
from cliprpn.contract.generated import Settings
from cliprpn.inference.build import build_model
from cliprpn.models import ClipRPN
from cliprpn.seeding import seed_everything

MAX_WORKERS = 8
VAL_BATCH = 256


class PlainLoop:
    """A model, its optimizer and its data; an epoch of so many steps."""

    def __init__(
        self, settings: Settings, size: Size, device: torch.device, train_set: Sentences, val_set: Sentences
    ) -> None:
        self.settings, self.device = settings.training, device
        self.train_set, self.val_set = train_set, val_set
        self.model: ClipRPN = build_model(settings, *size.features).to(device)
        kind = torch.optim.AdamW if self.settings.optimizer == "adamw" else torch.optim.Adam
        self.optimizer = kind(
            self.model.parameters(),
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            fused=True,
        )
        # Not on a simulated device, which has no page-locked memory in the thread of a DataLoader.
        self.pin_memory = device.type == "cuda" and has_driver()
        self.num_workers = min(MAX_WORKERS, max(1, (os.cpu_count() or 2) - 1))
        self.amp = self.settings.precision == "bf16"

    def run(self, num_steps: int, num_epochs: int) -> tuple[list[float], list[float]]:
        """Seconds of each epoch, and of val in it, which is as large a share of val."""
        num_train = min(num_steps * self.settings.batch_size, len(self.train_set))
        num_val = max(1, round(len(self.val_set) * num_train / len(self.train_set)))
        parts = [
            Subset(self.train_set, range(num_train)),
            Subset(self.val_set, range(num_val)),
        ]
        sizes = (self.settings.batch_size, VAL_BATCH)
        train, val = (
            DataLoader(
                part,
                batch_size=batch_size,
                shuffle=is_train,
                num_workers=self.num_workers,
                pin_memory=self.pin_memory,
                persistent_workers=True,
                collate_fn=collate,
            )
            for part, batch_size, is_train in zip(parts, sizes, (True, False), strict=True)
        )
        epochs_s, vals_s = [], []
        for _ in range(num_epochs):
            started = time.monotonic()
            self.train_epoch(train)
            trained = time.monotonic()
            self.val_miou(val)
            epochs_s.append(time.monotonic() - started)
            vals_s.append(time.monotonic() - trained)
        return epochs_s, vals_s

    def train_epoch(self, loader: DataLoader[Batch]) -> float:
        """Trains. Returns the mean loss."""
        self.model.train()
        total = 0.0
        for feature_map, words, mask, pooled, boxes in loader:
            inputs = self._inputs(feature_map, words, mask, pooled)
            targets = self.model.targets(boxes.to(self.device, non_blocking=True))
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.amp):
                outputs = self.model(*inputs)
            loss = sum(self.model.losses(outputs, targets))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.grad_clip_norm or math.inf)
            self.optimizer.step()
            total += loss.item()
        return total / len(loader)

    def val_miou(self, loader: DataLoader[Batch]) -> float:
        """Mean IoU of the top-1 boxes."""
        self.model.eval()
        total = 0.0
        for feature_map, words, mask, pooled, boxes in loader:
            predicted, _ = self.model.predict_top1(*self._inputs(feature_map, words, mask, pooled))
            total += box_iou(predicted, boxes.to(self.device, non_blocking=True)).diagonal().sum().item()
        return total / len(self.val_set)

    def _inputs(self, feature_map: Tensor, words: Tensor, mask: Tensor, pooled: Tensor) -> tuple[Tensor, ...]:
        moved = (part.to(self.device, non_blocking=True) for part in (feature_map, words, mask, pooled))
        map_on, words_on, mask_on, pooled_on = moved
        return map_on.float(), words_on.float(), mask_on, pooled_on.float()


def measure_plain(case: Case, size: Size, requested: str, scratch: Path, limit_s: float) -> Iterator[Row]:
    """An epoch of the plain loop, with its pass over val; measured as that of a trial.

    Raises:
        CliprpnError: device_unavailable, no_space.
        NotMeasuredError: if even a few steps exceed the limit.
    """
    end = time.monotonic() + limit_s
    context = make_context(requested, scratch)
    settings = settings_of(case, size)
    index, arrays = open_arrays(size, context)
    seed_everything(0, NUM_THREADS)
    scale = torch.tensor([640 / 640, 640 / 480]).repeat(2)  # The made images are squashed to the frame.
    boxes = torch.from_numpy(index.gt_boxes) * scale
    train, val = (Sentences(arrays, index.image_rows, boxes, index.split(name)) for name in ("train", "val"))
    loop = PlainLoop(settings, size, context.device, train, val)
    reset_peak_memory(context.device)
    num_all = math.ceil(len(train) / settings.training.batch_size)
    warm_up, _ = loop.run(WARM_UP_STEPS, 2)
    step_s = warm_up[-1] / min(WARM_UP_STEPS, num_all)
    num_steps = affordable_steps(num_all, step_s, end - time.monotonic())
    epochs_s, vals_s = loop.run(num_steps, NUM_EPOCHS)
    share = min(1.0, num_steps * settings.training.batch_size / len(train))
    epoch_s, val_s = (statistics.mean(values[1:]) / share for values in (epochs_s, vals_s))
    figures = {
        "epoch_s": epoch_s,
        "epoch_spread_s": (max(epochs_s[1:]) - min(epochs_s[1:])) / share,
        "val_s": val_s,
        "step_ms": 1000 * (epoch_s - val_s) / num_all,
        "first_epoch_s": warm_up[0],
        "measured_share": share,
        "num_steps": num_all,
        **peak_memory(context.device),
    }
    notes = [*extrapolation(share), f"DataLoader with {loop.num_workers} workers"]
    yield Row(f"{case.name}-plain", f"a plain PyTorch loop, {case.what}", figures, notes)
