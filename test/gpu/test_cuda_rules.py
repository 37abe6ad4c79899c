"""What CUDA refuses and what it permits: the simulated device and a real one behave alike."""

from __future__ import annotations

import copy
import gc
import os
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest
import torch
from fakecuda import FakeCuda, fake_cuda
from torch import Tensor
from torch.nn import functional

TWO_DEVICES = "Expected all tensors to be on the same device"


@pytest.fixture
def vector(device: torch.device) -> Tensor:
    return torch.arange(4.0).to(device)


def test_a_tensor_is_on_the_device_and_has_its_numbers(device: torch.device, vector: Tensor) -> None:
    assert (vector.device, vector.is_cuda, vector.shape, vector.dtype) == (device, True, (4,), torch.float32)
    assert (vector * 2 + 1).cpu().tolist() == (vector * 2 + 1).tolist() == [1, 3, 5, 7]
    assert torch.tensor([1, 2], device=device).device == device
    assert torch.zeros(3, device=device).device == torch.ones_like(vector).device == device
    assert torch.full((), 2, device="cuda").device == device
    assert vector.new_tensor([7.0]).device == vector[1:].device == device
    assert (vector[1:] + vector.view(2, 2).sum()).tolist() == [7, 8, 9]


MIXED: dict[str, Callable[[Tensor, Tensor], object]] = {
    "+": lambda cuda, cpu: cuda + cpu,
    "a CPU tensor first": lambda cuda, cpu: cpu * cuda,
    "a scalar on the device": lambda cuda, cpu: cpu + cuda[0],
    "in place": lambda cuda, cpu: cuda.add_(cpu),
    "in place on the CPU": lambda cuda, cpu: cpu.add_(cuda),
    "in place on a CPU scalar": lambda cuda, cpu: cpu[0].add_(cuda[0]),
    "where": lambda cuda, cpu: torch.where(cuda > 1, cuda, cpu),
    "a condition on the CPU": lambda cuda, cpu: torch.where(cpu > 1, cuda, cuda),
    "cat": lambda cuda, cpu: torch.cat([cuda, cpu]),
    "stack of scalars": lambda cuda, cpu: torch.stack([cuda[0], cpu[0]]),
    "mm": lambda cuda, cpu: cuda[None] @ cpu[:, None],
    "linear": lambda cuda, cpu: functional.linear(cuda, cpu[None]),
    "conv": lambda cuda, cpu: functional.conv2d(cuda.view(1, 1, 2, 2), cpu.view(1, 1, 2, 2)),
    "gather": lambda cuda, cpu: cuda.gather(0, cpu.long()),
    "index_select": lambda cuda, cpu: cuda.index_select(0, cpu.long()),
    "scatter": lambda cuda, cpu: cuda.scatter(0, cpu.long(), 1.0),
    "embedding": lambda cuda, cpu: functional.embedding(cpu.long(), cuda[:, None]),
    "masked_fill": lambda cuda, cpu: cuda.masked_fill(cpu > 1, 0),
    "layer_norm": lambda cuda, cpu: functional.layer_norm(cuda, (4,), cpu),
    "bincount": lambda cuda, cpu: cuda.long().bincount(cpu),
    "assignment of values by index": lambda cuda, cpu: cuda.__setitem__(cpu.long(), cpu),
}


@pytest.mark.parametrize("case", MIXED)
def test_tensors_on_two_devices_are_refused(vector: Tensor, case: str) -> None:
    with pytest.raises(RuntimeError, match=r"device"):
        MIXED[case](vector, torch.arange(4.0))


PERMITTED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "a CPU scalar": lambda cuda, cpu: cuda * cpu[2],
    "a CPU scalar first": lambda cuda, cpu: cpu[2] * cuda,
    "a Python number": lambda cuda, cpu: 2 - cuda,
    "where with a CPU scalar": lambda cuda, cpu: torch.where(cuda > 1, cuda, cpu[0]),
    "masked_fill by a CPU scalar": lambda cuda, cpu: cuda.masked_fill(cuda > 1, cpu[0]),
    "a CPU index": lambda cuda, cpu: cuda[cpu.long()],
    "a CPU mask": lambda cuda, cpu: cuda[cpu > 1],
    "copy_": lambda cuda, cpu: torch.zeros_like(cuda).copy_(cpu),
    "an assigned number": lambda cuda, cpu: _assign(cuda, cuda > 1, 3.0),
    "an assigned CPU scalar": lambda cuda, cpu: _assign(cuda, cpu.long()[:2], cpu[3]),
    "an assigned slice of the CPU": lambda cuda, cpu: _assign(cuda, slice(0, 4), cpu),
}


