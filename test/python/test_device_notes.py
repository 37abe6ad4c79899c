"""What training does differently on an accelerator is said while it runs and in the outcome."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from helpers import make_settings, make_spec, small_dataset
from pydantic import BaseModel

from cliprpn.contract.generated import CompletedOutcome, Settings, WarningEvent
from cliprpn.trials import cliprpn
from cliprpn.trials.optimizer import device_notes, make_optimizer
from cliprpn.trials.trial import run_trial


@pytest.mark.parametrize(
    ("device", "precision", "has_bf16", "words"),
    [
        ("cpu", "auto", False, []),
        ("cpu", "bf16", True, []),
        ("cpu", "bf16", False, ["processor"]),
        ("cuda:0", "auto", True, []),
        ("cuda:0", "auto", False, ["cuda"]),
        ("cuda:0", "bf16", False, ["cuda"]),
        ("cuda:0", "fp32", False, []),
        ("mps", "auto", True, ["training.precision", "fused"]),
        ("mps", "fp32", True, ["fused"]),
    ],
)
def test_an_accelerator_without_bfloat16_or_fused_adam_is_noted(
    device: str, precision: str, has_bf16: bool, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cliprpn.trials.precision._multiplies_bf16", lambda device: has_bf16)
    training = Settings.model_validate(make_settings(training={"precision": precision})).training
    notes = device_notes(training, torch.device(device))
    assert len(notes) == len(words)
    for note, word in zip(notes, words, strict=True):
        assert word in note and (device != "mps" or "mps" in note)
    optimizer = make_optimizer(torch.nn.Linear(2, 2), training, torch.device("cpu"))
    assert optimizer.defaults["fused"] is True


def test_notes_on_the_device_are_warned_of_and_kept(
    no_traces: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[torch.device] = []

    def notes(training: object, device: torch.device) -> list[str]:
        asked.append(device)
        return ["slower here."]

    monkeypatch.setattr(cliprpn, "device_notes", notes)
    events: list[BaseModel] = []
    spec = make_spec(small_dataset(tmp_path / "data", 6), tmp_path, training={"num_epochs": 1})
    outcome = run_trial(spec, tmp_path / "trial", events.append, lambda: False)
    assert isinstance(outcome, CompletedOutcome) and outcome.notes == ["slower here."]
    assert [event.message for event in events if isinstance(event, WarningEvent)] == ["slower here."]
    assert asked == [torch.device("cpu")]
