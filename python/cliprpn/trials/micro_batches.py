"""Steps in parts: where a batch does not fit into the device's memory, gradients of micro-batches are added up.

The losses of a micro-batch divide by the numbers of the whole batch, and the optimizer runs once a batch. So updates,
their number and the learning rates are those of whole batches, up to rounding and to what dropout draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from cliprpn.contract.generated import Training
from cliprpn.features.frozen import FrozenFeatures
from cliprpn.models import ClipRPN
from cliprpn.models.rpn import BatchTotals
from cliprpn.out_of_memory import StepOutOfMemory, is_out_of_memory
from cliprpn.trials.step import TrainingStep
from cliprpn.trials.step_data import MicroBatch, StepData


class AccumulatedStep:
    """Runs a training step by the micro-batches of its data."""

    def __init__(self, step: TrainingStep, features: FrozenFeatures) -> None:
        self._step, self._features = step, features

    def __call__(self, data: StepData, rate: float, log: Callable[[Tensor], None]) -> None:
        """Takes the data, and else the arguments of `TrainingStep`."""
        step = self._step
        bounds = [(part.start, part.end) for part in data.micro_batches]
        totals = step.model.totals(data.targets, bounds, step.generator, data.negatives)
        step.set_rate(rate)
        step.optimizer.zero_grad(set_to_none=True)
        losses = torch.zeros(3, device=step.device)
        for part in data.micro_batches:
            losses += self._add_gradients(data, part, totals.of_rows(part.start, part.end))
        log(losses)
        step.apply()

    def _add_gradients(self, data: StepData, part: MicroBatch, totals: BatchTotals) -> Tensor:
        """In a function of its own, so that nothing of one micro-batch is in memory while the next one is computed."""
        loss, losses = self._step.forward(data.inputs(part, self._features, self._step), totals)
        self._step.backward(loss)
        return losses


@contextmanager
def memory_of_step(data: StepData, epoch: int, model: ClipRPN, settings: Training) -> Iterator[None]:
    """Surrounds a step.

    Raises:
        StepOutOfMemory
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        size = max(part.end - part.start for part in data.micro_batches)
        why_not = _why_not_smaller(size, model, settings)
        full = StepOutOfMemory(str(error), epoch, size, why_not)
        raise full.with_traceback(error.__traceback__) from error


def _why_not_smaller(size: int, model: ClipRPN, settings: Training) -> str | None:
    """Why a batch is not cut into smaller micro-batches.

    Args:
        size: of the micro-batches that did not fit.
    """
    now = f"training.batch_size (now {settings.batch_size})"
    if settings.cuda_graphs:
        return f"training.cuda_graphs needs whole batches; lower {now}, or set training.cuda_graphs to false"
    for name, module in model.named_modules():
        if isinstance(module, _BatchNorm) and (module.training or not module.track_running_stats):
            return (
                f"{name} ({type(module).__name__}) normalizes over the batch, so micro-batches would train another "
                f"model; lower {now}"
            )
    if size == 1:
        return (
            f"it did so with one sentence at a time, too; lowering {now} does not help: use a device with more memory, "
            "or fewer trials on it at the same time"
        )
    return None
