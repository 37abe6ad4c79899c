"""Trains a ClipRPN on frozen features."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cliprpn.contract.generated import Epoch, Training
from cliprpn.data.image_objects import ImageObjects
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError
from cliprpn.features.frozen import FrozenFeatures
from cliprpn.geometry import to_frame
from cliprpn.inference.build import custom_fusion_file
from cliprpn.inference.fusion_errors import non_finite_line
from cliprpn.inference.predict import top1_ious
from cliprpn.metrics import HIT_IOU
from cliprpn.models import ClipRPN
from cliprpn.run_context import RunContext

# Where `training.amp` has an effect, and where torch's fused Adam is used; elsewhere `device_notes` says so.
AMP_DEVICES = ("cuda",)
FUSED_ADAM_DEVICES = ("cuda", "cpu")


@dataclass(frozen=True)
class TrainingData:
    """Frozen features, the training sentences, and the val sentences for selecting an epoch."""

    index: DatasetIndex
    features: FrozenFeatures
    train_rows: np.ndarray
    val_rows: np.ndarray


def train_model(
    model: ClipRPN,
    data: TrainingData,
    settings: Training,
    seed: int,
    context: RunContext,
) -> Iterator[Epoch]:
    """Trains the model in place; yields after every epoch, so that the caller can save the model.

    Args:
        seed: of the order of the sentences and of the sampling of anchors.

    Raises:
        CliprpnError: loss_not_finite, interrupted.
    """
    device = context.device
    optimizer = make_optimizer(model, settings, device)
    steps_per_epoch = math.ceil(len(data.train_rows) / settings.batch_size)
    num_steps = steps_per_epoch * settings.num_epochs
    rate_at = make_schedule(settings, num_steps)
    amp = settings.amp and device.type in AMP_DEVICES
    objects = ImageObjects(data.index) if model.rules.negatives_loss_weight > 0 else None
    shuffle_rng = np.random.default_rng(seed)
    sampling_rng = torch.Generator(device).manual_seed(seed)
    step = 0
    for epoch in range(1, settings.num_epochs + 1):
        started = time.monotonic()
        model.train()
        sums = torch.zeros(2, device=device)
        view = (epoch - 1) % (settings.views + 1)  # 0: no augmentation.
        targets = frame_targets(model, data.index, data.features, data.train_rows, view)
        for batch in np.array_split(shuffle(data, settings, shuffle_rng), steps_per_epoch):
            if context.should_stop():
                raise CliprpnError("interrupted", f"stopped in epoch {epoch}")
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * rate_at(step)
            inputs = data.features.batch(data.train_rows[batch], device, False, view)
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=amp):
                outputs = model(*inputs)
            negatives = None if objects is None else _negatives(model, data, objects, batch, view, device)
            losses = torch.stack(model.losses(outputs, targets[batch].to(device), sampling_rng, negatives))
            _check_losses(losses, epoch, step + 1, model, inputs)
            optimizer.zero_grad(set_to_none=True)
            losses.sum().backward()
            if settings.grad_clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), settings.grad_clip_norm)
            optimizer.step()
            sums += losses.detach() * len(batch)
            step += 1
            context.progress("training", step, num_steps)
        _check_weights(model, epoch, step)
        means = (sums / len(data.train_rows)).tolist()
        iou = top1_ious(model, data.index, data.features, data.val_rows, device)
        yield Epoch(
            epoch=epoch,
            num_epochs=settings.num_epochs,
            loss=sum(means),
            loss_objectness=means[0],
            loss_box=means[1],
            learning_rate=optimizer.param_groups[0]["lr"],
            val_acc_at_50=float((iou >= HIT_IOU).mean()),
            val_miou=float(iou.mean()),
            duration_ms=(time.monotonic() - started) * 1000,
        )


def _check_losses(losses: Tensor, epoch: int, step: int, model: ClipRPN, inputs: tuple[Tensor, ...]) -> None:
    """
    Raises:
        CliprpnError: loss_not_finite; with the line of a custom fusion that made the first NaN, if one did.
    """
    if losses.isfinite().all():
        return
    place = _non_finite_place(model, inputs)
    raise CliprpnError(
        "loss_not_finite",
        f"{'' if place is None else f'{place}: makes NaN or inf: '}epoch {epoch}, step {step}: objectness loss "
        f"{losses[0].item():g}, box loss {losses[1].item():g}; try a lower training.learning_rate",
    )


def _non_finite_place(model: ClipRPN, inputs: tuple[Tensor, ...]) -> str | None:
    path = custom_fusion_file(model.fusion_module)
    if path is None:
        return None
    feature_map, *others = inputs
    with torch.no_grad():
        mapped = feature_map if model.neck is None else model.neck(feature_map)
    return non_finite_line(model.fusion_module, path, (mapped, *others))


def _check_weights(model: ClipRPN, epoch: int, step: int) -> None:
    """
    Raises:
        CliprpnError: loss_not_finite.
    """
    # The losses were finite, but the last step may still have broken the weights.
    if not all(bool(parameter.isfinite().all()) for parameter in model.parameters()):
        raise CliprpnError(
            "loss_not_finite",
            f"epoch {epoch}, step {step}: the weights are not finite; try a lower training.learning_rate",
        )


def shuffle(data: TrainingData, settings: Training, rng: np.random.Generator) -> np.ndarray:
    """A random order of the training sentences: [N], indices into `train_rows`.

    If batched by image, all sentences of an image are adjacent: gradients that depend only on the image cancel within
    the batch, and the rest depends on the sentences. (Measured on the demo: a third fewer epochs.)
    """
    if settings.batch_by == "sentence":
        return rng.permutation(len(data.train_rows))
    image_rows = data.index.image_rows[data.train_rows]
    positions = rng.permutation(int(image_rows.max()) + 1)
    return np.argsort(positions[image_rows], kind="stable")


def _negatives(
    model: ClipRPN,
    data: TrainingData,
    objects: ImageObjects,
    batch: np.ndarray,
    view: int,
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Other objects of the same category: boxes [B, M, 4], float32, xyxy, pixels of the frame; and mask [B, M]."""
    rows = data.train_rows[batch]
    others = objects.others(rows)
    frames = data.features.frames_of(rows)[:, None].expand(-1, others.boxes.shape[1], -1)  # [B, M, 4]
    zoom = data.features.zoom(model.frame_size_px)
    boxes = to_frame(torch.from_numpy(others.boxes).flatten(0, 1), frames.flatten(0, 1), zoom)
    boxes = boxes.unflatten(0, others.mask.shape).float()
    if view > 0:
        augmented = data.features.view(view)
        fits = torch.from_numpy(augmented.fits[rows])
        boxes[fits] = augmented.object_boxes[torch.from_numpy(others.rows)[fits]] * zoom
    return boxes.to(device), torch.from_numpy(others.same_category).to(device)


