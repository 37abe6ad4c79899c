"""Runs an operator: checks it, counts it, computes it on the CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from fakecuda.arguments import replace_tensors, tensors_of
from fakecuda.counts import count_operator, host_copy, is_launch
from fakecuda.device import FakeCuda, active_cuda
from fakecuda.kernels import KERNELS
from fakecuda.rules import check_devices, check_generator, check_metadata, operator_name
from fakecuda.tensor import CudaTensor

CPU = torch.device("cpu")
OPTIMIZER_STEPS = {"_fused_adam_", "_fused_adamw_", "_fused_sgd_"}


class FakeCudaMode(TorchDispatchMode):
    """Takes operators without a tensor on the device, such as `torch.zeros(2, device="cuda")`."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch.is_inference_mode_enabled():  # Composite operators arrive whole there.
            with self:
                result = func.decompose(*args, **(kwargs or {}))
            if result is not NotImplemented:
                return result
        return call_operator(func, args, kwargs or {})


def call_operator(func: Any, args: Any, kwargs: Any) -> Any:
    """Runs an operator on the device, or on the CPU if it does not concern the device.

    Raises:
        RuntimeError: CUDA refuses the operands.
        torch.OutOfMemoryError: the result does not fit.
        NotImplementedError: the operator is not simulated.
    """
    name = operator_name(func)
    tensors = tensors_of(args, kwargs)
    device = _output_device(func, name, args, kwargs, tensors)
    on_device = any(tensor.is_cuda for tensor in tensors)
    check_generator(kwargs.get("generator"), device)
    if name == "_pin_memory":
        return _pin(args[0])
    if name == "is_pinned":
        return not on_device and active_cuda().is_pinned(args[0])
    if not on_device and device.type != "cuda":
        return func(*args, **kwargs)

    cuda = active_cuda()
    cuda.initialized = True
    check_metadata(func, name, kwargs)
    check_devices(func, name, args, tensors)
    _check_memory(cuda, name, device)
    before = cuda.counts.syncs.total()
    pinned = _is_pinned_copy(cuda, name, args, kwargs)
    count_operator(cuda.counts, func, args, kwargs, pinned)
    waits = cuda.counts.syncs.total() > before
    numbers, options = replace_tensors((args, kwargs), _numbers)
    if "device" in options:
        options["device"] = CPU
    options.pop("pin_memory", None)
    result = _wrap(cuda, func, KERNELS.get(name, func)(*numbers, **options), args, device)
    if is_launch(func, name):
        _order(cuda, func, name, args, kwargs, result)
    if waits:
        cuda.order.host_waits(stream=cuda.order.current)
    elif pinned:
        _copy(cuda, name, args, result)
    return result


def _order(cuda: FakeCuda, func: Any, name: str, args: Any, kwargs: Any, result: Any) -> None:
    """Gives the operator to the current stream, with the memory that it reads and writes."""
    written = _written(func, args, kwargs) if func._schema.is_mutable else tensors_of((result,), {})
    targets = {id(tensor) for tensor in written}
    read = [tensor for tensor in tensors_of(args, kwargs) if id(tensor) not in targets]
    cuda.order.launch(
        name,
        [tensor.allocation for tensor in read if isinstance(tensor, CudaTensor)],
        [tensor.allocation for tensor in written if isinstance(tensor, CudaTensor)],
    )


def _written(func: Any, args: Any, kwargs: Any) -> list[Tensor]:
    """The arguments that an operator writes into."""
    arguments = func._schema.arguments
    pairs = [*zip(arguments, args, strict=False)]
    pairs += [(argument, kwargs[argument.name]) for argument in arguments if argument.name in kwargs]
    values = [value for argument, value in pairs if argument.alias_info and argument.alias_info.is_write]
    return tensors_of(tuple(values), {})


def _copy(cuda: FakeCuda, name: str, args: Any, result: Any) -> None:
    """A copy between the device and page-locked memory, which the host does not wait for."""
    to_host = not result.is_cuda
    if to_host and name == "_to_copy":
        cuda.pin(result)
    source = args[0] if name == "_to_copy" else args[1]
    cuda.order.copy(result if to_host else source, to_host=to_host)


def _numbers(tensor: Tensor) -> Tensor:
    return tensor.numbers if isinstance(tensor, CudaTensor) else tensor


def _output_device(func: Any, name: str, args: Any, kwargs: Any, tensors: list[Tensor]) -> torch.device:
    """The device that is asked for, or else that of the first tensor on a device."""
    asked = kwargs.get("device")
    if asked is not None:
        asked = torch.device(asked)
        return active_cuda().resolve(asked) if asked.type == "cuda" else asked
    if tensors and (name in ("index", "copy") or func._schema.is_mutable):
        return tensors[0].device
    return next((tensor.device for tensor in tensors if tensor.is_cuda), CPU)


def _check_memory(cuda: FakeCuda, name: str, device: torch.device) -> None:
    """
    Raises:
        torch.OutOfMemoryError: in the step that the test asked for.
    """
    if name in OPTIMIZER_STEPS:
        cuda.steps += 1
    elif device.type == "cuda" and cuda.full_at_step == cuda.steps + 1:
        cuda.memory(device).raise_out_of_memory(0)


def _is_pinned_copy(cuda: FakeCuda, name: str, args: Any, kwargs: Any) -> bool:
    copy = host_copy(name, args, kwargs)
    if copy == "to device":
        return cuda.is_pinned(args[1] if name != "_to_copy" else args[0])
    # `to("cpu", non_blocking=True)` allocates page-locked memory for the copy.
    return copy == "to host" and (name == "_to_copy" or cuda.is_pinned(args[0]))


def _pin(tensor: Tensor) -> Tensor:
    if tensor.is_cuda:
        raise RuntimeError(f"cannot pin '{tensor.type()}' only dense CPU tensors can be pinned")
    copy = tensor.clone()
    active_cuda().pin(copy)
    return copy


def _wrap(cuda: FakeCuda, func: Any, result: Any, args: Any, device: torch.device) -> Any:
    """The result on its device; operators that write into an argument return this argument."""
    if func._schema.is_mutable:
        if result is None or isinstance(result, Tensor):
            return None if result is None else args[0]
        raise NotImplementedError(f"{func}: returns several tensors that it writes into")
    if device.type != "cuda" or operator_name(func) == "_local_scalar_dense":
        return result
    return replace_tensors(result, lambda tensor: cuda.wrap(tensor, device))
