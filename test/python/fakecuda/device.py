"""The simulated devices: state, memory, page-locked memory."""

from __future__ import annotations

import os
import threading
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from fakecuda.counts import Counts
from fakecuda.order import Order, Uses
from fakecuda.tensor import CudaTensor

# Sizes are rounded up, as in torch's allocator.
BLOCK_BYTES = 512


class FakeCuda:
    """The devices `cuda:0`, ... of a machine.

    Args:
        num_devices: how many there are.
        memory_bytes: of each.

    Attributes:
        counts: launches and synchronizations.
        order: what is known to be done before what.
        initialized: whether CUDA was initialized, explicitly or by a first tensor.
        current: index of the device that `cuda` means.
        memories: of each device.
        of_thread: what each thread of the host has of its own, see `fakecuda.streams`.
        full_at_step: the device is out of memory in this optimizer step, counted from 1; None for never.
        steps: optimizer steps so far.
    """

    def __init__(self, num_devices: int, memory_bytes: int) -> None:
        self.counts = Counts()
        self.order = Order()
        self.initialized = False
        self.current = 0
        self.memories = [Memory(index, memory_bytes, self.order) for index in range(num_devices)]
        self.of_thread = threading.local()
        self.full_at_step: int | None = None
        self.steps = 0
        # The graph that is captured, and graphs by their memory pools; see graphs.py.
        self.capture: Any = None
        self.graphs: dict[tuple[int, int], Any] = {}
        self._process = os.getpid()
        # By address, which no other storage gets as long as it is referred to.
        self._pinned: dict[int, StorageWeakRef] = {}

    def initialize(self) -> None:
        """Initializes CUDA, unless it is.

        Raises:
            RuntimeError: this process was forked from one that had initialized it.
        """
        if not self.initialized:
            self.initialized, self._process = True, os.getpid()
        elif self._process != os.getpid():
            raise RuntimeError(
                "Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must use the "
                "'spawn' start method"
            )

    @property
    def counter(self) -> Any:
        """What counts launches and synchronizations: during capture the graph, which refuses the latter."""
        return self.counts if self.capture is None else self.capture

    def refuse_if_capturing(self, why: str) -> None:
        """
        Raises:
            torch.AcceleratorError: a graph is being captured.
        """
        if self.capture is not None:
            self.capture.refuse(why)

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

    def wrap(self, numbers: Tensor, device: torch.device, stream: int) -> CudaTensor:
        """The numbers as a tensor on the device.

        Args:
            stream: that memory is allocated by.

        Raises:
            torch.OutOfMemoryError: they do not fit.
            RaceError: see `Order.allocate`.
        """
        return CudaTensor(numbers, device, self.memories[device.index].allocate(numbers, stream))

    def pin(self, tensor: Tensor) -> Tensor:
        """Marks a CPU tensor's memory as page-locked. Returns the tensor."""
        self._pinned = {key: ref for key, ref in self._pinned.items() if not ref.expired()}
        storage = tensor.untyped_storage()
        self._pinned[storage._cdata] = StorageWeakRef(storage)
        return tensor

    def is_pinned(self, tensor: Tensor) -> bool:
        """Whether a CPU tensor is in page-locked memory."""
        return tensor.untyped_storage()._cdata in self._pinned


class Memory:
    """Memory of one device: what is allocated, the peak, what torch keeps for later allocations, too, and the limit.

    Args:
        index: number of the device.
        total: its bytes.
    """

    def __init__(self, index: int, total: int, order: Order) -> None:
        self.index, self.total, self.limit, self.order = index, total, total, order
        self.allocated = self.peak = self.reserved = 0
        self._live: WeakValueDictionary[int, Allocation] = WeakValueDictionary()

    def allocate(self, numbers: Tensor, stream: int) -> Allocation:
        """The allocation of a tensor's storage: a new one, or that of the tensor that it is a view of.

        Raises:
            torch.OutOfMemoryError: it exceeds the limit.
            RaceError: see `Order.allocate`.
        """
        storage = numbers.untyped_storage()
        found = self._live.get(storage._cdata)
        if found is None:
            size = -(-storage.nbytes() // BLOCK_BYTES) * BLOCK_BYTES
            found = Allocation(self, size, self.order.allocate(stream))
            self._live[storage._cdata] = found
        return found

    def raise_out_of_memory(self, size: int) -> None:
        """
        Raises:
            torch.OutOfMemoryError: always.
        """
        raise torch.OutOfMemoryError(
            f"CUDA out of memory. Tried to allocate {size / 2**20:.2f} MiB. GPU {self.index} has a total capacity of "
            f"{self.total / 2**30:.2f} GiB, of which {(self.limit - self.allocated) / 2**20:.2f} MiB may be used."
        )


class Allocation:
    """Memory of one storage, released with the last tensor that uses it."""

    def __init__(self, memory: Memory, size: int, uses: Uses) -> None:
        self.memory, self.size, self.uses = memory, 0, uses
        if memory.allocated + size > memory.limit:
            memory.raise_out_of_memory(size)
        self.size = size
        memory.allocated += size
        memory.peak = max(memory.peak, memory.allocated)
        memory.reserved = max(memory.reserved, memory.allocated)

    def __del__(self) -> None:
        self.memory.allocated -= self.size
        self.memory.order.free(self.uses)


active: list[FakeCuda] = []


def active_cuda() -> FakeCuda:
    """The simulation that runs now.

    Raises:
        RuntimeError: a tensor is used after its simulation has ended.
    """
    if not active:
        raise RuntimeError("this tensor is on a simulated CUDA device that no longer exists")
    return active[-1]
