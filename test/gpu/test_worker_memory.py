"""After an attempt, a worker's memory of the device is free again, but for the frozen features."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from helpers import file_fusion, make_baseline, make_spec

from cliprpn.bridge.methods import METHODS, CallContext
from cliprpn.contract.generated import RunTrialParams, WorkerMemory
from cliprpn.errors import CliprpnError
from cliprpn.features import frozen
from cliprpn.ranking import clip_embeddings
from cliprpn.storage.specs import Spec
from cliprpn.trials.worker_memory import begin_worker, measure_memory, release_attempt

LEAK_BYTES = 4 * 2**20
# It keeps a tensor of the device in a list that lives as long as the process.
LEAKING = f"""import sys, torch

class Leaking(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)

    def forward(self, map, words, mask, pooled):
        if not hasattr(sys, "leaked"):
            sys.leaked = torch.zeros({LEAK_BYTES // 4}, device=map.device)
        return map * self.text(pooled)[:, :, None, None]
"""


@pytest.fixture(autouse=True)
def worker(device: torch.device) -> Iterator[None]:
    """A worker that has run no trial."""
    clip_embeddings._loaded.clear()
    release_attempt(device)
    begin_worker(device)
    yield
    gc.unfreeze()


def attempt(spec: Spec, folder: Path, device: torch.device, stop: bool = False) -> WorkerMemory:
    context = CallContext(lambda event: None, lambda: stop, device)
    params = RunTrialParams(spec=spec, folder=str(folder), keep_models="none")
    result = METHODS["run_trial"].run(params, context)
    assert result.outcome.state == "completed", result.outcome  # type: ignore[attr-defined]
    memory = result.memory  # type: ignore[attr-defined]
    assert isinstance(memory, WorkerMemory)
    return memory


def test_only_the_features_stay_on_the_device(
    root: Path, cache: Path, tmp_path: Path, device: torch.device
) -> None:
    before = torch.cuda.memory_allocated(device)
    memory = attempt(make_spec(root, cache, training={"views": 1}), tmp_path / "1", device)
    assert memory.device_left_bytes == 0
    assert torch.cuda.memory_allocated(device) > before  # The features.
    assert memory.device_bytes == torch.cuda.memory_allocated(device)
    frozen._opened.clear()
    release_attempt(device)
    assert torch.cuda.memory_allocated(device) == before


def test_the_network_of_a_baseline_leaves_the_device(
    root: Path, cache: Path, tmp_path: Path, device: torch.device
) -> None:
    spec = make_baseline(root, cache, {"kind": "gt_boxes"})
    assert attempt(spec, tmp_path / "1", device).device_left_bytes == 0
    (backbone,) = clip_embeddings._loaded.values()
    assert {parameter.device.type for parameter in backbone.parameters()} == {"cpu"}


def test_an_interrupted_attempt_leaves_nothing_to_the_next_one(
    root: Path, cache: Path, tmp_path: Path, device: torch.device
) -> None:
    spec = make_spec(root, cache)
    attempt(spec, tmp_path / "1", device)  # It extracts the features.
    with pytest.raises(CliprpnError, match="stopped"):
        attempt(spec, tmp_path / "2", device, stop=True)
    release_attempt(device)
    assert measure_memory(device).device_left_bytes == 0


def test_memory_that_a_fusion_keeps_is_measured(
    root: Path, cache: Path, tmp_path: Path, device: torch.device
) -> None:

    fusion = file_fusion(tmp_path / "leaking.py", LEAKING, "Leaking")
    try:
        memory = attempt(make_spec(root, cache, fusion=fusion), tmp_path / "1", device)
        assert memory.device_left_bytes == LEAK_BYTES
    finally:
        vars(sys).pop("leaked", None)
