"""Rules of CUDA graphs that training relies on; they hold on the simulated device as on a real one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from fakecuda import FakeCuda
from torch import Tensor


def capture(
    run: Callable[[], Tensor], stream: torch.cuda.Stream | None = None, **options: object
) -> tuple[torch.cuda.CUDAGraph, Tensor]:
    """Captures on a stream of its own, by default, without a warm-up."""
    graph = torch.cuda.CUDAGraph()
    before, stream = torch.cuda.current_stream(), stream or torch.cuda.Stream()
    # torch leaves its stream as the current one if the capture fails.
    with torch.cuda.stream(before), torch.cuda.graph(graph, stream=stream, **options):
        result = run()
    return graph, result


def test_a_replay_computes_with_the_values_that_its_memory_has_then(device: torch.device) -> None:
    values = torch.ones(3, device=device)
    graph, result = capture(lambda: values * 2 + 1)
    for number in (1.0, 5.0):
        values.fill_(number)
        graph.replay()
        assert result.tolist() == [2 * number + 1] * 3


def test_a_new_tensor_is_not_read(device: torch.device) -> None:
    """Code that forgets to copy a batch to the graph's inputs trains on an old one."""
    inputs = {"batch": torch.ones(3, device=device)}
    kept = inputs["batch"]
    graph, result = capture(lambda: inputs["batch"] * 2)
    inputs["batch"] = torch.full((3,), 5.0, device=device)
    graph.replay()
    assert result.tolist() == [2, 2, 2] and kept.tolist() == [1, 1, 1]


def test_numbers_of_python_and_of_the_cpu_are_those_of_the_capture(device: torch.device) -> None:
    values, factor, on_cpu = torch.ones(2, device=device), [2.0], torch.tensor(3.0)
    graph, result = capture(lambda: values * factor[0] + on_cpu)
    factor[0] = 9.0
    on_cpu.fill_(9.0)
    graph.replay()
    assert result.tolist() == [5, 5]


def test_capture_runs_nothing(device: torch.device) -> None:
    values = torch.ones(3, device=device)
    graph, _ = capture(lambda: values.add_(1))
    assert values.tolist() == [1, 1, 1]
    for _ in range(2):
        graph.replay()
    assert values.tolist() == [3, 3, 3]


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_a_training_step_is_captured_with_its_gradients_and_its_optimizer(
    device: torch.device, name: str
) -> None:
    """After a warm-up on the stream of the capture. Steps are those without a graph."""
    plain, replayed = (train(device, name, captured) for captured in (False, True))
    for one, two in zip(plain, replayed, strict=True):
        torch.testing.assert_close(two, one)


