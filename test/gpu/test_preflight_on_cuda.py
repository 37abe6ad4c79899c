"""The checks of `cliprpn preflight` on the device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import make_spec, run_context, small_dataset
from test_trial import REFERENCE

from cliprpn.devices import resolve_device
from cliprpn.preflight import parity
from cliprpn.preflight.parity import check_parity
from cliprpn.preflight.speed import measure_speed


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_dataset(tmp_path_factory.mktemp("data") / "blocks")


@pytest.fixture(autouse=True)
def ready(device: torch.device) -> None:
    """As a worker's device is: the arithmetic is fixed."""
    resolve_device(str(device))


@pytest.mark.parametrize("changes", [{}, REFERENCE], ids=["default", "reference"])
def test_a_batch_has_the_cpus_features_losses_gradients_and_boxes(
    root: Path, tmp_path: Path, device: torch.device, changes: dict[str, Any]
) -> None:
    spec = make_spec(root, tmp_path / "cache", **changes)
    finding = check_parity(spec, tmp_path, run_context(tmp_path / "cache", device=device))
    assert finding.status == "passed", finding
    assert [each.high for each in finding.figures] == [2e-3, 1e-4, 1e-3, 0.05]
    assert all(each.value >= 0 for each in finding.figures)


def test_a_wrong_sum_on_the_device_fails(
    root: Path, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = parity._compute

    def wrong(model: Any, *args: Any) -> parity.Computed:
        if model.anchors.device.type == "cuda":
            with torch.no_grad():
                for parameter in model.head.parameters():
                    parameter.mul_(1.01)
        return compute(model, *args)

    monkeypatch.setattr(parity, "_compute", wrong)
    spec = make_spec(root, tmp_path / "cache")
    finding = check_parity(spec, tmp_path, run_context(tmp_path / "cache", device=device))
    assert finding.status == "failed" and finding.fix is not None
    assert "gradients" in finding.found and "boxes" in finding.found


def test_steps_are_timed_with_the_memory_of_the_device(
    root: Path, tmp_path: Path, device: torch.device
) -> None:
    spec = make_spec(root, tmp_path / "cache")
    measured = measure_speed(spec, 4, 60_000, [], tmp_path, run_context(tmp_path / "cache", device=device))
    assert measured.step.ms > 0
    assert measured.peak_memory_bytes.device is not None
    assert measured.resident_bytes >= measured.features[0].num_images * measured.map_bytes
