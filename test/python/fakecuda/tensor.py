"""What lives on a simulated device: tensors and generators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor

if TYPE_CHECKING:
    from fakecuda.device import Allocation

CpuGenerator = torch.Generator


class CudaTensor(Tensor):
    """A tensor that reports a CUDA device, and has a CPU tensor with its numbers.

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

    def untyped_storage(self) -> torch.UntypedStorage:
        """The memory of its numbers, whose address it has."""
        return self.numbers.untyped_storage()

    def tolist(self) -> Any:
        """The values as Python numbers; torch refuses it for subclasses."""
        return self.cpu().tolist()

    def record_stream(self, stream: Any) -> None:
        """The memory is not reused before the stream has done what it has to do when the tensor is freed."""
        self.allocation.uses.recorded.add(stream.stream_id)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A leaf's copy; torch would copy the attributes."""
        if not self.is_leaf:
            raise RuntimeError("Only Tensors created explicitly by the user support the deepcopy protocol")
        if id(self) not in memo:
            copy = self.detach().clone()
            is_parameter = isinstance(self, torch.nn.Parameter)
            memo[id(self)] = (
                torch.nn.Parameter(copy, self.requires_grad)
                if is_parameter
                else copy.requires_grad_(self.requires_grad)
            )
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        """
        Raises:
            NotImplementedError: always; CUDA tensors are not sent to other processes, and files have CPU tensors.
        """
        raise NotImplementedError("pickling a CUDA tensor is not simulated; copy it to the CPU first")

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"CudaTensor({self.numbers!r}, device='{self.device}')"


class Generator(CpuGenerator):
    """A generator of a device. It draws the numbers of the CPU's with the same seed, so that results can be compared.

    Without a generator, operators on the device draw from the CPU's default one, for the same reason.
    """

    said: torch.device

    def __new__(cls, device: str | torch.device = "cpu") -> Any:
        if torch.device(device).type == "cpu":
            return CpuGenerator()
        generator = super().__new__(cls)
        said = torch.device(device)
        generator.said = torch.device("cuda", said.index or 0)
        _by_address[generator._cdata] = generator
        return generator

    def __init__(self, device: str | torch.device = "cpu") -> None:
        super().__init__()

    @property
    def device(self) -> torch.device:
        return self.said


def device_of(generator: torch.Generator) -> torch.device:
    """The device of a generator that an operator gets: there, torch makes another object of the same generator."""
    return _by_address.get(generator._cdata, generator).device


_by_address: WeakValueDictionary[int, Generator] = WeakValueDictionary()