def _assign(tensor: Tensor, index: object, value: object) -> Tensor:
    tensor[index] = value
    return tensor


@pytest.mark.parametrize("case", PERMITTED)
def test_some_operators_take_a_cpu_tensor(device: torch.device, vector: Tensor, case: str) -> None:
    found = PERMITTED[case](vector, torch.arange(4.0))
    assert found.device == device
    expected = PERMITTED[case](torch.arange(4.0), torch.arange(4.0))
    assert found.tolist() == expected.tolist()


def test_an_index_on_the_device_into_a_cpu_tensor_is_refused(vector: Tensor) -> None:
    for index in (vector.long(), vector > 1):
        with pytest.raises(RuntimeError, match="indices should be either on cpu or on the same device"):
            torch.arange(4.0)[index]
        with pytest.raises(RuntimeError, match="indices should be either on cpu or on the same device"):
            torch.arange(4.0)[index] = 1.0


def test_numpy_needs_cpu_first(vector: Tensor) -> None:
    for convert in (lambda x: x.numpy(), lambda x: np.asarray(x), lambda x: np.array(x)):
        with pytest.raises(TypeError, match=r"can't convert cuda:0 device type tensor to numpy"):
            convert(vector)
    assert vector.cpu().numpy().tolist() == [0, 1, 2, 3]


def test_cublas_has_no_integers(device: torch.device) -> None:
    numbers = torch.ones(2, 2, dtype=torch.long)
    assert (numbers @ numbers).tolist() == [[2, 2], [2, 2]]
    for product in (lambda x: x @ x, lambda x: x[None] @ x[None], lambda x: x @ x[0]):
        with pytest.raises((NotImplementedError, RuntimeError), match="not implemented for"):
            product(numbers.to(device))


def test_a_forked_process_cannot_use_cuda(vector: Tensor, tmp_path: Path) -> None:
    """As in the workers of a DataLoader, which Linux forks."""
    result = tmp_path / "result.txt"
    child = os.fork()
    if child == 0:
        try:
            torch.zeros(1, device=vector.device)
        except RuntimeError as error:
            result.write_text(str(error))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert "Cannot re-initialize CUDA in forked subprocess" in result.read_text()


def test_copies_of_modules_are_on_the_device(device: torch.device) -> None:
    model = torch.nn.Linear(2, 2).to(device)
    copied = copy.deepcopy(model)
    with torch.no_grad():
        copied.weight.zero_()
    assert copied.weight.device == device and model.weight.count_nonzero().item() == 4


def test_memory_of_numpy_is_copied_to_the_device(device: torch.device) -> None:
    array = np.ones(3, dtype=np.float32)
    copies = [torch.from_numpy(array).to(device), torch.as_tensor(array, device=device)]
    array[:] = 7
    assert [each.tolist() for each in copies] == [[1, 1, 1]] * 2


def test_pickles_of_cuda_tensors_are_refused(cuda: FakeCuda, vector: Tensor, tmp_path: Path) -> None:
    """On a real device they would need one to be read; those of the CPU are read to the device that is asked for."""
    with pytest.raises(NotImplementedError, match="copy it to the CPU first"):
        torch.save({"vector": vector}, tmp_path / "vector.pt")
    with pytest.raises(NotImplementedError, match="copy it to the CPU first"):
        ForkingPickler.dumps(vector)
    torch.save({"vector": vector.cpu()}, tmp_path / "vector.pt")
    assert torch.load(tmp_path / "vector.pt")["vector"].device == torch.device("cpu")


def test_a_generator_draws_for_its_device(device: torch.device) -> None:
    of_device, of_cpu = torch.Generator(device), torch.Generator()
    assert (of_device.device, of_cpu.device) == (device, torch.device("cpu"))
    for draw in (torch.rand, torch.randn):
        assert draw(3, generator=of_device, device=device).device == device
        with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator but found 'cpu'"):
            draw(3, generator=of_cpu, device=device)
        with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator but found 'cuda'"):
            draw(3, generator=of_device)
    with pytest.raises(RuntimeError, match="generator"):
        torch.zeros(3, device=device).uniform_(generator=of_cpu)
    first, second = (torch.rand(5, generator=of_device.manual_seed(3), device=device) for _ in range(2))
    assert torch.equal(first, second)


