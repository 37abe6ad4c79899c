"""Errors of a device without free memory, and batches that are halved until they fit."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import torch

from cliprpn.run_context import RunContext

# Devices and libraries for which torch raises a plain RuntimeError.
_MESSAGES = re.compile(
    r"can't allocate memory|not enough memory: you tried to allocate|MPS backend out of memory"
    r"|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
)
_CPU_MESSAGES = re.compile(r"can't allocate memory|not enough memory: you tried to allocate")

Result = TypeVar("Result")


def compute_in_batches(
    rows: np.ndarray, size: int, compute: Callable[[np.ndarray, int], Result], context: RunContext
) -> Iterator[tuple[np.ndarray, Result]]:
    """Batches of rows, and what is computed for each. A batch that does not fit into the device's memory is halved.

    The size that fits stays the limit of all later calls with this context.

    Args:
        rows: [N].
        size: of the batches.
        compute: gets the rows of a batch, and the position of the first one.

    Raises:
        Exception: from `compute`; that the device is out of memory only if a single row does not fit.
    """
    limit, start = context.batch_limit, 0
    while start < len(rows):
        batch = rows[start : start + min(size, limit.rows or size)]
        try:
            result = compute(batch, start)
        except Exception as error:
            if len(batch) == 1 or not is_out_of_memory(error):
                raise
        else:
            yield batch, result
            start += len(batch)
            continue
        # Only now: the error's frames have the tensors.
        release_memory(context.device)
        limit.rows = half(len(batch))
        context.warn(
            f"{context.device} ran out of memory with {len(batch)} expressions in an evaluation batch; continuing with "
            f"at most {limit.rows}. Results may differ in the last digits"
        )


class StepOutOfMemory(torch.OutOfMemoryError):
    """The device ran out of memory in a training step, whose model must not be trained further. The cause is the error.

    Attributes:
        epoch: from 1.
        size: sentences that went through the model together.
        why_not_smaller: why training does not continue with fewer, and what to do instead; None if it does.
    """

    def __init__(self, message: str, epoch: int, size: int, why_not_smaller: str | None) -> None:
        super().__init__(message)
        self.epoch, self.size, self.why_not_smaller = epoch, size, why_not_smaller


def half(size: int) -> int:
    """Half of a batch, rounded up."""
    return -(-size // 2)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the machine, had not enough memory for what was computed."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and _MESSAGES.search(str(error)) is not None
    )


def is_out_of_machine_memory(error: BaseException) -> bool:
    """Whether it was memory of the machine, not of an accelerator."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and _CPU_MESSAGES.search(str(error)) is not None
    )


def release_memory(device: torch.device) -> None:
    """Gives memory that nothing uses any more back to the device."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
