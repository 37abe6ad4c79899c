"""CUDA graphs of the simulated device: capture records operators, replay runs them again on the same memory.

Nothing runs during capture, as on CUDA: what captured operators write has no values until the first replay, and tensors
that existed before keep theirs. A graph reads and writes the memory that it was captured with, so code that gives it
new tensors instead of new values computes with the old values here, too. Capture refuses what CUDA refuses.

Memory of a shared pool is never used twice, as it may be on CUDA; instead, a replay destroys what the other graphs of
its pool have computed.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from fakecuda.device import Allocation, active_cuda
from fakecuda.dispatch import on_cpu, replace_tensors, tensors_of, wrap_result, written_tensors
from fakecuda.rules import COPYING
from fakecuda.streams import current_stream, current_stream_id, default_stream
from fakecuda.tensor import CpuGenerator, CudaTensor

# All bits set: NaN as a floating-point number.
GARBAGE = 255
# They write running statistics, which their schemas do not say.
WRITING = {"native_batch_norm", "cudnn_batch_norm"}
REFUSED = "operation not permitted when stream is capturing"


@dataclass(frozen=True)
class Node:
    """An operator with the memory that it reads and writes."""

    name: str
    kernel: Callable[..., Any]
    args: Any
    kwargs: Any
    results: list[Tensor]


@dataclass
class Use:
    """Memory that a graph uses, and the operator that does; not kept by the graph."""

    allocation: weakref.ref[Allocation]
    name: str
    is_written: bool


class CUDAGraph:
    """Replaces torch.cuda.CUDAGraph."""

    def __init__(self, keep_graph: bool = False) -> None:
        self.nodes: list[Node] = []
        self._generators: list[torch.Generator] = []
        # By address of a storage: memory from before the capture; what was written of it, with its values; and memory
        # of the graph.
        self._used: dict[int, Use] = {}
        self._before: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}
        self._memory: dict[int, torch.UntypedStorage] = {}
        self._results: list[weakref.ref[Allocation]] = []
        self._states: list[tuple[torch.Generator, Tensor]] = []
        self._pool: tuple[int, int] | None = None
        self._is_broken = False

    def register_generator_state(self, generator: torch.Generator) -> None:
        """Allows captured operators to use a generator; the default one may always be used."""
        self._generators.append(generator)

    def capture_begin(self, pool: Any = None, capture_error_mode: str = "global", **_: Any) -> None:
        """Records operators from now on.

        Raises:
            RuntimeError: on the default stream, or during another capture.
        """
        cuda = active_cuda()
        if current_stream() == default_stream():
            raise RuntimeError("CUDA graphs must be captured on a non-default stream.")
        cuda.refuse_if_capturing(REFUSED)
        self._pool = graph_pool_handle() if pool is None else pool
        cuda.graphs.setdefault(self._pool, weakref.WeakSet()).add(self)
        generators = [torch.default_generator, *self._generators]
        self._states = [(each, CpuGenerator.get_state(each)) for each in generators]
        cuda.capture = self

    def capture_end(self) -> None:
        """Restores what operators have written, since nothing has run on the device.

        Raises:
            torch.AcceleratorError: something was refused.
        """
        active_cuda().capture = None
        for storage, values in self._before.values():
            storage.copy_(values)
        for generator, state in self._states:
            CpuGenerator.set_state(generator, state)
        self._before.clear()
        self._spoil()
        if self._is_broken:
            raise torch.AcceleratorError(
                "CUDA error: operation failed due to a previous error during capture"
            )

    def replay(self) -> None:
        """Runs the recorded operators.

        Raises:
            RuntimeError: memory that they use has been freed.
            RaceError: another stream uses it.
        """
        cuda = active_cuda()
        cuda.refuse_if_capturing(REFUSED)
        cuda.counts.add_launch("graph")
        for graph in cuda.graphs[self.pool()]:
            if graph is not self:
                graph._spoil()
        with cuda.order.lock:
            self._order()
            with torch.no_grad(), _disable_current_modes():
                for node in self.nodes:
                    found = tensors_of((node.kernel(*node.args, **node.kwargs),), {})
                    for result, value in zip(node.results, found, strict=bool(node.results)):
                        result.copy_(value)

    def pool(self) -> tuple[int, int]:
        """The memory that the graph allocates from, for other captures."""
        assert self._pool is not None
        return self._pool

    def add_launch(self, what: str) -> None:
        """As `Counts.add_launch`, but nothing is launched during capture."""

    def add_sync(self, what: str) -> None:
        """
        Raises:
            torch.AcceleratorError: always: the host cannot wait for what does not run.
        """
        self.refuse(f"{REFUSED} ({what})")

    def refuse(self, why: str) -> None:
        """
        Raises:
            torch.AcceleratorError: always.
        """
        self._is_broken = True
        raise torch.AcceleratorError(f"CUDA error: {why}")

    def record(
        self, func: Any, name: str, args: Any, kwargs: Any, launches: bool, device: torch.device
    ) -> Any:
        """Runs an operator to get results of the right shape, and records it unless it launches nothing."""
        kernel, numbers, options = on_cpu(func, name, args, kwargs)
        given = tensors_of(args, kwargs)
        if launches:
            self._check_generator(func, kwargs.get("generator"))
            written = given if name in WRITING else written_tensors(func, args, kwargs)
            for tensor in given:
                self._use(tensor, name, any(tensor is each for each in written))
            if name not in COPYING:  # A kernel's argument is copied when it is launched, here at capture.
                fixed = {id(each): each.clone() for each in given if not isinstance(each, CudaTensor)}
                numbers, options = replace_tensors((numbers, options), lambda each: fixed.get(id(each), each))
        found = kernel(*numbers, **options)
        new = [] if func.is_view or func._schema.is_mutable else tensors_of((found,), {})
        self._memory.update({each.untyped_storage()._cdata: each.untyped_storage() for each in new})
        if launches:
            self.nodes.append(Node(name, kernel, numbers, options, new))
        result = wrap_result(
            active_cuda(), func, found, args, device, current_stream_id(current_stream().device_index)
        )
        if not func.is_view:
            self._results += [
                weakref.ref(each.allocation)
                for each in tensors_of((result,), {})
                if isinstance(each, CudaTensor) and each.numbers.untyped_storage()._cdata in self._memory
            ]
        return result

    def _check_generator(self, func: Any, generator: torch.Generator | None) -> None:
        if generator is None or torch.Tag.nondeterministic_seeded not in func.tags:
            return
        if generator._cdata not in [each._cdata for each in self._generators]:
            self._is_broken = True
            raise RuntimeError("Attempt to increase offset for a CUDA generator not in capture mode.")

    def _use(self, tensor: Tensor, name: str, is_written: bool) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in self._memory:
            return
        if is_written and storage._cdata not in self._before:
            self._before[storage._cdata] = (storage, storage.clone())
        if isinstance(tensor, CudaTensor):
            use = self._used.setdefault(storage._cdata, Use(weakref.ref(tensor.allocation), name, False))
            use.is_written |= is_written

    def _order(self) -> None:
        """The graph is one operator of the current stream."""
        order, stream = active_cuda().order, current_stream().stream_id
        order.launch(stream)
        for use in self._used.values():
            allocation = use.allocation()
            if allocation is None:
                raise RuntimeError(f"CUDA graph replay: memory that {use.name} uses has been freed")
            if not use.is_written or allocation.uses.writer is not None:
                order.read(allocation.uses, stream, f"a graph's {use.name}")
            if use.is_written:
                order.write(allocation.uses, stream, f"a graph's {use.name}")
        for result in self._results:
            made = result()
            if made is not None:
                order.write(made.uses, stream, "a graph")

    def _spoil(self) -> None:
        """Overwrites all that was allocated in the capture."""
        with _disable_current_modes():
            for storage in self._memory.values():
                torch.empty(0, dtype=torch.uint8).set_(storage).fill_(GARBAGE)


def graph_pool_handle() -> tuple[int, int]:
    """Replaces torch.cuda.graph_pool_handle."""
    return (0, next(_pool_numbers))


_pool_numbers = itertools.count(1)


def check_leaf_stream(node: Any) -> None:
    """Checks the node that accumulates a leaf's gradient, which works on the stream where it was made.

    It lives as long as the graph of an earlier step: if that step ran on another stream, and its loss was kept, its
    node is used again.

    Raises:
        torch.AcceleratorError: as CUDA does, if this stream is not the one that is captured.
    """
    stream = current_stream()
    if node.metadata.setdefault("stream", stream) != stream:
        active_cuda().refuse_if_capturing("dependency created on uncaptured work in another stream")


REPLACEMENTS = {
    "torch.cuda.CUDAGraph": CUDAGraph,
    "torch.cuda.graph_pool_handle": graph_pool_handle,
    "torch.cuda.graphs.graph.default_capture_stream": None,
    "torch.cuda.is_current_stream_capturing": lambda: active_cuda().capture is not None,
    "torch._C._host_emptyCache": lambda: None,
    # Optimizers ask by these whether a step is captured.
    "torch.accelerator.current_accelerator": lambda check_available=False: torch.device("cuda"),
    "torch.accelerator.current_stream": current_stream,
}
