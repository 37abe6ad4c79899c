"""Training steps as CUDA graphs: a step is captured once for each shape of its inputs, and then replayed by one launch.

Follows "CUDA Graphs" in PyTorch's notes on CUDA. Warm-up steps are real training steps, so capturing costs no step and
changes no result. Capture runs nothing; each step after it copies its inputs to the memory that the graph reads.
"""

from __future__ import annotations

import gc
import itertools
import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from cliprpn.contract.generated import Training
from cliprpn.errors import CliprpnError
from cliprpn.inference.fusion_errors import describe_error, fusion_line
from cliprpn.trials.step import StepInputs, TrainingStep

# As many as torch.cuda.make_graphed_callables runs, for each shape: libraries choose their algorithms by shape.
NUM_WARM_UP_STEPS = 3
# Words per sentence and negatives per image are padded to multiples of this, so that there are few shapes.
PADDED_TO = 16
# How often a replayed step of a custom fusion is compared with its Python code, and how far their losses may differ.
REPLAYS_PER_CHECK = 100
CHECKED_LOSS_RTOL = 1e-3


def check_cuda_graphs(settings: Training, device: torch.device) -> None:
    """
    Raises:
        CliprpnError: bad_input, if `cuda_graphs` is true on another device.
    """
    if settings.cuda_graphs and device.type != "cuda":
        raise CliprpnError(
            "bad_input",
            f"training.cuda_graphs: expected a CUDA device, found {device}; choose --device cuda, or set "
            "training.cuda_graphs to false",
        )


@dataclass
class CapturedStep:
    """A graph and the memory that it works on.

    Attributes:
        inputs: copied to before each replay.
        losses: [3], of the last replay.
        kept: other tensors that the graph reads; they must not be freed.
    """

    graph: torch.cuda.CUDAGraph
    inputs: StepInputs
    losses: Tensor
    kept: list[Tensor]
    num_replays: int = 0


