"""Runs a part in a process of its own: a crash, a full device or a hang ends this part only."""

from __future__ import annotations

import multiprocessing
import signal
import time
import traceback
from collections.abc import Callable, Generator, Iterable
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Literal

import torch

from bench.gpu.row import NotMeasuredError, Row
from cliprpn.errors import CliprpnError

POLL_S = 0.2
# A part plans for its limit; it is ended when it takes this much longer.
GRACE_S = 30.0

Start = Literal["fork", "spawn"]
# torch says so where this process has used CUDA, which a package may do when it is imported.
FORK_REFUSED = "in forked subprocess"
# Measures with a limit in seconds.
Measure = Callable[[float], Iterable[Row]]


def run_part(
    part: str,
    measure: Measure,
    limit_s: float,
    traceback_file: Path,
    start: Start = "fork",
    grace_s: float = GRACE_S,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Row, None, None]:
    """Yields the rows of a part as they are measured; a row with a problem if it fails.

    Args:
        start: a forked process need not import torch again, but this process must not have used CUDA.
        should_stop: asked again and again; an exception of a signal's handler would be lost in a fork's hooks.

    Raises:
        KeyboardInterrupt: it should stop.
    """
    method = multiprocessing.get_context(start)
    receiver, sender = method.Pipe(duplex=False)
    process = method.Process(target=_run, args=(part, measure, limit_s, traceback_file, sender))
    end = time.monotonic() + limit_s + grace_s
    process.start()
    sender.close()
    try:
        while True:
            if should_stop():
                raise KeyboardInterrupt
            left_s = max(0.0, end - time.monotonic())
            if not wait([receiver, process.sentinel], timeout=min(left_s, POLL_S)) and left_s > 0:
                continue
            if receiver.poll():
                row = _receive(receiver)
                if row is not None:
                    yield row
                    continue
            process.join(max(0.0, end - time.monotonic()))
            if process.exitcode is None:
                yield Row(
                    part, part, problem=f"ended after {limit_s + grace_s:.0f} s: it took longer than its time"
                )
            elif process.exitcode != 0:
                yield Row(part, part, problem=f"its process ended with exit code {process.exitcode}")
            return
    finally:
        _end(process)
        receiver.close()


def _receive(receiver: Connection) -> Row | None:
    """The next row; None if there are no more."""
    try:
        return receiver.recv()
    except EOFError:
        return None


def _end(process: multiprocessing.process.BaseProcess) -> None:
    if process.is_alive():
        process.terminate()
        process.join(5)
    if process.is_alive():
        process.kill()
    process.join()


def _run(part: str, measure: Measure, limit_s: float, traceback_file: Path, sender: Connection) -> None:
    """Sends each row, and what went wrong, from the new process."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the other process, too, which then ends this one.
    try:
        for row in measure(limit_s):
            sender.send(row)
    except NotMeasuredError as error:
        problem = f"not measured: {error}"
    except torch.OutOfMemoryError as error:
        problem = f"out of memory: {_first_line(error)}"
    except CliprpnError as error:
        problem = f"{error.code}: {error}"
    except Exception as error:  # noqa: BLE001 - the other parts go on
        traceback_file.write_text(traceback.format_exc())
        problem = f"{type(error).__name__}: {_first_line(error)}; see {traceback_file}"
    else:
        return
    sender.send(Row(part, part, problem=problem))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"
