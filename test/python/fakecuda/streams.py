"""Streams and events: what may run at the same time, and copies that the host does not wait for.

The simulation runs each operator at once, but knows what a device may do later. It raises an error for an operator
that uses a tensor which another stream may not have written yet, for memory that is freed while another stream may use
it, and for page-locked memory that is changed while it is copied. What is copied to the host has wrong values until the
host has waited for it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.cuda._sanitizer import StreamSynchronizations

from fakecuda.memory import Allocation

DEFAULT = 0


class Order:
    """What is known to run after what, on all streams of all devices.

    Attributes:
        problems: what cannot be raised where it is found; raised by the next operator.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._lock = threading.RLock()
        self._known = StreamSynchronizations()  # Of torch's CUDA Stream Sanitizer.
        self._last, self._num_streams, self._num_events = 0, 1, 0
        self._copies: list[HostCopy] = []
        self._thread = threading.local()

    @property
    def current(self) -> int:
        """The stream that operators of this thread use."""
        return getattr(self._thread, "stream", DEFAULT)

    @current.setter
    def current(self, stream: int) -> None:
        self._thread.stream = stream

    def new_stream(self) -> int:
        """Another stream, which waits for what the host has waited for."""
        with self._lock:
            self._num_streams += 1
            self._known.create_stream(self._num_streams - 1)
            return self._num_streams - 1

    def new_event(self) -> int:
        """An event that is not recorded yet."""
        with self._lock:
            self._num_events += 1
            self._known.create_event(self._num_events)
            return self._num_events

    def record(self, event: int, stream: int) -> None:
        """The event stands for everything that the stream was given so far."""
        with self._lock:
            self._known.record_state(event, stream)

    def wait(self, stream: int, event: int) -> None:
        """Later operators of the stream wait for the event."""
        with self._lock:
            self._known.stream_wait_for_event(stream, event)

    def host_waits(self, *, stream: int | None = None, event: int | None = None) -> None:
        """The host waits for a stream or an event; for everything without either.

        Raises:
            RuntimeError: page-locked memory was changed while it was copied.
        """
        with self._lock:
            if event is not None:
                self._known.all_streams_wait_for_event(event)
            elif stream is not None:
                self._known.all_streams_wait_for_stream(stream)
            else:
                self._known.sync_all_streams()
            seen = self._known.host_sync_state
            done = [copy for copy in self._copies if copy.number <= seen.get(copy.stream, -1)]
            self._copies = [copy for copy in self._copies if copy not in done]
        for copy in done:
            copy.finish()

    def launch(self, what: str, read: Iterable[Allocation], written: Iterable[Allocation]) -> None:
        """The current stream gets an operator.

        Raises:
            RuntimeError: another stream may not have finished what the operator needs.
        """
        with self._lock:
            if self.problems:
                raise RuntimeError(self.problems.pop())
            stream = self.current
            self._last += 1
            self._known.update_seq_num(stream, self._last)
            for allocation in read:
                self._check(what, allocation.writes, stream)
                allocation.reads[stream] = self._last
            for allocation in written:
                self._check(what, allocation.writes, stream)
                self._check(what, allocation.reads, stream)
                allocation.writes = {stream: self._last}
                allocation.reads = {}

    def _check(self, what: str, accesses: dict[int, int], stream: int) -> None:
        for other, number in accesses.items():
            if not self._known.is_ordered_after(stream, number, other):
                raise RuntimeError(
                    f"{what} on stream {stream} uses memory that stream {other} may still use; let it wait"
                )

    def copy(self, host: Tensor, *, to_host: bool) -> None:
        """A copy from or to page-locked memory, which the host does not wait for."""
        with self._lock:
            self._copies.append(HostCopy(self.current, self._last, host, host.clone(), to_host))
        if to_host:
            spoil(host)

    def free(self, allocation: Allocation) -> None:
        """Memory returns to the stream that it was allocated on."""
        with self._lock:
            for stream, number in (*allocation.reads.items(), *allocation.writes.items()):
                if stream not in allocation.kept_for and not self._known.is_ordered_after(
                    allocation.stream, number, stream
                ):
                    self.problems.append(
                        f"memory of stream {allocation.stream} was freed while stream {stream} may still use it; call "
                        "record_stream"
                    )


@dataclass(eq=False)
class HostCopy:
    """A copy to or from page-locked memory that is not known to be done.

    Attributes:
        number: of the operator.
        values: what the memory contains, or what it will contain.
    """

    stream: int
    number: int
    host: Tensor
    values: Tensor
    to_host: bool

    def finish(self) -> None:
        """
        Raises:
            RuntimeError: the memory was changed before it was copied.
        """
        if self.to_host:
            self.host.copy_(self.values)
        elif not torch.equal(self.host.nan_to_num(), self.values.nan_to_num()):
            raise RuntimeError("page-locked memory was changed while it was copied to the device")


def spoil(tensor: Tensor) -> None:
    """Fills a tensor with values that no result has."""
    if tensor.is_floating_point():
        tensor.fill_(float("nan"))
    elif tensor.dtype == torch.bool:
        tensor.logical_not_()
    else:
        tensor.fill_(torch.iinfo(tensor.dtype).min)


def stream_classes(cuda: Any) -> dict[str, Any]:
    """Replacements for what torch.cuda has for streams and events."""
    order: Order = cuda.order

    class Stream:
        def __init__(self, device: Any = None, priority: int = 0, *, number: int | None = None) -> None:
            cuda.initialized = True
            self.device = cuda.resolve(device)
            self.number = order.new_stream() if number is None else number

        def wait_event(self, event: Event) -> None:
            order.wait(self.number, event.number)

        def wait_stream(self, stream: Stream) -> None:
            self.wait_event(stream.record_event())

        def record_event(self, event: Event | None = None) -> Event:
            event = event or Event()
            event.record(self)
            return event

        def synchronize(self) -> None:
            cuda.counts.add_sync("stream.synchronize")
            order.host_waits(stream=self.number)

    class Event:
        def __init__(self, enable_timing: bool = False, blocking: bool = False) -> None:
            self.number = order.new_event()

        def record(self, stream: Stream | None = None) -> None:
            order.record(self.number, order.current if stream is None else stream.number)

        def wait(self, stream: Stream | None = None) -> None:
            order.wait(order.current if stream is None else stream.number, self.number)

        def synchronize(self) -> None:
            cuda.counts.add_sync("event.synchronize")
            order.host_waits(event=self.number)

    def current_stream(device: Any = None) -> Stream:
        return Stream(device, number=order.current)

    def set_stream(stream: Stream) -> None:
        order.current = stream.number

    return {
        "torch.cuda.Stream": Stream,
        "torch.cuda.Event": Event,
        "torch.cuda.current_stream": current_stream,
        "torch.cuda.default_stream": lambda device=None: Stream(device, number=DEFAULT),
        "torch.cuda.set_stream": set_stream,
    }