def make_optimizer(model: torch.nn.Module, settings: Training, device: torch.device) -> torch.optim.Optimizer:
    """Adam or AdamW; weight decay excludes biases and the parameters of norms."""
    decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    not_decayed = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    optimizer = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": not_decayed, "weight_decay": 0.0},
    ]
    return optimizer(groups, lr=settings.learning_rate, fused=device.type in FUSED_ADAM_DEVICES)


def device_notes(settings: Training, device: torch.device) -> list[str]:
    """What training on an accelerator does differently from CUDA, one sentence each."""
    if device.type == "cpu":
        return []  # The reference; `training.amp` is documented to have no effect there.
    notes = []
    if settings.amp and device.type not in AMP_DEVICES:
        notes.append(
            f"training.amp is true, but mixed precision is used on CUDA only: on {device.type}, training is in float32."
        )
    if device.type not in FUSED_ADAM_DEVICES:
        notes.append(
            f"On {device.type}, {settings.optimizer} runs without torch's fused kernel: steps are slower, and results "
            "differ from CUDA's in the last digits."
        )
    return notes


def make_schedule(settings: Training, num_steps: int) -> Callable[[int], float]:
    """Returns a function from a step to the learning rate relative to the peak.

    Linear warm-up, then constant or cosine decay.
    """
    warmup = int(settings.warmup_fraction * num_steps)

    def rate(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        if settings.schedule == "constant":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, num_steps - warmup)))

    return rate


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
