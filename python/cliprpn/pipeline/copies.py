"""Copies between the host and a device; on CUDA they overlap with computing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class HostCopy:
    """Tensors that are being copied to the host."""

    _tensors: list[Tensor]
    _copied: torch.cuda.Event | None

    def wait(self) -> list[np.ndarray]:
        """The values, after waiting for the copy; may be called in another thread."""
        if self._copied is not None:
            self._copied.synchronize()
        return [tensor.numpy() for tensor in self._tensors]


class Copies:
    """Copies to and from a device.

    On CUDA, copies in each direction have a stream of their own, and the host does not wait: it goes through
    page-locked memory. torch keeps that memory for the next copies, and reuses it only after the device has read it.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._is_cuda = device.type == "cuda"
        if self._is_cuda:
            self._up, self._down = torch.cuda.Stream(device), torch.cuda.Stream(device)

    def to_device(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The tensors on the device, for operations that are queued from now on."""
        if not self._is_cuda:
            return [tensor.to(self._device) for tensor in tensors]
        compute = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._up):
            copies = [tensor.pin_memory().to(self._device, non_blocking=True) for tensor in tensors]
        compute.wait_stream(self._up)
        for copy in copies:
            copy.record_stream(compute)  # The memory is not reused before `compute` has read it.
        return copies

    def to_host(self, tensors: Sequence[Tensor]) -> HostCopy:
        """Starts to copy results of operations that were queued so far."""
        if not self._is_cuda:
            return HostCopy([tensor.cpu() for tensor in tensors], None)
        self._down.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._down):
            copies = [tensor.to("cpu", non_blocking=True) for tensor in tensors]
            copied = torch.cuda.Event()
            copied.record(self._down)
        for tensor in tensors:
            tensor.record_stream(self._down)
        return HostCopy(copies, copied)
