"""What CUDA refuses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fakecuda.tensor import device_of

# May have operands on several devices: they copy.
COPYING = {"_to_copy", "copy_", "copy", "_copy_from", "_copy_from_and_resize", "_foreach_copy_"}
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index", "_unsafe_index_put"}
# Besides elementwise operators, these take a CPU scalar: they read its value on the host.
READING_SCALARS = {"masked_fill", "masked_fill_", "fill", "fill_", "index_fill", "index_fill_"}

# cuBLAS and cuDNN have no integers; on the CPU, these operators do.
PRODUCTS = {"mm", "bmm", "addmm", "baddbmm", "addbmm", "mv", "addmv", "dot", "convolution"}


def operator_name(func: Any) -> str:
    """The name without namespace and overload, such as `index_put_`."""
    found = _names.get(func)
    if found is None:
        found = _names[func] = func._schema.name.rpartition("::")[2]
    return found


_names: dict[Any, str] = {}


def check_devices(func: Any, name: str, args: Any, tensors: list[Tensor]) -> None:
    """Checks that an operator's tensors are on one device.

    A CPU tensor without dimensions may meet CUDA tensors in elementwise operators, and a CPU index may address a
    CUDA tensor.

    Raises:
        RuntimeError: as CUDA does.
    """
    devices = {tensor.device for tensor in tensors}
    if len(devices) < 2 or name in COPYING:
        return
    if name in INDEXING:
        _check_index(args)
        return
    own = next(device for device in devices if device.type == "cuda")
    scalars = torch.Tag.pointwise in func.tags or name in READING_SCALARS or name.startswith("_foreach")
    written = args[0] if func._schema.is_mutable and args and isinstance(args[0], Tensor) else None
    for tensor in tensors:
        if tensor.device == own:
            continue
        if scalars and tensor.device.type == "cpu" and tensor.dim() == 0 and tensor is not written:
            continue
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{own} and {tensor.device}! (when checking arguments in {func}; shapes "
            f"{[list(tensor.shape) for tensor in tensors]})"
        )


def _check_index(args: Any) -> None:
    indexed, indices = args[0], [index for index in args[1] if index is not None]
    for index in indices:
        if index.device not in (indexed.device, torch.device("cpu")):
            raise RuntimeError(
                "indices should be either on cpu or on the same device as the indexed tensor "
                f"({indexed.device.type})"
            )
    for value in args[2:3]:
        if value.device != indexed.device and not (value.device.type == "cpu" and value.dim() == 0):
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but found at least two devices, {indexed.device} "
                f"and {value.device}! (when assigning values by index)"
            )


def check_generator(generator: torch.Generator | None, device: torch.device) -> None:
    """Checks that random numbers are drawn by a generator of their device.

    Raises:
        RuntimeError: as CUDA does.
    """
    if generator is None:
        return
    own = device_of(generator)
    if own.type != device.type:
        raise RuntimeError(f"Expected a '{device.type}' device type for generator but found '{own.type}'")
    if own != device:
        raise RuntimeError(f"Expected a '{device}' generator device but found '{own}'")


def check_metadata(func: Any, name: str, kwargs: Any) -> None:
    """Rejects operators that change a tensor's shape in place, which the simulation does not follow.

    Raises:
        NotImplementedError: such an operator.
    """
    outputs = [kwargs[key] for key in ("out", "out0", "out1") if key in kwargs]
    if torch.Tag.inplace_view in func.tags or name in ("set_", "resize_") or outputs:
        raise NotImplementedError(
            f"{func}: not simulated on a CUDA device; see test/python/fakecuda/rules.py"
        )


def check_types(name: str, tensors: list[Tensor]) -> None:
    """
    Raises:
        NotImplementedError: CUDA has no kernel for these types.
    """
    if name in PRODUCTS and not any(part.is_floating_point() or part.is_complex() for part in tensors):
        raise NotImplementedError(f"\"{name}_cuda\" not implemented for '{tensors[0].dtype}'")
