"""Streams, events, and copies that the host does not wait for: what has no order is an error on the simulated device.

On a real one, such a program may give right results by chance. What has an order gives right results on both.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch
from fakecuda import FakeCuda, RaceError, fake_cuda
from torch import Tensor


@pytest.fixture
def side(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)


def make_on(stream: torch.cuda.Stream, device: torch.device) -> Tensor:
    with torch.cuda.stream(stream):
        return torch.arange(4.0, device=device) * 2


ORDERS: dict[str, Callable[[torch.cuda.Stream, torch.cuda.Stream], None]] = {
    "wait_stream": lambda first, second: second.wait_stream(first),
    "wait_event": lambda first, second: second.wait_event(first.record_event()),
    "event.wait": lambda first, second: first.record_event().wait(second),
    "event.synchronize": lambda first, second: first.record_event().synchronize(),
    "stream.synchronize": lambda first, second: first.synchronize(),
    "synchronize": lambda first, second: torch.cuda.synchronize(),
    "a copy that waits": lambda first, second: _copy_on(first),
}


def _copy_on(stream: torch.cuda.Stream) -> None:
    with stream:
        torch.ones(1, device="cuda").cpu()


@pytest.mark.parametrize("order", ORDERS)
def test_what_a_stream_waited_for_can_be_read_and_overwritten(
    device: torch.device, side: torch.cuda.Stream, order: str
) -> None:
    values = make_on(side, device)
    current = torch.cuda.current_stream(device)
    ORDERS[order](side, current)
    total = values.sum()
    values.add_(1)
    ORDERS[order](current, side)
    with torch.cuda.stream(side):
        values.mul_(10)
        found = (values + total).tolist()
    assert found == [22, 42, 62, 82]


def test_reading_what_another_stream_writes_is_an_error(
    cuda: FakeCuda, device: torch.device, side: torch.cuda.Stream
) -> None:
    values = make_on(side, device)
    with pytest.raises(RaceError, match=r"sum on the default stream reads what mul on stream \d+ writes"):
        values.sum()
    with pytest.raises(RaceError):
        values.cpu()  # It waits for its own stream only.
    event = side.record_event()
    with torch.cuda.stream(side):
        values.add_(1)
    torch.cuda.current_stream(device).wait_event(event)
    with pytest.raises(RaceError, match="add_ on stream"):
        values[1:].sum()  # Written after the event, by any view.


def test_overwriting_what_another_stream_reads_is_an_error(
    cuda: FakeCuda, device: torch.device, side: torch.cuda.Stream
) -> None:
    values = torch.ones(4, device=device)
    side.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(side):
        values.sum()
    values.sum()  # Both may read.
    with pytest.raises(RaceError, match=r"zero_ on the default stream overwrites .* reads"):
        values.zero_()


def test_memory_is_not_reused_while_another_stream_uses_it(
    cuda: FakeCuda, device: torch.device, side: torch.cuda.Stream
) -> None:
    current = torch.cuda.current_stream(device)

    def use(record: bool) -> None:
        values = torch.ones(4, device=device)
        side.wait_stream(current)
        with torch.cuda.stream(side):
            values.sum()
        if record:
            values.record_stream(side)

    use(record=True)
    torch.ones(4, device=device)
    use(record=False)
    with pytest.raises(RaceError, match="record_stream"):
        torch.ones(4, device=device)
    use(record=False)
    current.wait_stream(side)
    torch.ones(4, device=device)


def test_memory_must_be_written_before_it_is_read(cuda: FakeCuda, device: torch.device) -> None:
    memory = torch.empty(4, device=device)
    with pytest.raises(RaceError, match="sum reads memory that no operator has written"):
        memory.sum()
    memory[:2] = 1
    assert memory.isnan().tolist() == [False, False, True, True]  # The rest has no values.


def test_a_copy_to_the_host_is_there_after_waiting(device: torch.device) -> None:
    values = torch.arange(4.0, device=device)
    target = torch.empty(4, pin_memory=True)
    assert target.is_pinned() and target[1:].is_pinned() and not torch.empty(4).is_pinned()
    target.copy_(values, non_blocking=True)
    other = (values + 1).to("cpu", non_blocking=True)
    event = torch.cuda.Event()
    event.record()
    found: list[list[float]] = []
    # Another thread may wait, and read.
    thread = threading.Thread(target=lambda: (event.synchronize(), found.append(other.tolist())))
    thread.start()
    thread.join()
    assert found == [[1, 2, 3, 4]] and target.numpy().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8])
def test_a_copy_to_the_host_has_no_values_before(
    cuda: FakeCuda, device: torch.device, dtype: torch.dtype
) -> None:
    values = torch.arange(4, device=device).to(dtype)
    copy = values.to("cpu", non_blocking=True)
    with pytest.raises(RaceError, match=r"non_blocking=True, test_cuda_streams\.py"):
        copy.sum()
    with pytest.raises(RaceError):
        copy[0].item()
    # torch does not see that NumPy reads: there are other values.
    assert all(value not in (0, 1, 2, 3) for value in copy.tolist())
    torch.cuda.current_stream(device).synchronize()
    assert copy.tolist() == [0, 1, 2, 3]


def test_an_event_before_the_copy_is_not_enough(cuda: FakeCuda, device: torch.device) -> None:
    values = torch.arange(4.0, device=device)
    event = torch.cuda.current_stream(device).record_event()
    copy = values.to("cpu", non_blocking=True)
    event.synchronize()
    assert np.isnan(copy.numpy()).all()


def test_page_locked_memory_stays_as_it_is_while_a_copy_reads_it(
    cuda: FakeCuda, device: torch.device
) -> None:
    source = torch.arange(4.0).pin_memory()
    copy = source.to(device, non_blocking=True)
    with pytest.raises(RaceError, match=r"add_ uses page-locked memory before .* reads it"):
        source.add_(1)
    assert source.sum() == 6  # Reading is permitted.
    torch.cuda.synchronize()
    source.add_(1)
    assert copy.tolist() == [0, 1, 2, 3]
    source.to(device, non_blocking=True)
    source.numpy()[0] = 7
    with pytest.raises(RaceError, match="was changed while a copy read it"):
        torch.cuda.synchronize()


def test_a_staging_buffer_is_reused_after_its_event(device: torch.device, side: torch.cuda.Stream) -> None:
    buffer, event, total = torch.empty(4, pin_memory=True), torch.cuda.Event(), 0.0
    for step in range(3):
        event.synchronize()  # The first time, there is nothing to wait for.
        buffer.fill_(step)
        with torch.cuda.stream(side):
            batch = buffer.to(device, non_blocking=True)
            event.record()
        torch.cuda.current_stream(device).wait_stream(side)
        batch.record_stream(torch.cuda.current_stream(device))
        total += batch.sum().item()
    assert total == 12


def test_copies_to_the_same_buffer_have_an_order(
    cuda: FakeCuda, device: torch.device, side: torch.cuda.Stream
) -> None:
    buffer, values = torch.empty(4, pin_memory=True), torch.arange(4.0, device=device)
    buffer.copy_(values, non_blocking=True)
    first = torch.cuda.current_stream(device).record_event()
    again = buffer.to(device, non_blocking=True)  # On the same stream: after the copy.
    buffer.copy_(values * 2, non_blocking=True)
    first.synchronize()
    assert np.isnan(buffer.numpy()).all()  # It is being overwritten.
    with (
        torch.cuda.stream(side),
        pytest.raises(RaceError, match=r"uses page-locked memory that a copy .* writes"),
    ):
        buffer.to(device, non_blocking=True)
    torch.cuda.synchronize()
    assert buffer.tolist() == [0, 2, 4, 6] and again.tolist() == [0, 1, 2, 3]


def test_streams_and_events_are_those_of_the_thread(device: torch.device, side: torch.cuda.Stream) -> None:
    assert torch.cuda.current_stream(device) == torch.cuda.default_stream(device) != side
    found = []
    with torch.cuda.stream(side):
        assert torch.cuda.current_stream(device) == side
        thread = threading.Thread(target=lambda: found.append(torch.cuda.current_stream(device)))
        thread.start()
        thread.join()
    assert found == [torch.cuda.default_stream(device)] == [torch.cuda.current_stream(device)]
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    torch.ones(4, device=device)
    end.record()
    end.synchronize()
    assert end.query() and start.elapsed_time(end) >= 0
    with pytest.raises(ValueError, match="enable_timing"):
        torch.cuda.Event().elapsed_time(end)


def test_a_stream_of_another_device_waits_for_a_copy_to_it() -> None:
    with fake_cuda(num_devices=2):
        first = torch.ones(3, device="cuda:0")
        second = first.to("cuda:1", non_blocking=True)
        assert (second + 1).tolist() == [2, 2, 2]
        first.zero_()  # After the copy has read it.
        assert second.tolist() == [1, 1, 1]