def train(device: torch.device, name: str, captured: bool) -> list[Tensor]:
    """Returns weights, running statistics and the last loss."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3)).to(device)
    rate = torch.full((), 0.1, device=device)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    optimizer = kind(model.parameters(), lr=rate, fused=True, capturable=True)
    batches = torch.randn(5, 6, 4).to(device)
    batch, stream = batches[0].clone(), torch.cuda.Stream()

    def step() -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = (model(batch) - 1).square().sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        step()
    torch.cuda.current_stream().wait_stream(stream)
    if captured:
        graph, loss = capture(step, stream)
    for number in range(1, 5):
        batch.copy_(batches[number])
        rate.fill_(0.1 / number)
        if captured:
            graph.replay()
        else:
            loss = step()
    return [*(value.cpu() for value in model.state_dict().values()), loss.cpu()]


REFUSED: dict[str, Callable[[Tensor], object]] = {
    "item": lambda x: x[0].item(),
    "a branch": lambda x: 1 if x[0] > 0 else 2,
    "a copy to the host": lambda x: x.cpu(),
    "a copy from the host": lambda x: torch.ones(3).to(x.device),
    "a list of numbers": lambda x: x + torch.tensor([1.0, 2.0, 3.0], device=x.device),
    "a mask": lambda x: x[x > 0],
    "nonzero": lambda x: x.nonzero(),
    "synchronize": lambda x: torch.cuda.synchronize(),
    "a generator that is not registered": lambda x: torch.rand(
        3, device=x.device, generator=torch.Generator(x.device)
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_waits_for_the_device_is_refused_and_later_captures_work(
    device: torch.device, case: str
) -> None:
    values = torch.ones(3, device=device)
    with pytest.raises(RuntimeError):
        capture(lambda: REFUSED[case](values))
    graph, result = capture(lambda: values * 2)
    graph.replay()
    assert result.tolist() == [2, 2, 2]


def test_the_default_stream_cannot_be_captured(device: torch.device) -> None:
    torch.ones(1, device=device)
    with pytest.raises(RuntimeError, match="non-default stream"):
        torch.cuda.CUDAGraph().capture_begin()


def test_an_optimizer_must_be_capturable(device: torch.device) -> None:
    weight = torch.nn.Parameter(torch.ones(3, device=device))
    optimizer = torch.optim.Adam([weight], fused=True)
    weight.grad = torch.ones(3, device=device)
    optimizer.step()
    with pytest.raises(RuntimeError, match="capturable is False"):
        capture(lambda: optimizer.step())


def test_gradients_of_a_loss_that_was_kept_from_another_stream_are_refused(device: torch.device) -> None:
    """Its graph has the node that accumulates the gradient, which works on its own stream."""
    weight = torch.nn.Parameter(torch.ones(3, device=device))

    def backward() -> Tensor:
        weight.grad = None
        loss = (weight * 2).sum()
        loss.backward(retain_graph=True)
        return loss

    kept = backward()
    with pytest.raises(RuntimeError, match=r"(?i)captur"):
        capture(backward)
    del kept


def test_random_numbers_go_on_in_replays(device: torch.device) -> None:
    """A replay draws what the same operators would draw now, of the default generator and of registered ones."""
    plain, replayed = (draw_rows(device, captured) for captured in (False, True))
    assert torch.equal(plain, replayed)
    assert len({tuple(row) for row in plain[:, 0].tolist()}) == 4


def draw_rows(device: torch.device, captured: bool) -> Tensor:
    torch.manual_seed(0)
    generator = torch.Generator(device).manual_seed(1)

    def draw() -> Tensor:
        uniform = torch.rand(3, device=device, generator=generator)
        return torch.stack([uniform, torch.nn.functional.dropout(torch.ones(3, device=device))])

    rows = [draw()]
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    if captured:
        with torch.cuda.graph(graph, stream=torch.cuda.Stream()):
            result = draw()
    for _ in range(3):
        if captured:
            graph.replay()
        rows.append(result.clone() if captured else draw())
    return torch.stack(rows).cpu()


def test_a_replay_is_one_launch_and_no_synchronization(cuda: FakeCuda, device: torch.device) -> None:
    values = torch.ones(3, device=device)
    graph, _ = capture(lambda: values * 2 + values.exp() - values.sum())
    cuda.counts.clear()
    graph.replay()
    assert dict(cuda.counts.launches) == {"graph": 1}
    assert cuda.counts.syncs.total() == 0


def test_results_have_no_values_before_a_replay_and_after_another_one_of_the_pool(
    cuda: FakeCuda, device: torch.device
) -> None:
    values = torch.ones(3, device=device)
    first, one = capture(lambda: values * 2)
    with pytest.raises(RuntimeError, match="no operator has written"):
        one.sum()
    second, two = capture(lambda: values * 3, pool=first.pool())
    first.replay()
    assert one.tolist() == [2, 2, 2]
    second.replay()
    assert two.tolist() == [3, 3, 3] and one.isnan().all()


def test_memory_that_a_graph_reads_must_not_be_freed(cuda: FakeCuda, device: torch.device) -> None:
    held = [torch.ones(3, device=device)]
    graph, _ = capture(lambda: held[0] * 2)
    graph.replay()
    held.clear()
    with pytest.raises(RuntimeError, match="freed"):
        graph.replay()


def test_a_replay_is_ordered_like_any_operator(cuda: FakeCuda, device: torch.device) -> None:
    """A stream that has not waited for it must not read what it writes."""
    values = torch.ones(3, device=device)
    graph, _ = capture(lambda: values.add_(1))
    graph.replay()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        with pytest.raises(RuntimeError, match="nothing orders them"):
            values.sum()
        stream.wait_stream(torch.cuda.default_stream())
        assert values.sum().item() == 6
