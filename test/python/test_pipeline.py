"""Batches are read, computed and written at the same time, in order; an error of any stage ends all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

import pytest
from helpers import wait_until

from cliprpn.pipeline.read_ahead import read_ahead
from cliprpn.pipeline.stages import MAX_UNWRITTEN, run_pipeline

NUM_AHEAD = 3


class Recorder:
    """Stages that record what they were given."""

    def __init__(self, num_batches: int = 20) -> None:
        self.num_batches = num_batches
        self.read: list[int] = []
        self.computed: list[int] = []
        self.written: list[int] = []
        self.most_unwritten = self.most_ahead = 0
        self.threads: set[int] = set()

    def batches(self, read: Callable[[int], int] | None = None) -> Generator[int, None, None]:
        def record(number: int) -> int:
            self.read.append(number)
            return number if read is None else read(number)

        return read_ahead(record, range(self.num_batches), 2, NUM_AHEAD)

    def compute(self, number: int) -> int:
        self.computed.append(number)
        self.most_unwritten = max(self.most_unwritten, len(self.computed) - len(self.written))
        self.most_ahead = max(self.most_ahead, len(self.read) - len(self.computed))
        return number * number

    def write(self, number: int, result: int) -> None:
        assert result == number * number
        self.threads.add(threading.get_ident())
        self.written.append(number)

    def run(
        self,
        read: Callable[[int], int] | None = None,
        compute: Callable[[int], int] | None = None,
        write: Callable[[int, int], None] | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        return run_pipeline(
            self.batches(read),
            compute or self.compute,
            write or self.write,
            lambda number: None,
            should_stop,
        )


def test_batches_are_written_in_order_by_one_other_thread() -> None:
    recorder = Recorder()
    assert recorder.run()
    assert recorder.written == recorder.computed == list(range(20))
    assert len(recorder.threads) == 1 and threading.get_ident() not in recorder.threads
    assert threading.active_count() == 1 or not any(
        thread.name.startswith(("reader", "writer")) for thread in threading.enumerate()
    )


def test_later_batches_are_read_and_computed_while_one_is_written() -> None:
    """The first batch is not written before as many others were computed and read as may wait."""
    recorder = Recorder()

    def write(number: int, result: int) -> None:
        if number == 0:
            wait_until(lambda: len(recorder.computed) == MAX_UNWRITTEN + 1)
            wait_until(lambda: len(recorder.read) == MAX_UNWRITTEN + 1 + NUM_AHEAD)
        recorder.write(number, result)

    assert recorder.run(write=write)
    assert recorder.written == list(range(20))
    assert recorder.most_unwritten == MAX_UNWRITTEN + 1
    assert recorder.most_ahead <= NUM_AHEAD + 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_while_computing_ends_reading_and_writes_what_was_computed(
    error: type[BaseException],
) -> None:
    recorder = Recorder()

    def compute(number: int) -> int:
        if number == 5:
            raise error("batch 5")
        return recorder.compute(number)

    with pytest.raises(error, match="batch 5"):
        recorder.run(compute=compute)
    assert recorder.written == [0, 1, 2, 3, 4]
    assert len(recorder.read) <= 5 + NUM_AHEAD + 1


def test_an_error_while_reading_is_raised_in_its_turn() -> None:
    recorder = Recorder()

    def read(number: int) -> int:
        if number == 5:
            raise ValueError("a.jpg")
        return number

    with pytest.raises(ValueError, match=r"a\.jpg"):
        recorder.run(read=read)
    assert recorder.written == [0, 1, 2, 3, 4]


def test_nothing_is_written_after_an_error_while_writing() -> None:
    recorder = Recorder()

    def write(number: int, result: int) -> None:
        if number == 5:
            raise OSError("disk is full")
        recorder.write(number, result)

    with pytest.raises(OSError, match="disk is full"):
        recorder.run(write=write)
    assert recorder.written == [0, 1, 2, 3, 4]
    assert len(recorder.computed) <= 6 + MAX_UNWRITTEN


def test_an_error_while_writing_the_last_batch_is_raised() -> None:
    def write(number: int, result: int) -> None:
        raise OSError(f"batch {number}")

    with pytest.raises(OSError, match="batch 0"):
        Recorder(1).run(write=write)


def test_a_stop_writes_what_was_computed() -> None:
    recorder = Recorder()
    assert not recorder.run(should_stop=lambda: len(recorder.computed) == 7)
    assert recorder.written == recorder.computed == list(range(7))


def test_no_batches_need_nothing() -> None:
    assert Recorder(0).run(should_stop=lambda: True)
