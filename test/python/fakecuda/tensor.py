"""The tensor: it reports a CUDA device, and has a CPU tensor with its numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fakecuda.memory import Allocation


class CudaTensor(Tensor):
    """A tensor on a simulated device.

    Attributes:
        numbers: the same tensor on the CPU.
        allocation: device memory of its storage; views share it.
    """

    numbers: Tensor
    allocation: Allocation

    # As in a plain tensor: a `__torch_function__` would turn off fast paths of torch.nn.
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, numbers: Tensor, device: torch.device, allocation: Allocation) -> CudaTensor:
        tensor = Tensor._make_wrapper_subclass(
            cls,
            numbers.size(),
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            layout=numbers.layout,
            device=device,
        )
        tensor.numbers = numbers
        tensor.allocation = allocation
        return tensor

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from fakecuda.dispatch import call_operator  # It makes tensors of this class.

        return call_operator(func, args, kwargs or {})

    def numpy(self, *, force: bool = False) -> Any:
        """Refused without `force`, as on CUDA; torch has another message for subclasses."""
        if force:
            return self.detach().cpu().numpy()
        raise TypeError(
            f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
            "memory first."
        )

    def record_stream(self, stream: Any) -> None:
        """The memory is not reused before the stream has finished what it was given so far."""
        self.allocation.kept_for.add(stream.number)

    def tolist(self) -> Any:
        """The values as Python numbers; torch refuses it for subclasses."""
        return self.cpu().tolist()

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"CudaTensor({self.numbers!r}, device='{self.device}')"
