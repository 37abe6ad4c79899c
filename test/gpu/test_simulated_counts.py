"""What the simulated device counts, and what else only it can do: several devices, memory that ends at a step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from fakecuda import FakeCuda, fake_cuda
from torch import Tensor
from torchvision.ops import nms

CALLS: dict[str, tuple[Callable[[Tensor], object], int, int]] = {
    "an elementwise operator": (lambda x: x * 2 + 1, 2, 0),
    "views": (lambda x: x.view(2, 2).transpose(0, 1)[1:].unsqueeze(0).expand(3, 1, 2).detach(), 0, 0),
    "memory without values": (lambda x: torch.empty_like(x), 0, 0),
    "a fill": (lambda x: torch.zeros_like(x), 1, 0),
    "item": (lambda x: x[0].item(), 1, 1),
    "bool": (lambda x: bool((x > 1).any()), 3, 1),
    "int": (lambda x: int(x.max()), 2, 1),
    "a branch": (lambda x: 1 if x[0] > 0 else 2, 2, 1),
    "equal": (lambda x: torch.equal(x, x.clone()), 2, 1),
    "to the CPU": (lambda x: x.cpu(), 1, 1),
    "tolist": (lambda x: x.tolist(), 1, 1),
    "from the CPU": (lambda x: torch.ones(3).to(x.device), 1, 1),
    "a list of numbers": (lambda x: torch.tensor([1, 2], device=x.device), 1, 1),
    "from the CPU, not page-locked": (lambda x: torch.ones(3).to(x.device, non_blocking=True), 1, 1),
    "from the CPU, page-locked": (
        lambda x: torch.ones(3).pin_memory()[1:].to(x.device, non_blocking=True),
        1,
        0,
    ),
    "page-locked, but waiting": (lambda x: torch.ones(3).pin_memory().to(x.device), 1, 1),
    "copy_ from page-locked memory": (
        lambda x: torch.zeros_like(x).copy_(torch.ones(4).pin_memory(), non_blocking=True),
        2,
        0,
    ),
    "to the CPU without waiting": (lambda x: x.to("cpu", non_blocking=True), 1, 0),
    "an index on the device": (lambda x: x[x.long()], 2, 0),
    "an index of the CPU": (lambda x: x[torch.tensor([0, 1])], 1, 1),
    "a mask": (lambda x: x[x > 1], 2, 1),
    "a mask and a number": (lambda x: x.__setitem__(x > 1, 0.0), 2, 0),
    "a mask and values": (lambda x: x.__setitem__(x >= 0, x * 2), 3, 1),
    "a CPU scalar": (lambda x: x + torch.tensor(2.0), 1, 0),
    "nonzero": (lambda x: x.nonzero(), 1, 1),
    "nonzero of a known size": (lambda x: torch.nonzero_static(x, size=4), 1, 0),
    "where": (lambda x: torch.where(x > 1, x, 0.0), 3, 0),  # The number is written to the device, too.
    "unique": (lambda x: x.unique(), 1, 1),
    "masked_select": (lambda x: x.masked_select(x > 1), 2, 1),
    "repeat_interleave": (lambda x: x.repeat_interleave(torch.ones_like(x).long()), 4, 1),
    "repeat_interleave of a known size": (lambda x: x.repeat_interleave(2), 1, 0),
    "nms": (lambda x: nms(x[None], x[:1], 0.5), 1, 1),
    "synchronize": (lambda x: torch.cuda.synchronize(x.device), 0, 1),
    "random numbers": (lambda x: torch.rand(3, device=x.device), 1, 0),
}


@pytest.mark.parametrize("case", CALLS)
def test_launches_and_synchronizations_are_counted(cuda: FakeCuda, device: torch.device, case: str) -> None:
    call, launches, syncs = CALLS[case]
    values = torch.arange(4.0).to(device)
    cuda.counts.clear()
    call(values)
    counted = (cuda.counts.launches.total(), cuda.counts.syncs.total())
    assert counted == (launches, syncs), cuda.counts.table()
    places = [*cuda.counts.sync_places, *cuda.counts.launch_places]
    assert all(place.startswith("test_simulated_counts.py:") for place in places)


def test_memory_is_filled_in_deterministic_mode_unless_it_is_off(
    cuda: FakeCuda, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.use_deterministic_algorithms(True)
    for fill, launches in ((True, 1), (False, 0)):
        monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", fill)
        cuda.counts.clear()
        torch.empty(3, device=device)
        assert cuda.counts.launches.total() == launches


def test_all_parameters_are_processed_in_one_launch(cuda: FakeCuda, device: torch.device) -> None:
    model = torch.nn.Sequential(*(torch.nn.Linear(3, 3) for _ in range(9))).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    model(torch.ones(2, 3, device=device)).sum().backward()
    cuda.counts.clear()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    assert cuda.counts.launches["_fused_adamw_"] == 1
    assert cuda.counts.launches["_foreach_norm"] == cuda.counts.launches["_foreach_mul_"] == 1
    assert cuda.counts.syncs.total() == 0


def test_two_devices_do_not_mix() -> None:
    with fake_cuda(num_devices=2):
        first, second = (torch.ones(3, device=f"cuda:{index}") for index in range(2))
        assert torch.cuda.device_count() == 2
        assert (second * 2).device == torch.device("cuda:1")
        with pytest.raises(RuntimeError, match=r"at least two devices, cuda:[01] and cuda:[01]"):
            first + second
        assert (first + second.to("cuda:0")).tolist() == [2, 2, 2]
        with pytest.raises(RuntimeError, match="same device as the indexed tensor"):
            first[second.long()]
        with pytest.raises(RuntimeError, match="generator"):
            torch.rand(3, generator=torch.Generator("cuda:1"), device="cuda:0")
        with torch.cuda.device(1):
            assert torch.ones(3, device="cuda").device == torch.device("cuda:1")
        assert torch.ones(3, device="cuda").device == torch.device("cuda:0")
        with pytest.raises(RuntimeError, match="invalid device ordinal"):
            torch.ones(3, device="cuda:2")


def test_memory_of_each_device_is_its_own() -> None:
    with fake_cuda(num_devices=2, memory_bytes=2**20):
        kept = torch.ones(2**17, device="cuda:1")
        assert torch.cuda.memory_allocated(0) == 0
        assert torch.cuda.memory_allocated(1) == kept.nbytes == 2**19
        with pytest.raises(torch.OutOfMemoryError, match="GPU 1"):
            kept.repeat(2)
        assert torch.cuda.mem_get_info(0) == (2**20, 2**20)


@pytest.mark.parametrize("step", [1, 3])
def test_memory_ends_at_the_step_that_a_test_asks_for(step: int) -> None:
    with fake_cuda() as cuda:
        model = torch.nn.Linear(3, 3).to("cuda")
        optimizer = torch.optim.Adam(model.parameters(), fused=True)
        cuda.full_at_step = step
        done = 0
        with pytest.raises(torch.OutOfMemoryError):
            for _ in range(5):
                optimizer.zero_grad()
                model(torch.ones(1, 3, device="cuda")).sum().backward()
                optimizer.step()
                done += 1
        assert done == step - 1
        cuda.full_at_step = None
        assert model(torch.ones(1, 3, device="cuda")).shape == (1, 3)


def test_what_is_not_simulated_is_an_error(device: torch.device, cuda: FakeCuda) -> None:
    values = torch.ones(4, device=device)
    with pytest.raises(NotImplementedError, match="not simulated"):
        values.unsqueeze_(0)
    with pytest.raises(NotImplementedError, match="not simulated"):
        torch.add(values, 1, out=values)
