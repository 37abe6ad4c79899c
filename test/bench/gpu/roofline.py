"""Peaks of the device, measured, and what a training step needs at least: arithmetic, and traffic of its memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from bench.gpu.device import wait_for
from bench.gpu.features import Size
from bench.gpu.row import Row
from cliprpn.contract.generated import Training
from cliprpn.models import ClipRPN
from cliprpn.run_context import RunContext
from cliprpn.trials.step_data import TrainingData
from cliprpn.trials.training import train_model

# Forward and backward pass each read a parameter in float32; the backward pass writes its gradient; fused Adam reads
# parameter, gradient and two moments, and writes parameter and two moments.
BYTES_PER_PARAMETER = 4 + 4 + 4 + 16 + 12
REPEATS = 10
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def measure_peaks(size: Size, device: torch.device) -> Iterator[Row]:
    """Products of matrices of random numbers, in each precision, and a copy: the mean of some, after a warm-up."""
    figures = {}
    for name, dtype in DTYPES.items():
        a, b = (torch.randn(size.matmul, size.matmul, device=device).to(dtype) for _ in range(2))
        figures[f"{name}_flops_per_s"] = 2 * size.matmul**3 / _mean_s(lambda a=a, b=b: torch.mm(a, b), device)
    source = torch.randn(size.copy_bytes // 4, device=device)
    target = torch.empty_like(source)
    seconds = _mean_s(lambda: target.copy_(source), device)
    figures["bytes_per_s"] = 2 * source.nbytes / seconds
    note = f"products of {size.matmul} x {size.matmul}, a copy of {size.copy_bytes / 2**30:.3g} GiB, read and written"
    yield Row("peaks", "peaks of the device", figures, [note])


def _mean_s(work: Callable[[], object], device: torch.device) -> float:
    for _ in range(3):
        work()
    wait_for(device)
    started = time.perf_counter()
    for _ in range(REPEATS):
        work()
    wait_for(device)
    return (time.perf_counter() - started) / REPEATS


@dataclass(frozen=True)
class StepCost:
    """What a step needs.

    Attributes:
        flops: of matrix products and convolutions, forward and backward.
        least_bytes: its features, and the traffic of parameters and optimizer, each once.
        operator_bytes: what all operators read and write, if none are fused.
    """

    flops: float
    least_bytes: float
    operator_bytes: float


def count_step(model: ClipRPN, data: TrainingData, settings: Training, context: RunContext) -> StepCost:
    """Counts a step of `train_model`, as the difference of two steps and one; it trains the model."""

    def run(num_steps: int) -> tuple[float, float]:
        rows = data.train_rows[: num_steps * settings.batch_size]
        part = TrainingData(data.index, data.features, rows, data.val_rows[:1])
        one_epoch = settings.model_copy(update={"num_epochs": 1})
        with FlopCounterMode(display=False) as flops, Traffic() as traffic:
            list(train_model(model, part, one_epoch, 0, context))
        return float(flops.get_total_flops()), float(traffic.num_bytes)

    (flops, num_bytes), (flops_2, num_bytes_2) = run(1), run(2)
    feature_map, words, _, pooled = data.features.batch(
        data.train_rows[: settings.batch_size], context.device
    )
    features = 2 * (feature_map.numel() + words.numel() + pooled.numel())
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return StepCost(flops_2 - flops, features + parameters * BYTES_PER_PARAMETER, num_bytes_2 - num_bytes)


class Traffic(TorchDispatchMode):
    """Adds up the bytes that operators read and write: their inputs and outputs; of a gather, only what it selects."""

    GATHERS = ("index", "index_select", "gather", "embedding")

    def __init__(self) -> None:
        super().__init__()
        self.num_bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        outputs = func(*args, **(kwargs or {}))
        if not func.is_view:
            read, written = _tensors((args, kwargs)), _tensors(outputs)
            if func.overloadpacket.__name__ in self.GATHERS:
                read = [*read[1:], *written]
            elif func._schema.is_mutable:
                written = [*written, *read]
            self.num_bytes += sum(_stored_bytes(tensor) for tensor in (*read, *written))
        return outputs


def _tensors(value: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]


def _stored_bytes(tensor: Tensor) -> int:
    """Without the copies of an expanded tensor."""
    sizes = [size for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride > 0]
    count = 1
    for size in sizes:
        count *= size
    return 0 if tensor.numel() == 0 else count * tensor.element_size()
