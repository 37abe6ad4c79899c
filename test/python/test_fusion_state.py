"""State of a custom fusion that a checkpoint cannot contain."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from cliprpn.trials.fusion_state import FusionState


class Fusion(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls, self.is_first = 0, True
        self.own = [torch.zeros(2, requires_grad=True)]
        self.last = torch.zeros(2)


@pytest.fixture
def fusion(monkeypatch: pytest.MonkeyPatch) -> Fusion:
    monkeypatch.setattr("cliprpn.trials.fusion_state.custom_fusion_file", lambda _: Path("fusion.py"))
    return Fusion()


def test_only_what_has_changed_is_saved(fusion: Fusion) -> None:
    state = FusionState(fusion)
    assert state.dump() == ({}, [])
    fusion.calls = 3
    fusion.last = fusion.own[0] + 1  # Its gradients are of this step only.
    saved, unsaved = state.dump()
    assert sorted(saved) == ["fusion.calls", "fusion.last"] and unsaved == []
    other = Fusion()
    FusionState(other).load(saved, torch.device("cpu"))
    assert other.calls == 3 and other.last.tolist() == [1, 1]


def test_a_tensor_that_the_fusion_trains_itself_cannot_be_saved(fusion: Fusion) -> None:
    state = FusionState(fusion)
    with torch.no_grad():
        fusion.own[0] += 1
    assert state.dump() == ({}, ["fusion.own"])


def test_an_attribute_that_is_gone_cannot_be_saved(fusion: Fusion) -> None:
    state = FusionState(fusion)
    del fusion.is_first
    assert state.dump() == ({}, ["fusion.is_first"])
