"""Memory of a simulated device: what is allocated, the peak, and the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import torch
from torch import Tensor

if TYPE_CHECKING:
    from fakecuda.streams import Order

# Sizes are rounded up, as in torch's allocator.
BLOCK_BYTES = 512


class Memory:
    """Memory of one device.

    Args:
        index: number of the device.
        total: its bytes.
        order: of operators on its streams.
    """

    def __init__(self, index: int, total: int, order: Order) -> None:
        self.index, self.total, self.limit = index, total, total
        self.order = order
        self.allocated = self.peak = 0
        self._live: WeakValueDictionary[int, Allocation] = WeakValueDictionary()

    def allocate(self, numbers: Tensor) -> Allocation:
        """The allocation of a tensor's storage: a new one, or that of the tensor that it is a view of.

        Raises:
            torch.OutOfMemoryError: it exceeds the limit.
        """
        storage = numbers.untyped_storage()
        found = self._live.get(storage._cdata)
        if found is None:
            found = Allocation(self, -(-storage.nbytes() // BLOCK_BYTES) * BLOCK_BYTES)
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
    """Memory of one storage, released with the last tensor that uses it.

    Attributes:
        stream: that it was allocated on.
        kept_for: streams of `record_stream`: the memory is not reused before they have finished.
        writes: by stream, the number of the last operator that wrote it.
        reads: by stream, the number of the last operator that read it since.
    """

    def __init__(self, memory: Memory, size: int) -> None:
        self.memory, self.size = memory, 0
        self.stream = memory.order.current
        self.kept_for = {self.stream}
        self.writes: dict[int, int] = {}
        self.reads: dict[int, int] = {}
        if memory.allocated + size > memory.limit:
            memory.raise_out_of_memory(size)
        self.size = size
        memory.allocated += size
        memory.peak = max(memory.peak, memory.allocated)

    def __del__(self) -> None:
        self.memory.allocated -= self.size
        self.memory.order.free(self)
