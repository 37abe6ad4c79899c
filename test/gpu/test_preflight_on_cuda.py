"""The checks of `cliprpn preflight` on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import make_baseline, make_spec, run_context
from test_trial import REFERENCE
from torch import Tensor
from torch.nn import functional

from cliprpn.contract.generated import PreflightFinding
from cliprpn.devices import resolve_device
from cliprpn.models import ClipRPN
from cliprpn.preflight import parity
from cliprpn.preflight.baseline_speed import measure_baseline
from cliprpn.preflight.crops import check_crops
from cliprpn.preflight.detections import check_detections
from cliprpn.preflight.overfit import check_overfit
from cliprpn.preflight.parity import check_parity
from cliprpn.preflight.speed import measure_speed

FP32 = {"precision": "fp32"}


@pytest.fixture(autouse=True)
def ready(device: torch.device) -> None:
    """As a worker's device is: the arithmetic is fixed."""
    resolve_device(str(device))


@pytest.mark.parametrize("changes", [{}, REFERENCE], ids=["default", "reference"])
def test_a_batch_has_the_cpus_features_losses_gradients_and_boxes(
    root: Path, tmp_path: Path, device: torch.device, changes: dict[str, Any]
) -> None:
    finding = run_parity(root, tmp_path, device, **changes)
    assert finding.status == "passed", finding
    in_bfloat16 = [each.high for each in finding.figures if "bfloat16" in each.name]
    others = [each.high for each in finding.figures if "bfloat16" not in each.name]
    assert others == [1e-4, 2e-5, 1e-4, 0.01]
    assert len(in_bfloat16) == 3  # `auto` is bfloat16 on CUDA.
    assert all(each.value >= 0 for each in finding.figures)


def test_a_trial_in_float32_is_compared_in_float32_only(
    root: Path, tmp_path: Path, device: torch.device
) -> None:
    finding = run_parity(root, tmp_path, device, training=FP32)
    assert finding.status == "passed" and len(finding.figures) == 4


