"""One policy for TF32, deterministic operations, and the keys of what is cached."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import file_fusion, make_settings, make_spec, run_python, small_dataset

from cliprpn.arithmetic import (
    WORKSPACE,
    describe_nondeterminism,
    fix_arithmetic,
    nondeterminism_notes,
    use_deterministic,
)
from cliprpn.contract.generated import CompletedOutcome, FailedOutcome, Settings
from cliprpn.errors import CliprpnError
from cliprpn.inference.build import check_fusion
from cliprpn.inference.checkpoint import load_model
from cliprpn.trials.trial import run_trial

pytestmark = pytest.mark.usefixtures("no_traces")
CPU, CUDA, MPS = (torch.device(name) for name in ("cpu", "cuda:0", "mps"))

# On a CPU, too, `put_` without accumulation has no deterministic implementation.
PUT = """import torch

class Mine(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)

    def forward(self, map, words, mask, pooled):
        fused = map * self.text(pooled)[:, :, None, None]
        torch.zeros(4).put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))
        return fused
"""


@pytest.fixture(autouse=True)
def workspace() -> Iterator[None]:
    before = os.environ.pop(WORKSPACE, None)
    yield
    os.environ.pop(WORKSPACE, None)
    if before is not None:
        os.environ[WORKSPACE] = before


def test_a_new_process_has_the_policy_once_its_device_is_resolved() -> None:
    code = """
import json, os, torch
from cliprpn.devices import resolve_device
resolve_device("cpu")
torch.use_deterministic_algorithms(True)
backends = torch.backends
print(json.dumps({
    "workspace": os.environ["CUBLAS_WORKSPACE_CONFIG"],
    "fp32": [each.fp32_precision for each in (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn)],
    "old names": [backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()],
    "benchmark": backends.cudnn.benchmark,
    "empty is filled": bool(torch.empty(1000).isnan().all()),
    "initialized": torch.cuda.is_initialized(),
}))
"""
    result = run_python("-W", "error", "-c", code)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "workspace": ":4096:8",
        "fp32": ["ieee"] * 3,
        "old names": [False, False, "highest"],
        "benchmark": False,
        "empty is filled": False,
        "initialized": False,
    }


def test_the_environments_own_workspace_is_kept_and_must_be_deterministic() -> None:
    os.environ[WORKSPACE] = ":16:8"
    fix_arithmetic()
    use_deterministic(True, CUDA)
    assert os.environ[WORKSPACE] == ":16:8" and torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    os.environ[WORKSPACE] = ":0:0"
    fix_arithmetic()
    use_deterministic(False, CUDA)
    use_deterministic(True, CPU)
    with pytest.raises(CliprpnError, match=r":0:0.*training\.deterministic") as caught:
        use_deterministic(True, CUDA)
    assert caught.value.code == "bad_input"


def test_only_torchs_refusal_of_an_operation_is_described() -> None:
    use_deterministic(True, CPU)
    with pytest.raises(RuntimeError) as caught:
        torch.zeros(4).put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))
    described = describe_nondeterminism(caught.value)
    assert described is not None and described.startswith("put_ ") and "training.deterministic" in described
    assert describe_nondeterminism(RuntimeError("CUDA error: an illegal memory access")) is None
    assert describe_nondeterminism(ValueError("put_ does not have a deterministic implementation")) is None


@pytest.mark.parametrize(
    ("deterministic", "device", "word"),
    [(True, CPU, None), (True, CUDA, None), (True, MPS, "mps"), (False, CPU, "cpu"), (False, CUDA, "cuda")],
)
def test_a_run_that_may_differ_has_a_note(
    deterministic: bool, device: torch.device, word: str | None
) -> None:
    notes = nondeterminism_notes(deterministic, device)
    assert len(notes) == (0 if word is None else 1)
    assert all(str(word) in note and "last digits" in note for note in notes)


def test_a_fusion_that_is_not_deterministic_is_refused_with_its_line(tmp_path: Path) -> None:
    fusion = file_fusion(tmp_path / "mine.py", PUT, "Mine")
    settings = Settings.model_validate(make_settings(fusion=fusion))
    use_deterministic(True, CPU)
    with pytest.raises(CliprpnError, match=r"mine\.py:10, in forward: .*put_") as caught:
        check_fusion(settings, (512, 192, 48), CPU)
    assert caught.value.code == "not_deterministic"
    use_deterministic(False, CPU)
    assert check_fusion(settings, (512, 192, 48), CPU) > 0


def test_a_trial_that_is_not_deterministic_fails_or_has_a_note(tmp_path: Path) -> None:
    fusion = file_fusion(tmp_path / "mine.py", PUT, "Mine")
    root = small_dataset(tmp_path / "data", 6)

    def run(name: str, **training: Any) -> CompletedOutcome | FailedOutcome:
        spec = make_spec(root, tmp_path, fusion=fusion, training={"num_epochs": 1, **training})
        return run_trial(spec, tmp_path / name, lambda event: None, lambda: False)

    failed = run("strict")
    assert isinstance(failed, FailedOutcome)
    assert failed.error.code == "not_deterministic"
    assert all(word in failed.error.message for word in ("mine.py:10", "put_", "training.deterministic"))
    completed = run("free", deterministic=False)
    assert isinstance(completed, CompletedOutcome)
    assert sum("training.deterministic" in note for note in completed.notes) == 1
    assert load_model(tmp_path / "free" / "best.safetensors").deterministic is False


def test_a_model_from_before_the_setting_is_deterministic(tmp_path: Path) -> None:
    spec = make_spec(small_dataset(tmp_path / "data", 6), tmp_path, training={"num_epochs": 1})
    outcome = run_trial(spec, tmp_path / "trial", lambda event: None, lambda: False)
    assert isinstance(outcome, CompletedOutcome) and outcome.notes == []
    facts_file = tmp_path / "trial" / "best.json"
    facts = json.loads(facts_file.read_text())
    del facts["settings"]["training"]["deterministic"]
    facts_file.write_text(json.dumps(facts))
    assert load_model(tmp_path / "trial" / "best.safetensors").deterministic is True
