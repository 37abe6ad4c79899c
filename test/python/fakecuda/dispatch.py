"""Runs an operator: checks it, counts it, computes it on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from fakecuda.counts import ALLOCATING, count_operator, host_copy, is_non_blocking, place
from fakecuda.determinism import check_determinism
from fakecuda.device import FakeCuda, active_cuda
from fakecuda.kernels import KERNELS
from fakecuda.order import HostCopy, fill_with_nonsense
from fakecuda.rules import check_devices, check_generator, check_metadata, check_types, operator_name
from fakecuda.streams import current_stream_id
from fakecuda.tensor import CudaTensor

CPU = torch.device("cpu")
OPTIMIZER_STEPS = {"_fused_adam_", "_fused_adamw_", "_fused_sgd_"}


class FakeCudaMode(TorchDispatchMode):
    """Takes operators without a tensor on the device, such as `torch.zeros(2, device="cuda")`."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Else torch turns its compiler off for each operator, and on again."""
        return False

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
        RaceError: it uses memory that another stream or a copy uses.
        torch.OutOfMemoryError: the result does not fit.
        NotImplementedError: the operator is not simulated.
    """
    name = operator_name(func)
    tensors = tensors_of(args, kwargs)
    device = _output_device(func, name, args, kwargs, tensors)
    on_device = any(tensor.is_cuda for tensor in tensors)
    check_generator(kwargs.get("generator"), device)
    cuda = active_cuda()
    if not on_device and device.type != "cuda":
        return _call_on_host(cuda, func, name, args, kwargs, tensors)
    if name == "_pin_memory":
        raise RuntimeError(f"cannot pin '{tensors[0].type()}' only dense CPU tensors can be pinned")
    if name == "is_pinned":
        return False
    cuda.initialize()
    check_metadata(func, name, kwargs)
    check_devices(func, name, args, tensors)
    check_types(name, tensors)
    check_determinism(func, name, args, kwargs)
    _check_memory(cuda, name, device)
    with cuda.order.lock:
        return _call_on_device(cuda, func, name, args, kwargs, tensors, device)


def _call_on_host(cuda: FakeCuda, func: Any, name: str, args: Any, kwargs: Any, tensors: list[Tensor]) -> Any:
    if name == "is_pinned":
        return cuda.is_pinned(args[0])
    if cuda.order.host_copies and not func.is_view and name != "detach":
        written = written_tensors(func, args, kwargs)
        for tensor in tensors:
            cuda.order.use_on_host(tensor, any(tensor is each for each in written), name)
    if name == "_pin_memory":
        cuda.refuse_if_capturing("operation not permitted when stream is capturing (pin_memory)")
        cuda.initialize()
        return cuda.pin(args[0].clone())
    if kwargs.get("pin_memory"):
        cuda.initialize()
        return cuda.pin(func(*args, **{**kwargs, "pin_memory": False}))
    return func(*args, **kwargs)


def _call_on_device(
    cuda: FakeCuda, func: Any, name: str, args: Any, kwargs: Any, tensors: list[Tensor], device: torch.device
) -> Any:
    order = cuda.order
    queue = device if device.type == "cuda" else next(each.device for each in tensors if each.is_cuda)
    stream = current_stream_id(queue.index)
    # A copy between devices waits for both, and both wait for it.
    others = [
        current_stream_id(each.device.index) for each in tensors if each.is_cuda and each.device != queue
    ]
    for other in others:
        order.wait_on_stream(stream, order.clock(other))
    pinned = _is_pinned_copy(cuda, name, args, kwargs)
    launches, waits = count_operator(cuda.counter, func, args, kwargs, pinned)
    if cuda.capture is not None:
        return cuda.capture.record(func, name, args, kwargs, launches, device)
    if launches:
        order.launch(stream)
        _order_arguments(cuda, func, name, args, kwargs, tensors, stream)
    kernel, numbers, options = on_cpu(func, name, args, kwargs)
    result = wrap_result(cuda, func, _compute(name, kernel, numbers, options), args, device, stream)
    if not launches:
        return result
    if not func._schema.is_mutable:
        for tensor in tensors_of((result,), {}):
            if isinstance(tensor, CudaTensor):
                order.write(tensor.allocation.uses, stream, name)
    for other in others:
        order.wait_on_stream(other, order.clock(stream))
    if waits:
        order.wait_on_host(order.clock(stream))
    elif pinned and is_non_blocking(name, args, kwargs):
        _start_host_copy(cuda, name, args, result, stream)
    return result


def on_cpu(func: Any, name: str, args: Any, kwargs: Any) -> tuple[Callable[..., Any], Any, Any]:
    """What computes an operator on the CPU, and its arguments there."""
    numbers, options = replace_tensors((args, kwargs), _numbers)
    if "device" in options:
        options["device"] = CPU
    options.pop("pin_memory", None)
    return KERNELS.get(name, func), numbers, options


def _compute(name: str, kernel: Callable[..., Any], numbers: Any, options: Any) -> Any:
    result = kernel(*numbers, **options)
    if name in ALLOCATING:
        fill_with_nonsense(result)
    return result


def _order_arguments(
    cuda: FakeCuda, func: Any, name: str, args: Any, kwargs: Any, tensors: list[Tensor], stream: int
) -> None:
    """Checks that what an operator uses is ready on its stream."""
    written = written_tensors(func, args, kwargs)
    for tensor in tensors:
        writes = any(tensor is each for each in written)
        if not isinstance(tensor, CudaTensor):
            if cuda.order.host_copies:
                cuda.order.use_on_device(tensor, writes, stream, name)
        elif writes:
            cuda.order.write(tensor.allocation.uses, stream, name)
        elif tensor.numel() > 0:
            cuda.order.read(tensor.allocation.uses, stream, name)


def written_tensors(func: Any, args: Any, kwargs: Any) -> list[Tensor]:
    """The arguments that an operator writes into."""
    if not func._schema.is_mutable:
        return []
    found: list[Any] = []
    for position, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            found.append(args[position] if position < len(args) else kwargs.get(argument.name))
    return tensors_of(tuple(found), {})


def _start_host_copy(cuda: FakeCuda, name: str, args: Any, result: Any, stream: int) -> None:
    source, target = (args[0], result) if name == "_to_copy" else (args[1], args[0])
    to_host = not target.is_cuda
    memory = target if to_host else source
    if name == "_to_copy" and to_host:
        cuda.pin(memory)
    cuda.order.start_host_copy(
        HostCopy(memory, memory.clone(), stream, cuda.order.clocks[stream][stream], to_host, place())
    )


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


def wrap_result(cuda: FakeCuda, func: Any, result: Any, args: Any, device: torch.device, stream: int) -> Any:
    """The result on its device; operators that write into an argument return this argument."""
    if func._schema.is_mutable:
        if result is None or isinstance(result, Tensor):
            return None if result is None else args[0]
        raise NotImplementedError(f"{func}: returns several tensors that it writes into")
    if device.type != "cuda" or operator_name(func) == "_local_scalar_dense":
        return result
    return replace_tensors(result, lambda tensor: cuda.wrap(tensor, device, stream))


def tensors_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """All tensors among an operator's arguments. Faster than torch's pytree: they are tensors, or lists of tensors."""
    found = []
    for value in (*args, *kwargs.values()) if kwargs else args:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += [part for part in value if isinstance(part, Tensor)]
    return found


def replace_tensors(value: Any, replace: Callable[[Tensor], Any]) -> Any:
    """A value, list, tuple or dict of values, with its tensors replaced."""
    if isinstance(value, Tensor):
        return replace(value)
    if isinstance(value, dict):
        return {key: replace_tensors(part, replace) for key, part in value.items()}
    if isinstance(value, list):
        return [replace_tensors(part, replace) for part in value]
    if isinstance(value, tuple):
        return tuple(replace_tensors(part, replace) for part in value)
    return value
