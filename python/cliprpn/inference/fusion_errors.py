"""Where a custom fusion fails: the line of the person's file, in a message without a traceback."""

from __future__ import annotations

import contextlib
import signal
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from cliprpn.arithmetic import describe_nondeterminism
from cliprpn.errors import CliprpnError

LONGEST_MESSAGE = 400


@contextlib.contextmanager
def fusion_errors(path: Path, prefix: str = "", expected: str = "") -> Iterator[None]:
    """Turns whatever the code of a custom fusion raises into an error that names its line.

    Args:
        path: the fusion's file.
        prefix: what was done, such as `on cuda: `.
        expected: added to the message.

    Raises:
        CliprpnError: fusion_invalid, not_deterministic.
        torch.OutOfMemoryError: the device is full, which is not the fusion's fault.
    """
    try:
        yield
    except (CliprpnError, torch.OutOfMemoryError):
        raise
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        place = fusion_line(error, path) or str(path)
        refused = describe_nondeterminism(error)
        if refused is not None:
            raise CliprpnError("not_deterministic", f"{place}: {prefix}{refused}") from error
        raise CliprpnError("fusion_invalid", f"{place}: {prefix}{describe_error(error)}{expected}") from error


def check_shape_of_output(fusion: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
    """A forward hook for a custom fusion.

    Raises:
        CliprpnError: fusion_invalid, if the output has not the shape of the feature map.
    """
    feature_map = inputs[0]
    if isinstance(output, Tensor) and output.shape == feature_map.shape:
        return
    found = list(output.shape) if isinstance(output, Tensor) else type(output).__name__
    code = type(fusion).forward.__code__
    raise CliprpnError(
        "fusion_invalid",
        f"{code.co_filename}:{code.co_firstlineno}, in {type(fusion).__name__}.forward: "
        f"expected a map {list(feature_map.shape)}, found {found}",
    )


def fusion_line(error: BaseException, path: Path) -> str | None:
    """`FILE:LINE, in FUNCTION`: the innermost line of a fusion's file in an error's traceback; None without one."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{frames[-1].lineno}, in {frames[-1].name}" if frames else None


def is_ctrl_c(error: BaseException) -> bool:
    """Whether an error may be a Ctrl-C; a worker ignores the signal, so that there the code itself has raised it."""
    return isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def describe_error(error: BaseException) -> str:
    """Type and message of an error, in one line."""
    if isinstance(error, SystemExit):
        return f"called sys.exit({'' if error.code is None else repr(error.code)})"
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    line = " ".join(text.split())
    if len(line) > LONGEST_MESSAGE:
        line = f"{line[:LONGEST_MESSAGE]}..."
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def non_finite_line(fusion: nn.Module, path: Path, inputs: tuple[Tensor, ...]) -> str | None:
    """Runs a fusion again and finds where a NaN comes from, else an infinity.

    Args:
        path: the fusion's file.
        inputs: arguments of its `forward`.

    Returns:
        `FILE:LINE, in FUNCTION` of the first operation whose result has a NaN that its arguments lack; None if no
        operation of the file has one.
    """
    watch = _NonFiniteWatch(path)
    # Code that fails now, but did not before, says nothing about the NaN.
    with contextlib.suppress(Exception), torch.no_grad(), watch:
        fusion(*inputs)
    return watch.nan_line or watch.inf_line


class _NonFiniteWatch(TorchDispatchMode):
    """Looks at the result of every operation."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.nan_line: str | None = None
        self.inf_line: str | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        # Before the call: it may overwrite its arguments.
        given = [*_tensors(args), *_tensors((kwargs or {}).values())]
        had_nan = any(bool(tensor.isnan().any()) for tensor in given)
        had_inf = had_nan or any(not bool(tensor.isfinite().all()) for tensor in given)
        # An infinity in the code, as in `masked_fill(mask, -inf)`, is meant.
        meant_inf = any(isinstance(value, float) and value in (float("inf"), -float("inf")) for value in args)
        result = func(*args, **(kwargs or {}))
        results = _tensors(result if isinstance(result, (tuple, list)) else (result,))
        if self.nan_line is None and not had_nan and any(bool(tensor.isnan().any()) for tensor in results):
            self.nan_line = self._line()
        looks_for_inf = self.inf_line is None and not (had_inf or meant_inf)
        if looks_for_inf and any(bool(tensor.isinf().any()) for tensor in results):
            self.inf_line = self._line()
        return result

    def _line(self) -> str | None:
        frames = [frame for frame in traceback.extract_stack() if frame.filename == str(self.path)]
        return f"{self.path}:{frames[-1].lineno}, in {frames[-1].name}" if frames else None


def _tensors(values: Any) -> list[Tensor]:
    return [value for value in values if isinstance(value, Tensor) and value.is_floating_point()]