def test_a_gradient_is_that_of_the_cpu(device: torch.device) -> None:
    def gradients(place: torch.device) -> list[Tensor]:
        torch.manual_seed(0)
        model = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(32, 32)
        )
        shared = torch.nn.Parameter(torch.randn(32))
        values = torch.randn(2, 3, 4, 4)
        model, shared_on = model.to(place), shared.to(place).detach().requires_grad_()
        hidden = functional.layer_norm(model(values.to(place)) * shared_on, (32,), shared_on)
        loss = (hidden[:, :16] + hidden[:, 16:].sigmoid() * shared_on[:16]).square().sum()
        loss.backward()
        loss_again = (shared_on.sum() + model[0].bias.sum()) * 3  # Accumulates.
        loss_again.backward()
        parameters = [*model.parameters(), shared_on]
        assert all(parameter.grad is not None for parameter in parameters)
        return [parameter.grad for parameter in parameters if parameter.grad is not None]

    for of_device, of_cpu in zip(gradients(device), gradients(torch.device("cpu")), strict=True):
        assert of_device.device == device and of_device.stride() == of_cpu.stride()
        torch.testing.assert_close(of_device.cpu(), of_cpu, rtol=1e-4, atol=1e-5)


def test_gradients_of_two_parameters_do_not_share_memory(device: torch.device) -> None:
    first, second = (torch.ones(3, device=device, requires_grad=True) for _ in range(2))
    (first + second).sum().backward()
    assert first.grad is not None and second.grad is not None
    first.grad.mul_(5)
    assert second.grad.tolist() == [1, 1, 1]


def test_what_has_no_graph_has_no_gradient(device: torch.device) -> None:
    leaf = torch.ones(3, device=device, requires_grad=True)
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.ones(3, device=device).sum().backward()
    with pytest.raises(RuntimeError, match="implicitly created only for scalar outputs"):
        (leaf * 2).backward()


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.AdamW])
def test_a_fused_optimizer_steps_as_on_the_cpu(
    device: torch.device, optimizer: type[torch.optim.Optimizer]
) -> None:
    def steps(place: torch.device) -> list[float]:
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 3).to(place)
        stepper = optimizer(model.parameters(), lr=0.1, fused=True)
        for _ in range(3):
            stepper.zero_grad(set_to_none=True)
            model(torch.ones(2, 4).to(place)).square().sum().backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            stepper.step()
        return model.weight.flatten().tolist()

    assert steps(device) == pytest.approx(steps(torch.device("cpu")), rel=1e-4)


def test_autocast_computes_in_half_precision(device: torch.device) -> None:
    layer, values = torch.nn.Linear(4, 4).to(device), torch.ones(2, 4, device=device)
    with torch.autocast("cuda", dtype=torch.bfloat16):
        assert layer(values).dtype == torch.bfloat16
        assert functional.layer_norm(values, (4,)).dtype == torch.float32
    assert layer(values).dtype == torch.float32


def test_memory_is_allocated_released_and_limited(device: torch.device) -> None:
    gc.collect()
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    values = torch.zeros(2**20, device=device)  # 4 MiB
    view = values[1:]
    assert torch.cuda.memory_allocated(device) - before == 4 * 2**20
    del values
    assert torch.cuda.memory_allocated(device) - before == 4 * 2**20  # The view still needs it.
    del view
    assert torch.cuda.memory_allocated(device) == before
    assert torch.cuda.max_memory_allocated(device) - before == 4 * 2**20
    free, total = torch.cuda.mem_get_info(device)
    assert 0 < free <= total
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((before + 2**26) / total, device)
    try:
        with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
            torch.zeros(2**26, device=device)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    assert torch.zeros(2**20, device=device).sum().item() == 0


def test_statistics_need_an_initialized_device(cuda: FakeCuda) -> None:
    with fake_cuda():
        assert not torch.cuda.is_initialized()
        assert torch.cuda.max_memory_allocated("cuda:0") == 0
        with pytest.raises(RuntimeError, match="did you call init"):
            torch.cuda.reset_peak_memory_stats("cuda:0")
        torch.zeros(1, device="cuda")
        assert torch.cuda.is_initialized()
        torch.cuda.reset_peak_memory_stats("cuda:0")
    assert torch.cuda.device_count() == 1
