"""State of the simulated devices."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from fakecuda.counts import Counts
from fakecuda.memory import Memory
from fakecuda.streams import Order
from fakecuda.tensor import CudaTensor


class FakeCuda:
    """The devices `cuda:0`, ... of a machine.

    Args:
        num_devices: how many there are.
        memory_bytes: of each.

    Attributes:
        counts: launches and synchronizations.
        order: of operators on several streams.
        initialized: whether CUDA was initialized, explicitly or by a first tensor.
        current: index of the device that `cuda` means.
        memories: of each device.
        full_at_step: the device is out of memory in this optimizer step, counted from 1; None for never.
        steps: optimizer steps so far.
    """

    def __init__(self, num_devices: int, memory_bytes: int) -> None:
        self.counts = Counts()
        self.initialized = False
        self.current = 0
        self.order = Order()
        self.memories = [Memory(index, memory_bytes, self.order) for index in range(num_devices)]
        self.full_at_step: int | None = None
        self.steps = 0
        # By address, which no other storage gets as long as there is a reference.
        self._pinned: dict[int, StorageWeakRef] = {}

    def take_counts(self) -> Counts:
        """The counts so far; later ones start from 0."""
        counts, self.counts = self.counts, Counts()
        return counts

    def resolve(self, device: str | int | torch.device | None) -> torch.device:
        """The device with its index.

        Raises:
            RuntimeError: there is no such device.
        """
        if device is None or isinstance(device, int):
            resolved = torch.device("cuda", self.current if device is None else device)
        else:
            resolved = torch.device(device)
        if resolved.type != "cuda":
            return resolved
        index = self.current if resolved.index is None else resolved.index
        if index >= len(self.memories):
            raise torch.AcceleratorError("CUDA error: invalid device ordinal")
        return torch.device("cuda", index)

    def memory(self, device: str | int | torch.device | None) -> Memory:
        """The memory of a device."""
        return self.memories[self.resolve(device).index]

    def wrap(self, numbers: Tensor, device: torch.device) -> CudaTensor:
        """The numbers as a tensor on the device.

        Raises:
            torch.OutOfMemoryError: they do not fit.
        """
        return CudaTensor(numbers, device, self.memories[device.index].allocate(numbers))

    def is_pinned(self, tensor: Tensor) -> bool:
        """Whether a CPU tensor is in page-locked memory."""
        reference = self._pinned.get(tensor.untyped_storage()._cdata)
        return reference is not None and not reference.expired()

    def pin(self, tensor: Tensor) -> None:
        """The memory of a CPU tensor is page-locked from now on."""
        storage = tensor.untyped_storage()
        self._pinned[storage._cdata] = StorageWeakRef(storage)


active: list[FakeCuda] = []


def active_cuda() -> FakeCuda:
    """The simulation that runs now.

    Raises:
        RuntimeError: a tensor is used after its simulation has ended.
    """
    if not active:
        raise RuntimeError("this tensor is on a simulated CUDA device that no longer exists")
    return active[-1]
