"""What is known to be done before what: operators of one stream, and what streams, events and the host wait for.

On a GPU, streams run at the same time, and a copy that the host does not wait for reads or writes host memory later.
Here everything runs at once, so results are right in any case; but using memory without an order is an error.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field

import torch
from torch import Tensor

# By stream, how many of its operators are done.
Clock = dict[int, int]
# Smaller numbers are the default streams of the devices.
FIRST_SIDE_STREAM = 100


class RaceError(RuntimeError):
    """Memory is used while it is written, or overwritten while it is used: on a GPU, the result would be random."""


@dataclass(eq=False)
class Uses:
    """Who uses memory of the device. All views of a storage count as the same memory.

    Attributes:
        stream: that allocated it; it gets the memory back.
        writer: stream and number of the operator that wrote it last; None for memory that has no values.
        readers: since then, the last operator of each stream that read it.
        last: the last operator of each stream that used it.
        recorded: streams given to `Tensor.record_stream`; the memory is not reused before they are done.
        name: of the operator that wrote it last, for messages.
    """

    stream: int
    writer: tuple[int, int] | None = None
    readers: Clock = field(default_factory=dict)
    last: Clock = field(default_factory=dict)
    recorded: set[int] = field(default_factory=set)
    name: str = "empty"


@dataclass(eq=False)
class HostCopy:
    """A copy between page-locked memory and the device that the host has not waited for.

    Attributes:
        memory: the page-locked tensor.
        values: what it has, or will have when the copy is done.
        stream, number: of the copy.
        to_host: whether the copy writes `memory`, which has other values until then.
        place: the line that started it.
    """

    memory: Tensor
    values: Tensor
    stream: int
    number: int
    to_host: bool
    place: str


class Order:
    """The order of all operators so far. What the host has waited for in one thread holds for all threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clocks: defaultdict[int, Clock] = defaultdict(dict)
        self.host: Clock = {}
        # By address of the storage of the page-locked memory.
        self.host_copies: dict[int, list[HostCopy]] = {}
        self._freed: defaultdict[int, list[Uses]] = defaultdict(list)

    def launch(self, stream: int) -> int:
        """The number of the next operator of a stream; what the host has waited for is done before it."""
        clock = self.clocks[stream]
        _join(clock, self.host)
        clock[stream] = clock.get(stream, 0) + 1
        return clock[stream]

    def read(self, uses: Uses, stream: int, name: str) -> None:
        """An operator, launched last, reads memory.

        Raises:
            RaceError: another stream may still be writing it, or nothing has.
        """
        clock = self.clocks[stream]
        if uses.writer is None:
            raise RaceError(f"{name} reads memory that no operator has written")
        if clock.get(uses.writer[0], 0) < uses.writer[1]:
            raise _race(name, stream, f"reads what {uses.name}", uses.writer[0], "writes")
        uses.readers[stream] = uses.last[stream] = clock[stream]

    def write(self, uses: Uses, stream: int, name: str) -> None:
        """An operator, launched last, writes memory.

        Raises:
            RaceError: another stream may still be using it.
        """
        clock = self.clocks[stream]
        for other, number in uses.readers.items():
            if clock.get(other, 0) < number:
                raise _race(name, stream, "overwrites what an operator", other, "reads")
        if uses.writer is not None and clock.get(uses.writer[0], 0) < uses.writer[1]:
            raise _race(name, stream, f"overwrites what {uses.name}", uses.writer[0], "writes")
        uses.writer, uses.name = (stream, clock[stream]), name
        uses.readers.clear()
        uses.last[stream] = clock[stream]

    def free(self, uses: Uses) -> None:
        """The last tensor with this memory is gone."""
        if any(other != uses.stream and other not in uses.recorded for other in uses.last):
            self._freed[uses.stream].append(uses)

    def allocate(self, stream: int) -> Uses:
        """New memory, which may be what the stream allocated before.

        Raises:
            RaceError: another stream may still be using that.
        """
        clock = self.clocks[stream]
        _join(clock, self.host)
        for uses in self._freed.pop(stream, []):
            for other, number in uses.last.items():
                if other != stream and other not in uses.recorded and clock.get(other, 0) < number:
                    raise RaceError(
                        f"{_name(stream)} reuses memory that was freed while {_name(other)} may still use it, written "
                        f"last by {uses.name}: call Tensor.record_stream, or let the first stream wait"
                    )
        return Uses(stream)

    def start_host_copy(self, copy: HostCopy) -> None:
        """A copy starts, which the host does not wait for: until it does, memory that is written has no values."""
        copies = self.host_copies.setdefault(_address(copy.memory), [])
        if copy.to_host:
            # `use_on_device` has checked that earlier copies are done by then: what they read or wrote there is gone.
            copies[:] = [each for each in copies if each.to_host and not _is_same(each.memory, copy.memory)]
            fill_with_nonsense(copy.memory)
        copies.append(copy)

    def use_on_device(self, memory: Tensor, writes: bool, stream: int, name: str) -> None:
        """An operator of a stream, launched last, uses page-locked memory.

        Raises:
            RaceError: another stream may still be writing it, or reading what is overwritten.
        """
        for copy in self.host_copies.get(_address(memory), []):
            if not (copy.to_host or writes):
                continue
            if self.clocks[stream].get(copy.stream, 0) < copy.number:
                does = "writes" if copy.to_host else "reads"
                raise _race(
                    name, stream, f"uses page-locked memory that a copy ({copy.place})", copy.stream, does
                )
            if copy.to_host:
                _fill(copy.memory, copy.values)

    def use_on_host(self, memory: Tensor, writes: bool, name: str) -> None:
        """The host uses memory.

        Raises:
            RaceError: a copy may still be writing it, or reading what the host overwrites.
        """
        for copy in self.host_copies.get(_address(memory), []):
            if copy.to_host or writes:
                raise RaceError(
                    f"{name} uses page-locked memory before the host has waited for the copy that "
                    f"{'writes' if copy.to_host else 'reads'} it (non_blocking=True, {copy.place}): synchronize the "
                    "stream, or an event that was recorded after the copy"
                )

    def wait_on_host(self, clock: Clock) -> None:
        """The host waits until so much is done.

        Raises:
            RaceError: page-locked memory was changed, e.g. through NumPy, while a copy read it.
        """
        with self.lock:
            _join(self.host, clock)
            copies = [copy for copies in self.host_copies.values() for copy in copies]
            done = [copy for copy in copies if copy.number <= self.host.get(copy.stream, 0)]
            if done:
                self.host_copies.clear()
                for copy in copies:
                    if copy not in done:
                        self.host_copies.setdefault(_address(copy.memory), []).append(copy)
        for copy in done:
            if copy.to_host:
                _fill(copy.memory, copy.values)
            elif not _same_bytes(copy.memory, copy.values):
                raise RaceError(
                    f"page-locked memory was changed while a copy read it (non_blocking=True, {copy.place})"
                )

    def wait_on_stream(self, stream: int, clock: Clock) -> None:
        """Later operators of a stream wait until so much is done."""
        with self.lock:
            _join(self.clocks[stream], clock)

    def clock(self, stream: int) -> Clock:
        """What is done when a stream's operators so far are done."""
        with self.lock:
            return _join(dict(self.clocks[stream]), self.host)