def test_tf32_in_the_backbone_fails(
    root: Path, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_tf32_on_the_device(monkeypatch)
    compute = parity._compute

    def in_float32(*args: Any) -> parity.Computed:
        with monkeypatch.context() as within:
            for name, function in PRODUCTS.items():
                within.setattr(functional, name, function)
            return compute(*args)

    monkeypatch.setattr(parity, "_compute", in_float32)
    assert wrong_parts(run_parity(root, tmp_path, device, training=FP32)) == {"features"}


def test_tf32_in_the_model_fails(
    root: Path, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_tf32_on_the_device(monkeypatch)
    wrong = wrong_parts(run_parity(root, tmp_path, device, training=FP32))
    assert {"features", "gradients"} <= wrong


def test_a_permuted_gradient_fails(
    root: Path, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def permute(head: Any, args: tuple[Tensor]) -> tuple[Tensor]:
        (feature_map,) = args
        # The same map, but the gradients of its channels are exchanged.
        return (feature_map.detach() + (feature_map - feature_map.detach()).flip(1),)

    plant(monkeypatch, lambda model: model.head.register_forward_pre_hook(permute))
    wrong = wrong_parts(run_parity(root, tmp_path, device))
    assert wrong == {"gradients", "gradients in bfloat16"}


def test_wrong_anchors_fail(
    root: Path, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, lambda model: model.anchors.add_(0.25))
    assert "boxes" in wrong_parts(run_parity(root, tmp_path, device))


def test_wrong_weights_fail_with_advice(
    root: Path, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scale(model: ClipRPN) -> None:
        with torch.no_grad():
            for parameter in model.head.parameters():
                parameter.mul_(1.01)

    plant(monkeypatch, scale)
    finding = run_parity(root, tmp_path, device)
    assert finding.status == "failed" and finding.fix is not None and "driver" in finding.fix
    assert {"gradients", "boxes"} <= wrong_parts(finding)


def test_a_device_that_is_less_exact_in_bfloat16_fails(
    root: Path, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = parity._compute

    def noisy(model: ClipRPN, *args: Any) -> parity.Computed:
        computed = compute(model, *args)
        if model.anchors.device.type == "cuda" and args[-1] == "bf16":
            noise = torch.randn(computed.gradients.shape, generator=torch.Generator().manual_seed(0))
            return replace(computed, gradients=computed.gradients * (1 + 0.2 * noise))
        return computed

    monkeypatch.setattr(parity, "_compute", noisy)
    assert wrong_parts(run_parity(root, tmp_path, device)) == {"gradients in bfloat16"}


def test_a_result_that_is_not_finite_fails(
    root: Path, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, lambda model: model.anchors.mul_(float("nan")))
    finding = run_parity(root, tmp_path, device)
    assert finding.status == "failed" and "inf or NaN" in finding.found


def test_the_other_checks_find_on_the_device_what_they_find_on_the_cpu(
    root: Path, tmp_path: Path, device: torch.device
) -> None:
    spec = make_spec(root, tmp_path / "cache", training=FP32)
    baseline = make_baseline(root, tmp_path / "cache", {"kind": "gt_boxes"})
    on_cpu, on_device = (
        [
            check_crops(spec, tmp_path, context),
            check_detections(baseline, tmp_path, context),
            check_overfit(spec, tmp_path, context, 600, max_steps=8),
        ]
        for context in (
            run_context(tmp_path / "cache"),
            run_context(tmp_path / "cache", device=device),
        )
    )
    assert [each.status for each in on_device] == [each.status for each in on_cpu]
    assert [each.found for each in on_device[:2]] == [each.found for each in on_cpu[:2]]
    timed = measure_baseline(baseline, [], tmp_path, run_context(tmp_path / "cache", device=device))
    assert timed.sentence.ms > 0 and timed.shared[0].image.ms > 0


def test_steps_are_timed_with_the_memory_of_the_device(
    root: Path, tmp_path: Path, device: torch.device
) -> None:
    spec = make_spec(root, tmp_path / "cache")
    measured = measure_speed(spec, 4, 60_000, [], tmp_path, run_context(tmp_path / "cache", device=device))
    assert measured.step.ms > 0
    assert measured.peak_memory_bytes.device is not None
    assert measured.resident_bytes >= measured.features[0].num_images * measured.map_bytes


def run_parity(root: Path, folder: Path, device: torch.device, **changes: Any) -> PreflightFinding:
    spec = make_spec(root, folder / "cache", **changes)
    return check_parity(spec, folder, run_context(folder / "cache", device=device))


def wrong_parts(finding: PreflightFinding) -> set[str]:
    """The figures beyond their limits, by the beginning of their names."""
    return {
        each.name.split(",")[0]
        for each in finding.figures
        if each.high is not None and each.value > each.high
    }


def plant(monkeypatch: pytest.MonkeyPatch, fault: Callable[[ClipRPN], object]) -> None:
    """Changes the model that is on the device."""
    compute = parity._compute

    def wrong(model: ClipRPN, *args: Any) -> parity.Computed:
        if model.anchors.device.type == "cuda":
            fault(model)
        return compute(model, *args)

    monkeypatch.setattr(parity, "_compute", wrong)


PRODUCTS = {"conv2d": functional.conv2d, "linear": functional.linear}


def use_tf32_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds both factors of convolutions and linear layers to 11 bits, as TF32 does."""

    def rounded(values: Tensor) -> Tensor:
        shifted = values * (2**13 + 1)  # Veltkamp's splitting.
        return shifted - (shifted - values)

    for name, function in PRODUCTS.items():

        def product(
            inputs: Tensor, weight: Tensor, *args: Any, function: Any = function, **kwargs: Any
        ) -> Tensor:
            if inputs.device.type == "cuda" and inputs.dtype == torch.float32:
                return function(rounded(inputs), rounded(weight), *args, **kwargs)
            return function(inputs, weight, *args, **kwargs)

        monkeypatch.setattr(functional, name, product)
