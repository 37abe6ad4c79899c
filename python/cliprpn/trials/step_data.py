"""What training steps need besides the model: found on the CPU, and copied to the device for several steps at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cliprpn.data.image_objects import ImageObjects
from cliprpn.data.index import DatasetIndex
from cliprpn.features.frozen import BatchRows, FrozenFeatures, may_share
from cliprpn.geometry import to_frame
from cliprpn.models import ClipRPN
from cliprpn.models.rpn import AnchorTargets
from cliprpn.models.transfer import copy_together, to_device
from cliprpn.trials.step import StepInputs, TrainingStep


@dataclass(frozen=True)
class TrainingData:
    """Frozen features, the training sentences, and the val sentences for selecting an epoch."""

    index: DatasetIndex
    features: FrozenFeatures
    train_rows: np.ndarray
    val_rows: np.ndarray


@dataclass(frozen=True)
class MicroBatch:
    """Sentences of a batch that go through the model together; all of them, unless memory is short.

    Attributes:
        start, end: which of the batch's.
        rows: where their features are.
    """

    start: int
    end: int
    rows: BatchRows


@dataclass(frozen=True)
class StepData:
    """One step's data, on the device.

    Attributes:
        size: B, sentences of the batch.
        micro_batches: one, or the parts of the batch.
        targets: of its B sentences.
        negatives: boxes [B, M, 4] and mask [B, M], see `frame_negatives`; None if they have no loss.
    """

    size: int
    micro_batches: list[MicroBatch]
    targets: AnchorTargets
    negatives: tuple[Tensor, Tensor] | None

    def inputs(self, part: MicroBatch, features: FrozenFeatures, step: TrainingStep) -> StepInputs:
        """Reads what a step needs for a part of the batch."""
        start, end = part.start, part.end
        return StepInputs(
            features.read(part.rows, step.device, step.input_dtype),
            self.targets.rows(start, end),
            None if self.negatives is None else (self.negatives[0][start:end], self.negatives[1][start:end]),
        )


def prepare_steps(
    model: ClipRPN,
    data: TrainingData,
    objects: ImageObjects | None,
    gt_boxes: Tensor,
    batches: Sequence[np.ndarray],
    view: int,
    padded_to: int,
    device: torch.device,
    micro_batch_size: int | None = None,
) -> list[StepData]:
    """The data of consecutive steps.

    Args:
        objects: for the negatives; None if they have no loss.
        gt_boxes: of all training sentences, from `frame_targets`.
        batches: indices into `train_rows`.
        view: as in `FrozenFeatures.batch`.
        padded_to: numbers of words and of negatives are multiples of it.
        micro_batch_size: the most sentences that go through the model together; None for whole batches.
    """
    bounds = [_split(len(batch), micro_batch_size) for batch in batches]
    parts = [
        data.train_rows[batch[start:end]]
        for batch, bounds_i in zip(batches, bounds, strict=True)
        for start, end in bounds_i
    ]
    rows = iter(data.features.find(parts, device, view=view, share=may_share(device), padded_to=padded_to))
    targets = model.targets(to_device(gt_boxes[np.concatenate(batches)], device))
    negatives: list[tuple[Tensor, Tensor] | None] = [None] * len(batches)
    if objects is not None:
        found = [frame_negatives(model, data, objects, batch, view, padded_to) for batch in batches]
        boxes, masks = (copy_together(parts, device) for parts in zip(*found, strict=True))
        negatives = [*zip(boxes, masks, strict=True)]
    steps, start = [], 0
    for batch, bounds_i, negatives_i in zip(batches, bounds, negatives, strict=True):
        end = start + len(batch)
        micro_batches = [MicroBatch(*bound, next(rows)) for bound in bounds_i]
        steps.append(StepData(len(batch), micro_batches, targets.rows(start, end), negatives_i))
        start = end
    return steps


def _split(size: int, micro_batch_size: int | None) -> list[tuple[int, int]]:
    """First row and end of each part of a batch; the sizes of parts differ by at most 1."""
    num_parts = 1 if micro_batch_size is None else -(-size // micro_batch_size)
    ends = [size * number // num_parts for number in range(num_parts + 1)]
    return [*itertools.pairwise(ends)]


def frame_targets(
    model: ClipRPN, index: DatasetIndex, features: FrozenFeatures, rows: np.ndarray, view: int = 0
) -> Tensor:
    """Ground-truth boxes in the model's frame: [N, 4], float32, xyxy, pixels of the frame.

    Args:
        view: as in `FrozenFeatures.batch`.
    """
    zoom = features.zoom(model.frame_size_px)
    boxes = to_frame(torch.from_numpy(index.gt_boxes[rows]).double(), features.frames_of(rows), zoom).float()
    if view > 0:
        augmented = features.view(view)
        fits = torch.from_numpy(augmented.fits[rows])
        boxes[fits] = augmented.gt_boxes(rows)[fits] * zoom
    return boxes


def frame_negatives(
    model: ClipRPN,
    data: TrainingData,
    objects: ImageObjects,
    batch: np.ndarray,
    view: int,
    padded_to: int = 1,
) -> tuple[Tensor, Tensor]:
    """Other objects of the same category: boxes [B, M, 4], float32, xyxy, pixels of the frame; and mask [B, M].

    Args:
        batch: [B], indices into `train_rows`.
        padded_to: M is a multiple of it.
    """
    rows = data.train_rows[batch]
    others = objects.others(rows, padded_to)
    frames = data.features.frames_of(rows)[:, None].expand(-1, others.boxes.shape[1], -1)  # [B, M, 4]
    zoom = data.features.zoom(model.frame_size_px)
    boxes = to_frame(torch.from_numpy(others.boxes).flatten(0, 1), frames.flatten(0, 1), zoom)
    boxes = boxes.unflatten(0, others.mask.shape).float()
    if view > 0:
        augmented = data.features.view(view)
        fits = torch.from_numpy(augmented.fits[rows])
        boxes[fits] = augmented.object_boxes[torch.from_numpy(others.rows)[fits]] * zoom
    return boxes, torch.from_numpy(others.same_category)
