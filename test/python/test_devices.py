"""A device is ready for use once it is resolved, or the error says why not."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import make_spec, small_dataset

from cliprpn.contract.generated import FailedOutcome
from cliprpn.devices import describe_environment, resolve_device
from cliprpn.errors import CliprpnError
from cliprpn.trials import trial


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """One CUDA device that, like torch 2.14's, raises if its memory is asked for before CUDA is initialized."""
    ready: list[bool] = []

    def needs_init(value: object) -> Callable[..., object]:
        def ask(*_: object) -> object:
            if not ready:
                raise RuntimeError("Invalid device argument 0: did you call init?")
            return value

        return ask

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "init", lambda: ready.append(True))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", needs_init(None))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", needs_init(1))


@pytest.mark.parametrize("requested", ["auto", "cuda", "cuda:0"])
def test_a_resolved_cuda_device_is_initialized(cuda: None, requested: str) -> None:
    with pytest.raises(RuntimeError, match="call init"):
        torch.cuda.reset_peak_memory_stats(torch.device("cuda:0"))
    device = resolve_device(requested)
    assert device == torch.device("cuda:0")
    torch.cuda.reset_peak_memory_stats(device)


def test_cublas_is_deterministic_before_cuda_is_initialized(
    cuda: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its configuration is read from the environment when the first handle is made."""
    found: list[str | None] = []
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(torch.cuda, "init", lambda: found.append(os.environ.get("CUBLAS_WORKSPACE_CONFIG")))
    resolve_device("cuda:0")
    assert found == [":4096:8"]


def test_a_trial_on_cuda_in_a_new_process_starts(
    cuda: None, no_traces: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: Any) -> None:
        raise CliprpnError("loss_not_finite", "the training has started")

    monkeypatch.setattr(trial, "train_cliprpn", train)
    spec = make_spec(small_dataset(tmp_path / "data", 1), tmp_path).model_copy(update={"device": "cuda"})
    outcome = trial.run_trial(spec, tmp_path / "trial", lambda event: None, lambda: False)
    assert isinstance(outcome, FailedOutcome)
    assert (outcome.error.code, outcome.error.message) == ("loss_not_finite", "the training has started")


def test_a_cuda_that_cannot_be_initialized_is_an_error_with_its_reason(
    cuda: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("The NVIDIA driver on your system is too old")

    monkeypatch.setattr(torch.cuda, "init", fail)
    with pytest.raises(CliprpnError, match=r"--device cuda:0: .*too old.*--device cpu") as caught:
        resolve_device("cuda:0")
    assert caught.value.code == "device_unavailable"


def test_a_device_that_is_not_there_is_an_error_that_names_the_others(cuda: None) -> None:
    with pytest.raises(CliprpnError, match=r"--device cuda:9: .*cuda:0, .*cpu") as caught:
        resolve_device("cuda:9")
    assert caught.value.code == "device_unavailable"


def test_an_environment_names_the_machine_as_its_cluster_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURMD_NODENAME", raising=False)
    alone = describe_environment(torch.device("cpu"))
    assert (alone.host, alone.cpu_name) == (socket.gethostname(), alone.device_name)
    monkeypatch.setenv("SLURMD_NODENAME", "n2")
    assert describe_environment(torch.device("cpu")).host == "n2"


def test_the_environment_of_a_gpu_has_the_processor_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")
    environment = describe_environment(torch.device("cuda:1"))
    assert environment.device_name == "a GPU"
    assert environment.cpu_name == describe_environment(torch.device("cpu")).device_name