class GraphedStep:
    """Runs a training step like the step itself, but by CUDA graphs.

    Args:
        step: on a CUDA device; its optimizer is capturable.
        fusion_file: of a custom fusion, for error messages.
    """

    def __init__(self, step: TrainingStep, fusion_file: Path | None) -> None:
        self._step, self._fusion_file = step, fusion_file
        self.input_dtype = step.input_dtype
        self._stream = torch.cuda.Stream(step.device)
        # The graphs share memory: they are never replayed at the same time, and no result outlives the next replay.
        self._pool = torch.cuda.graph_pool_handle()
        self._rate = torch.zeros((), device=step.device)
        self._num_steps: dict[object, int] = {}
        self._captured: dict[object, CapturedStep] = {}

    def __call__(self, inputs: StepInputs, rate: float, log: Callable[[Tensor], None]) -> None:
        """Takes the arguments of `TrainingStep`. The rate is rounded to float32, since the graph reads it there.

        Raises:
            CliprpnError: fusion_invalid, bad_input: the step cannot be captured, or replays compute something else.
        """
        self._rate.fill_(rate)
        shapes = inputs.shapes
        captured = self._captured.get(shapes)
        if captured is None:
            self._warm_up(inputs, log)
            self._num_steps[shapes] = self._num_steps.get(shapes, 0) + 1
            if self._num_steps[shapes] == NUM_WARM_UP_STEPS:
                # Right after a step of this shape, so that what code caches by shape is there already.
                self._captured[shapes] = self._capture(inputs)
            return
        captured.inputs.copy_from(inputs)
        checks = self._fusion_file is not None and captured.num_replays % REPLAYS_PER_CHECK == 0
        expected = self._losses_without_graph(inputs) if checks else None
        captured.graph.replay()
        captured.num_replays += 1
        losses = captured.losses.clone()
        if expected is not None:
            self._check_losses(losses, expected)
        log(losses)

    def _warm_up(self, inputs: StepInputs, log: Callable[[Tensor], None]) -> None:
        """Runs the step on the stream that captures, where the nodes of its autograd graph are then made, too."""
        current = torch.cuda.current_stream(self._step.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream), warnings.catch_warnings():
            # Optimizers warn that `capturable` costs time without a graph.
            warnings.filterwarnings("ignore", message=".*capturable=True")
            self._step(inputs, self._rate, log)
        current.wait_stream(self._stream)

    def _capture(self, inputs: StepInputs) -> CapturedStep:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._step.generator)
        static = inputs.clone()
        losses: list[Tensor] = []
        watch = _CaptureWatch(self._fusion_file)
        self._step.optimizer.zero_grad(set_to_none=True)
        try:
            # torch leaves its stream as the current one if the capture fails.
            current = torch.cuda.stream(torch.cuda.current_stream(self._step.device))
            with current, torch.cuda.graph(graph, self._pool, self._stream), watch:
                self._step(static, self._rate, losses.append)
        except (CliprpnError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            raise self._cannot_capture(error) from error
        # Their memory is free for the next capture; each replay writes them again before it reads them.
        self._step.optimizer.zero_grad(set_to_none=True)
        self._check_kept(watch, losses[0])
        return CapturedStep(graph, static, losses[0], watch.reads)

    def _check_kept(self, watch: _CaptureWatch, losses: Tensor) -> None:
        """Finds code that keeps a tensor of a step for a later one, which a replay would not read."""
        gc.collect()
        for tensor, place in watch.kept():
            if tensor is not losses:
                raise CliprpnError(
                    "internal" if place is None else "fusion_invalid",
                    f"{'' if place is None else f'{place}: '}training.cuda_graphs: expected no tensor of a training "
                    f"step to be kept after it, found one of shape {list(tensor.shape)}: replays do not give it to "
                    "later steps; change a buffer in place instead, or set training.cuda_graphs to false",
                )

    def _losses_without_graph(self, inputs: StepInputs) -> Tensor:
        """The losses that this step would have without its graph; leaves random state and buffers as they are."""
        buffers = [*self._step.model.buffers()]
        values, state = [buffer.clone() for buffer in buffers], self._step.generator.get_state()
        with torch.no_grad(), torch.random.fork_rng([self._step.device]):
            _, losses = self._step.forward(inputs)
        self._step.generator.set_state(state)
        for buffer, value in zip(buffers, values, strict=True):
            buffer.copy_(value)
        return losses

    def _check_losses(self, losses: Tensor, expected: Tensor) -> None:
        """Finds Python code that computes something else in each step, of which a graph only has the first."""
        replayed, computed = torch.stack([losses, expected]).cpu()
        if not torch.allclose(replayed, computed, rtol=CHECKED_LOSS_RTOL, equal_nan=True):
            raise CliprpnError(
                "fusion_invalid",
                f"{self._fusion_file}: training.cuda_graphs: expected the losses of the fusion's code, "
                f"{computed.tolist()}, found {replayed.tolist()} in the replay of an earlier step: the code depends on "
                "values that are no tensors on the device, such as a counter or Python's random numbers; make them "
                "tensors that are changed in place, or set training.cuda_graphs to false",
            )

    def _cannot_capture(self, error: BaseException) -> CliprpnError:
        """Names the line that was refused: ending the capture then raises another error."""
        while error.__context__ is not None:
            error = error.__context__
        place = None if self._fusion_file is None else fusion_line(error, self._fusion_file)
        return CliprpnError(
            "bad_input" if place is None else "fusion_invalid",
            f"{'' if place is None else f'{place}: '}training.cuda_graphs: the training step cannot be captured: "
            f"{describe_error(error)}; expected operations that do not wait for the device, copy from the CPU or draw "
            "from generators of their own; change this line, or set training.cuda_graphs to false",
        )


class _CaptureWatch(TorchDispatchMode):
    """Collects the tensors that captured operators read and that existed before, and those that they made.

    A graph only knows addresses. If code replaces a tensor later, say in a cache with one entry, its memory would be
    used for something else, and the graph would read that.

    Args:
        fusion_file: of a custom fusion, whose lines are remembered.
    """

    def __init__(self, fusion_file: Path | None) -> None:
        super().__init__()
        self._fusion_file = str(fusion_file)
        self._read: dict[int, Tensor] = {}
        self._made: dict[int, list[tuple[weakref.ref[Tensor], str | None]]] = {}

    @property
    def reads(self) -> list[Tensor]:
        """A tensor for each address that existed before."""
        return [*self._read.values()]

    def kept(self) -> Iterator[tuple[Tensor, str | None]]:
        """Tensors that were made in the capture and still exist, and the line of the fusion that made each."""
        for reference, place in itertools.chain(*self._made.values()):
            tensor = reference()
            if tensor is not None:
                yield tensor, place

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in _cuda_tensors([*args, *(kwargs or {}).values()]):
            address = tensor.untyped_storage().data_ptr()
            if address not in self._made and address not in self._read:
                self._read[address] = tensor.detach()
        for tensor in _cuda_tensors([result]):
            address = tensor.untyped_storage().data_ptr()
            if address not in self._read:
                self._made.setdefault(address, []).append((weakref.ref(tensor), self._line()))
        return result

    def _line(self) -> str | None:
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename != self._fusion_file:
            frame = frame.f_back
        return None if frame is None else f"{self._fusion_file}:{frame.f_lineno}, in {frame.f_code.co_name}"


def _cuda_tensors(values: Any) -> list[Tensor]:
    found = []
    for value in values:
        if isinstance(value, Tensor) and value.is_cuda:
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _cuda_tensors(value)
    return found
