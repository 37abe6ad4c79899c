"""Runs batches through a computation while earlier results are written and later batches are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from types import TracebackType
from typing import TypeVar

Batch = TypeVar("Batch")
Result = TypeVar("Result")

# Batches that were computed, or launched on a device, and are not written yet; more would only need memory.
MAX_UNWRITTEN = 2


def run_pipeline(
    batches: Generator[Batch, None, None],
    compute: Callable[[Batch], Result],
    write: Callable[[Batch, Result], None],
    on_computed: Callable[[Batch], None],
    should_stop: Callable[[], bool],
) -> bool:
    """Computes and writes each batch, in order; a batch is written by another thread while the next ones are computed.

    All batches that were computed are written before this returns or raises, unless writing itself fails: then nothing
    is written after the batch that failed.

    Args:
        batches: read in the background, e.g. by `read_ahead`; closed at the end.
        compute: on a device, queues the batch and does not wait for it (see `Copies`).
        write: waits for the result; runs in another thread, but never twice at the same time.
        on_computed: called after `compute`, e.g. to report progress.
        should_stop: called before each batch.

    Returns:
        whether all batches were computed; False after `should_stop`.

    Raises:
        BaseException: the first error of any stage.
    """
    with closing(batches), Writer(MAX_UNWRITTEN) as writer:
        for batch in batches:
            if should_stop():
                return False
            writer.submit(partial(write, batch, compute(batch)))
            on_computed(batch)
    return True


class Writer:
    """Runs tasks one after another in another thread.

    Leaving the context waits for all tasks, and raises the first error of a task unless another one is being raised.

    Args:
        max_waiting: `submit` waits while so many tasks are not finished.
    """

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._pool = ThreadPoolExecutor(1, "writer")
        self._waiting: deque[Future[None]] = deque()
        self._failed = False

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)
        if error is None:
            for task in self._waiting:
                task.result()

    def submit(self, task: Callable[[], None]) -> None:
        """Queues a task.

        Raises:
            BaseException: the error of an earlier task.
        """
        while len(self._waiting) >= self._max_waiting:
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self._run, task))

    def _run(self, task: Callable[[], None]) -> None:
        if self._failed:  # What follows a task that failed would leave a gap.
            return
        try:
            task()
        except BaseException:
            self._failed = True
            raise
