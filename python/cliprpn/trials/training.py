"""Trains a ClipRPN on frozen features."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from cliprpn.contract.generated import Epoch, Training
from cliprpn.data.image_objects import ImageObjects
from cliprpn.errors import CliprpnError
from cliprpn.inference.build import custom_fusion_file
from cliprpn.inference.predict import KeptOutputs, top1_ious
from cliprpn.metrics import HIT_IOU
from cliprpn.models import ClipRPN
from cliprpn.run_context import RunContext
from cliprpn.trials.checkpoint import Checkpoints
from cliprpn.trials.cuda_graphs import PADDED_TO, GraphedStep
from cliprpn.trials.finite import LossLog
from cliprpn.trials.fusion_state import FusionState
from cliprpn.trials.loop_state import LoopState, Position
from cliprpn.trials.micro_batches import AccumulatedStep, memory_of_step
from cliprpn.trials.optimizer import make_optimizer, make_schedule
from cliprpn.trials.step import TrainingStep
from cliprpn.trials.step_data import TrainingData, frame_targets, prepare_steps


def train_model(
    model: ClipRPN,
    data: TrainingData,
    settings: Training,
    seed: int,
    context: RunContext,
    kept: KeptOutputs | None = None,
    checkpoints: Checkpoints | None = None,
) -> Iterator[Epoch]:
    """Trains the model in place; yields after every epoch, so that the caller can save the model.

    Args:
        seed: of the order of the sentences and of the sampling of anchors.
        kept: gets the outputs for val of the epoch.
        checkpoints: written after every epoch, within long ones, and when the run is asked to stop; training continues
            at their progress.

    Raises:
        CliprpnError: bad_input, if the device cannot train with this precision; loss_not_finite, interrupted.
        StepOutOfMemory: the device ran out of memory in a step.
    """
    device = context.device
    optimizer = make_optimizer(model, settings, device)
    log = LossLog(model, data.features, device)
    steps_per_epoch = math.ceil(len(data.train_rows) / settings.batch_size)
    num_steps = steps_per_epoch * settings.num_epochs
    rate_at = make_schedule(settings, num_steps)
    objects = ImageObjects(data.index) if model.rules.negatives_loss_weight > 0 else None
    shuffle_rng = np.random.default_rng(seed)
    sampling_rng = torch.Generator(device).manual_seed(seed)
    eager_step = TrainingStep(model, optimizer, settings, sampling_rng, log.num_steps > 1)
    whole_step = (
        GraphedStep(eager_step, custom_fusion_file(model.fusion_module))
        if settings.cuda_graphs
        else eager_step
    )
    in_parts = AccumulatedStep(eager_step, data.features)
    micro_batch_size = None if checkpoints is None else checkpoints.progress.micro_batch_size
    padded_to = PADDED_TO if settings.cuda_graphs else 1
    fusion = FusionState(model.fusion_module)
    state = LoopState(model, optimizer, shuffle_rng, sampling_rng, log, fusion)
    position = state.restore(None if checkpoints is None else checkpoints.progress)
    rate = 0.0
    for epoch in range(position.epoch, settings.num_epochs + 1):
        started = time.monotonic() - position.elapsed_ms / 1000
        state.begin_epoch()
        model.train()
        view = (epoch - 1) % (settings.views + 1)  # 0: no augmentation.
        gt_boxes = frame_targets(model, data.index, data.features, data.train_rows, view)
        batches = np.array_split(shuffle(data, settings, shuffle_rng), steps_per_epoch)
        for first in range(position.batch, steps_per_epoch, log.num_steps):
            if first > position.batch and checkpoints is not None and checkpoints.is_due():
                state.save(checkpoints, Position(epoch, first, _ms_since(started)), context)
            some = batches[first : first + log.num_steps]
            steps = prepare_steps(
                model, data, objects, gt_boxes, some, view, padded_to, device, micro_batch_size
            )
            for batch, data_i in enumerate(steps, first):
                if context.should_stop():
                    if batch > position.batch and checkpoints is not None:
                        log.read(epoch)
                        state.save(checkpoints, Position(epoch, batch, _ms_since(started)), context)
                    raise CliprpnError("interrupted", f"stopped in epoch {epoch}")
                step = (epoch - 1) * steps_per_epoch + batch
                rate = settings.learning_rate * rate_at(step)
                add = partial(log.add, data=data_i, epoch=epoch)
                with memory_of_step(data_i, epoch, model, settings):
                    if micro_batch_size is None:
                        (all_of_it,) = data_i.micro_batches
                        whole_step(data_i.inputs(all_of_it, data.features, eager_step), rate, add)
                    else:
                        in_parts(data_i, rate, add)
                context.progress("training", step + 1, num_steps)
        log.read(epoch)
        means = log.take_means(epoch, len(data.train_rows))
        iou = top1_ious(model, data.index, data.features, data.val_rows, context, kept)
        yield Epoch(
            epoch=epoch,
            num_epochs=settings.num_epochs,
            loss=sum(means),
            loss_objectness=means[0],
            loss_box=means[1],
            learning_rate=rate,
            val_acc_at_50=float((iou >= HIT_IOU).mean()),
            val_miou=float(iou.mean()),
            duration_ms=_ms_since(started),
        )
        position = Position(epoch + 1)
        if checkpoints is not None:
            state.begin_epoch()
            state.save(checkpoints, position, context)


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


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000
