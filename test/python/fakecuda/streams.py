"""torch.cuda.Stream and torch.cuda.Event for the simulated device."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import torch

from fakecuda.device import active_cuda
from fakecuda.order import FIRST_SIDE_STREAM, Clock

_numbers = count(FIRST_SIDE_STREAM)


class Stream:
    """A stream of a device; new ones run beside the default one."""

    def __init__(
        self,
        device: str | int | torch.device | None = None,
        priority: int = 0,
        *,
        stream_id: int | None = None,
    ) -> None:
        cuda = active_cuda()
        self.device = cuda.resolve(device)
        self.device_index: int = self.device.index
        self.priority = priority
        self.stream_id = self.cuda_stream = next(_numbers) if stream_id is None else stream_id

    def wait_stream(self, stream: Stream) -> None:
        """Later operators wait for all operators that another stream has so far."""
        self._check_capture()
        order = active_cuda().order
        order.wait_on_stream(self.stream_id, order.clock(stream.stream_id))

    def wait_event(self, event: Event) -> None:
        """Later operators wait for an event; one that was not recorded changes nothing."""
        self._check_capture()
        active_cuda().order.wait_on_stream(self.stream_id, event.clock)

    def record_event(self, event: Event | None = None) -> Event:
        """Records an event, by default a new one."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def synchronize(self) -> None:
        """The host waits for all operators of the stream so far."""
        cuda = active_cuda()
        cuda.counter.add_sync("stream.synchronize")
        cuda.order.wait_on_host(cuda.order.clock(self.stream_id))

    def query(self) -> bool:
        """Whether the host knows that the stream has nothing to do."""
        order = active_cuda().order
        return order.clocks[self.stream_id].get(self.stream_id, 0) <= order.host.get(self.stream_id, 0)

    def is_capturing(self) -> bool:
        """Whether the operators of the stream are captured as a graph."""
        return active_cuda().capture is not None and self == current_stream(self.device)

    def _check_capture(self) -> None:
        """
        Raises:
            torch.AcceleratorError: the stream, which is captured, would wait for what is not.
        """
        if self.is_capturing():
            active_cuda().refuse_if_capturing("dependency created on uncaptured work in another stream")

    def __enter__(self) -> Stream:
        _entered().append(current_stream(self.device))
        set_stream(self)
        return self

    def __exit__(self, *_: object) -> None:
        set_stream(_entered().pop())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and (self.device, self.stream_id) == (other.device, other.stream_id)

    def __hash__(self) -> int:
        return hash((self.device, self.stream_id))


class Event:
    """A point in a stream.

    Attributes:
        clock: what is done then; empty if it was not recorded.
    """

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        self.clock: Clock = {}
        self._timing, self._seconds, self._asked = enable_timing, 0.0, False

    def record(self, stream: Stream | None = None) -> None:
        """Marks what the stream, by default the current one, has to do so far."""
        stream = current_stream() if stream is None else stream
        self.clock, self._seconds, self._asked = (
            active_cuda().order.clock(stream.stream_id),
            time.perf_counter(),
            False,
        )

    def wait(self, stream: Stream | None = None) -> None:
        """Later operators of the stream, by default the current one, wait for it."""
        (current_stream() if stream is None else stream).wait_event(self)

    def synchronize(self) -> None:
        """The host waits for it."""
        cuda = active_cuda()
        cuda.counter.add_sync("event.synchronize")
        cuda.order.wait_on_host(self.clock)

    def query(self) -> bool:
        """Whether it is done; not yet when asked for the first time."""
        order = active_cuda().order
        if not self._asked and any(order.host.get(stream, 0) < done for stream, done in self.clock.items()):
            self._asked = True
            return False
        order.wait_on_host(self.clock)
        return True

    def elapsed_time(self, end: Event) -> float:
        """Milliseconds between two events, as the host launched them.

        Raises:
            ValueError, RuntimeError: as CUDA does.
        """
        if not (self._timing and end._timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        host = active_cuda().order.host
        if not (self.clock and end.clock):
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        if any(host.get(stream, 0) < done for event in (self, end) for stream, done in event.clock.items()):
            raise torch.AcceleratorError("CUDA error: device not ready")
        return (end._seconds - self._seconds) * 1000


def current_stream(device: Any = None) -> Stream:
    """The stream that this thread uses on a device; at first the default one."""
    resolved = active_cuda().resolve(device)
    found: Stream | None = _streams().get(resolved.index)
    return default_stream(resolved) if found is None else found


def current_stream_id(index: int) -> int:
    """The number of `current_stream`."""
    found: Stream | None = _streams().get(index)
    return index if found is None else found.stream_id


def default_stream(device: Any = None) -> Stream:
    """The default stream of a device."""
    resolved = active_cuda().resolve(device)
    return Stream(resolved, stream_id=resolved.index)


def set_stream(stream: Stream | None) -> None:
    """Makes a stream the current one of this thread."""
    if stream is not None:
        _streams()[stream.device_index] = stream


def _streams() -> dict[int, Stream]:
    """The streams that this thread chose, by device."""
    found: dict[int, Stream] = active_cuda().of_thread.__dict__.setdefault("streams", {})
    return found


def _entered() -> list[Stream]:
    """Streams that are current again when `with` blocks of this thread end."""
    found: list[Stream] = active_cuda().of_thread.__dict__.setdefault("entered", [])
    return found