def _join(clock: Clock, other: Clock) -> Clock:
    for stream, number in other.items():
        if clock.get(stream, 0) < number:
            clock[stream] = number
    return clock


def _address(memory: Tensor) -> int:
    return memory.untyped_storage()._cdata


def fill_with_nonsense(memory: Tensor) -> None:
    """Overwrites memory, so that it shows where it is read too early."""
    if memory.dtype.is_floating_point or memory.dtype.is_complex:
        _fill(memory, float("nan"))
    elif memory.dtype == torch.bool:
        _fill(memory, ~memory)
    else:
        _fill(memory, torch.iinfo(memory.dtype).max)


def _fill(memory: Tensor, values: Tensor | float) -> None:
    with torch.inference_mode():  # It may be a tensor of inference mode.
        memory.copy_(values) if isinstance(values, Tensor) else memory.fill_(values)


def _is_same(first: Tensor, second: Tensor) -> bool:
    return (first.data_ptr(), first.shape, first.stride()) == (
        second.data_ptr(),
        second.shape,
        second.stride(),
    )


def _same_bytes(first: Tensor, second: Tensor) -> bool:
    first, second = (part.contiguous().view(-1).view(torch.uint8) for part in (first, second))
    return torch.equal(first, second)


def _race(name: str, stream: int, what: str, other: int, does: str) -> RaceError:
    return RaceError(
        f"{name} on {_name(stream)} {what} on {_name(other)} {does}, and nothing orders them: call wait_stream, "
        "wait_event or synchronize"
    )


def _name(stream: int) -> str:
    return f"stream {stream}" if stream >= FIRST_SIDE_STREAM else "the default stream"
