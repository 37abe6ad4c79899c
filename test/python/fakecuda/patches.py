"""Makes the simulated device available: replaces what asks for a driver."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch

from fakecuda import backward, graphs, kernels, streams
from fakecuda.device import FakeCuda, active
from fakecuda.dispatch import FakeCudaMode
from fakecuda.tensor import CudaTensor, Generator

NAME = "simulated CUDA device"


@contextmanager
def fake_cuda(num_devices: int = 1, memory_bytes: int = 16 * 2**30) -> Iterator[FakeCuda]:
    """Simulates CUDA devices in this process until the block ends.

    Args:
        num_devices: cuda:0, cuda:1, ...
        memory_bytes: memory of each.
    """
    torch._C._ensureCUDADeviceGuardSet()  # A guard without a driver.
    cuda = FakeCuda(num_devices, memory_bytes)
    with ExitStack() as stack:
        for name, value in _replacements(cuda).items():
            stack.enter_context(mock.patch(name, value))
        # `torch.tensor(values, device="cuda")` makes a CPU tensor, and then copies it.
        stack.callback(torch._C._set_only_lift_cpu_tensors, torch._C._only_lift_cpu_tensors())
        torch._C._set_only_lift_cpu_tensors(True)
        if not active:  # Inner simulations have the mode of the outermost one.
            stack.enter_context(mock.patch("threading.Thread.run", _with_mode(threading.Thread.run)))
            stack.enter_context(FakeCudaMode())
        active.append(cuda)
        stack.callback(active.remove, cuda)
        yield cuda


def _replacements(cuda: FakeCuda) -> dict[str, Any]:
    return {
        **_of_state(cuda),
        **_of_memory(cuda),
        **_of_streams(cuda),
        **graphs.REPLACEMENTS,
        "torch.Generator": Generator,
        "torch.autograd.backward": _choose_backward(torch.autograd.backward),
        "torch.nn.functional.scaled_dot_product_attention": kernels.choose_attention(
            torch.nn.functional.scaled_dot_product_attention
        ),
        # Else Module.to() would copy the outside of a tensor into the parameter, without its numbers.
        "torch.__future__.get_overwrite_module_params_on_conversion": lambda: True,
        # As CUDA tensors have: optimizers and clip_grad_norm_ then process all parameters in one launch.
        "torch.utils._foreach_utils._foreach_supported_types": [
            *torch.utils._foreach_utils._foreach_supported_types,
            CudaTensor,
        ],
    }


def _of_state(cuda: FakeCuda) -> dict[str, Any]:
    """Devices, and initialization by whatever needs it."""

    def exchange(index: int) -> int:
        before = cuda.current
        if index >= 0:
            cuda.current = cuda.resolve(index).index
        return before

    def set_device(device: str | int | torch.device) -> None:
        cuda.current = cuda.resolve(device).index

    def properties(device: str | int | torch.device | None = None) -> SimpleNamespace:
        cuda.initialize()
        return SimpleNamespace(
            name=NAME, major=9, minor=0, total_memory=cuda.memory(device).total, multi_processor_count=132
        )

    return {
        "torch.cuda._lazy_init": cuda.initialize,
        "torch.cuda.is_available": lambda: True,
        "torch.cuda.is_initialized": lambda: cuda.initialized,
        "torch.cuda.device_count": lambda: len(cuda.memories),
        "torch.cuda.current_device": lambda: cuda.current,
        "torch.cuda.set_device": set_device,
        "torch.cuda._exchange_device": exchange,
        "torch.cuda._maybe_exchange_device": exchange,
        "torch.cuda.get_device_properties": properties,
        "torch.cuda.get_device_name": lambda device=None: properties(device).name,
        "torch.cuda.get_device_capability": lambda device=None: (9, 0),
        "torch.cuda.is_bf16_supported": lambda including_emulation=True: True,
        "torch.cuda.default_generators": tuple(
            Generator(f"cuda:{index}") for index in range(len(cuda.memories))
        ),
    }


def _of_memory(cuda: FakeCuda) -> dict[str, Any]:
    """Statistics, which read 0 before CUDA is initialized and cannot be reset."""

    def free_and_total(device: Any = None) -> tuple[int, int]:
        cuda.initialize()
        memory = cuda.memory(device)
        return memory.total - memory.allocated, memory.total

    def reset_peak(device: Any = None) -> None:
        if not cuda.initialized:
            raise RuntimeError("Invalid device argument 0: did you call init?")
        cuda.memory(device).peak = cuda.memory(device).allocated

    def empty_caches() -> None:
        for memory in cuda.memories:
            memory.reserved = memory.allocated

    def set_fraction(fraction: float, device: Any = None) -> None:
        cuda.initialize()
        cuda.memory(device).limit = int(fraction * cuda.memory(device).total)

    return {
        "torch.cuda.mem_get_info": free_and_total,
        "torch.cuda.memory_allocated": lambda device=None: cuda.memory(device).allocated,
        "torch.cuda.max_memory_allocated": lambda device=None: cuda.memory(device).peak,
        "torch.cuda.memory_reserved": lambda device=None: cuda.memory(device).reserved,
        "torch.cuda.reset_peak_memory_stats": reset_peak,
        "torch.cuda.empty_cache": empty_caches,
        "torch.cuda.set_per_process_memory_fraction": set_fraction,
    }


def _of_streams(cuda: FakeCuda) -> dict[str, Any]:
    def synchronize(device: str | int | torch.device | None = None) -> None:
        cuda.initialize()
        cuda.counter.add_sync("synchronize")
        for stream in [*cuda.order.clocks]:
            cuda.order.wait_on_host(cuda.order.clock(stream))

    return {
        "torch.cuda.Stream": streams.Stream,
        "torch.cuda.Event": streams.Event,
        "torch.cuda.current_stream": streams.current_stream,
        "torch.cuda.default_stream": streams.default_stream,
        "torch.cuda.set_stream": streams.set_stream,
        "torch.cuda.synchronize": synchronize,
    }


def _with_mode(run: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    """torch keeps modes by thread, so new threads enter the mode, too."""

    def run_with_mode(thread: threading.Thread) -> None:
        with FakeCudaMode():
            run(thread)

    return run_with_mode


def _choose_backward(of_torch: Callable[..., None]) -> Callable[..., None]:
    def choose(tensors: Any, *args: Any, **kwargs: Any) -> None:
        on_device = any(
            isinstance(each, CudaTensor) for each in ([tensors] if torch.is_tensor(tensors) else tensors)
        )
        (backward.backward if on_device else of_torch)(tensors, *args, **kwargs)

    return choose
