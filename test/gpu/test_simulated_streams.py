"""Races that the simulated device finds, and the same code without them."""

from __future__ import annotations

import pytest
import torch
from fakecuda import FakeCuda

# A real device would only give wrong results, at times.
pytestmark = pytest.mark.usefixtures("cuda")


def test_a_copy_on_another_stream_has_to_be_waited_for(device: torch.device) -> None:
    stream = torch.cuda.Stream(device)
    values = torch.ones(3).pin_memory()
    with torch.cuda.stream(stream):
        copy = values.to(device, non_blocking=True)
    with pytest.raises(RuntimeError, match=f"stream 0 uses memory that stream {stream.number} may"):
        copy + 1
    torch.cuda.current_stream(device).wait_stream(stream)
    copy.record_stream(torch.cuda.current_stream(device))
    assert (copy + 1).tolist() == [2, 2, 2]


def test_a_result_has_to_be_computed_before_another_stream_copies_it(device: torch.device) -> None:
    stream = torch.cuda.Stream(device)
    result = torch.ones(3, device=device) * 2
    too_early = f"stream {stream.number} uses memory that stream 0 may"
    with torch.cuda.stream(stream), pytest.raises(RuntimeError, match=too_early):
        result.to("cpu", non_blocking=True)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        copy = result.to("cpu", non_blocking=True)
    with pytest.raises(RuntimeError, match=f"stream 0 uses memory that stream {stream.number} may"):
        result.zero_()
    result.record_stream(stream)
    stream.synchronize()
    assert copy.tolist() == [2, 2, 2]


def test_a_copy_to_the_host_has_no_values_before_its_event(cuda: FakeCuda, device: torch.device) -> None:
    for values in (torch.ones(3), torch.arange(3), torch.tensor([True, False])):
        event = torch.cuda.Event()
        on_device = values.to(device)
        copy = on_device.to("cpu", non_blocking=True)
        assert copy.is_pinned() and not torch.equal(copy, values)
        event.record()
        cuda.counts.clear()
        event.synchronize()
        assert torch.equal(copy, values) and cuda.counts.syncs == {"event.synchronize": 1}


def test_an_event_stands_for_what_was_queued_before_it(device: torch.device) -> None:
    event = torch.cuda.Event()
    on_device = torch.ones(3, device=device)
    event.record()
    copy = on_device.to("cpu", non_blocking=True)
    event.synchronize()
    assert copy.isnan().all()
    torch.cuda.synchronize(device)
    assert copy.tolist() == [1, 1, 1]


def test_page_locked_memory_must_not_change_before_it_is_copied(device: torch.device) -> None:
    values = torch.ones(3).pin_memory()
    values.to(device, non_blocking=True)
    values.zero_()
    with pytest.raises(RuntimeError, match="changed while it was copied"):
        torch.cuda.synchronize(device)
    values.to(device, non_blocking=True)
    torch.cuda.synchronize(device)
    values.fill_(2)


def test_memory_that_another_stream_uses_has_to_be_kept(device: torch.device) -> None:
    stream = torch.cuda.Stream(device)
    for keep in (True, False):
        values = torch.ones(3, device=device)
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            values.to("cpu", non_blocking=True)
        if keep:
            values.record_stream(stream)
        del values
        if keep:
            torch.ones(3, device=device)
        else:
            with pytest.raises(RuntimeError, match="record_stream"):
                torch.ones(3, device=device)
    torch.cuda.synchronize(device)
