"""`training.precision`: what it computes with, where it is refused, and what it leaves alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import make_settings, make_spec, run_context
from test_trial import REFERENCE

from cliprpn.contract.generated import CompletedOutcome, Settings
from cliprpn.errors import CliprpnError
from cliprpn.features import frozen
from cliprpn.inference.checkpoint import load_model
from cliprpn.models import ClipRPN, RpnRules, SwitchedFusion
from cliprpn.trials.evaluate import evaluate
from cliprpn.trials.precision import Bf16Compute, choose_precision, make_compute
from cliprpn.trials.trial import run_trial

CUSTOM = """
import torch

class Fusion(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.zeros(map_channels))
        self.linear = torch.nn.Linear(pooled_dim, map_channels)

    def forward(self, feature_map, words, mask, pooled):
        assert words.dtype == pooled.dtype == self.linear.weight.dtype == torch.float32
        text = self.linear(pooled) + torch.ones(len(pooled), 1)  # A float32 tensor of its own.
        return feature_map * (1 + self.gain + text)[..., None, None]
"""


def run(spec: Any, folder: Path) -> CompletedOutcome:
    outcome = run_trial(spec, folder, lambda _: None, lambda: False)
    assert isinstance(outcome, CompletedOutcome), outcome
    frozen._opened.clear()
    return outcome


@pytest.mark.parametrize(
    ("precision", "device", "expected"),
    [
        ("auto", "cpu", "fp32"),
        ("auto", "mps", "fp32"),
        ("auto", "cuda:0", "bf16"),
        ("fp32", "cuda:0", "fp32"),
        ("bf16", "cuda:0", "bf16"),
        ("bf16", "cpu", "bf16"),
    ],
)
def test_a_precision_is_chosen_by_the_setting_and_auto_by_the_device(
    precision: str, device: str, expected: str
) -> None:
    training = Settings.model_validate(make_settings(training={"precision": precision})).training
    assert choose_precision(training, torch.device(device)) == expected


def test_bf16_is_refused_where_it_cannot_train() -> None:
    training = Settings.model_validate(make_settings(training={"precision": "bf16"})).training
    with pytest.raises(CliprpnError) as error:
        choose_precision(training, torch.device("mps"))
    assert error.value.code == "bad_input"
    assert "training.precision" in str(error.value) and "mps" in str(error.value)


@pytest.mark.parametrize("preset", ["default", "reference"])
def test_bf16_gives_nearly_the_losses_of_fp32_and_the_same_bits_again(
    root: Path, cache: Path, tmp_path: Path, no_traces: None, preset: str
) -> None:
    changes = {} if preset == "default" else REFERENCE

    def train(precision: str, name: str) -> CompletedOutcome:
        training = {**changes.get("training", {}), "precision": precision}
        return run(make_spec(root, cache, **{**changes, "training": training}), tmp_path / name)

    exact, half, _, auto = (
        train(precision, name)
        for precision, name in [("fp32", "fp32"), ("bf16", "bf16"), ("bf16", "again"), ("auto", "auto")]
    )
    assert (exact.precision, half.precision, auto.precision) == ("fp32", "bf16", "fp32")
    for one, other in zip(exact.epochs, half.epochs, strict=True):
        assert one.loss_objectness == pytest.approx(other.loss_objectness, rel=0.02)  # 8 bits of precision.
        assert one.loss_box == pytest.approx(other.loss_box, rel=0.05)
        assert one.loss != other.loss
    weights = {
        name: (tmp_path / name / "last.safetensors").read_bytes()
        for name in ("fp32", "bf16", "again", "auto")
    }
    assert weights["bf16"] == weights["again"] != weights["fp32"] == weights["auto"]


def test_a_model_of_a_bf16_trial_is_float32_and_evaluated_as_any_other(
    root: Path, cache: Path, tmp_path: Path, no_traces: None
) -> None:
    spec = make_spec(root, cache, training={"precision": "bf16"})
    outcome = run(spec, tmp_path / "trial")
    file = tmp_path / "trial" / "best.safetensors"
    assert {value.dtype for value in load_model(file).model.state_dict().values()} == {torch.float32}
    (tmp_path / "again").mkdir()
    metrics = evaluate(spec, file, None, "val", tmp_path / "again", run_context(cache))
    assert metrics == outcome.metrics


def test_a_model_of_a_version_with_amp_is_read(
    root: Path, cache: Path, tmp_path: Path, no_traces: None
) -> None:
    run(make_spec(root, cache), tmp_path / "trial")
    facts = json.loads((tmp_path / "trial" / "best.json").read_text())
    for amp in (True, False):
        training = {key: value for key, value in facts["settings"]["training"].items() if key != "precision"}
        settings = {**facts["settings"], "training": {**training, "amp": amp}}
        (tmp_path / "trial" / "best.json").write_text(json.dumps({**facts, "settings": settings}))
        load_model(tmp_path / "trial" / "best.safetensors")


def test_a_custom_fusion_keeps_its_float32_weights_and_inputs(
    root: Path, cache: Path, tmp_path: Path, no_traces: None
) -> None:
    path = tmp_path / "fusion.py"
    path.write_text(CUSTOM)

    fusion = {
        "kind": "file",
        "file": f"{path}:Fusion",
        "params": {},
        "source_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    losses = [
        run(make_spec(root, cache, fusion=fusion, training={"precision": precision}), tmp_path / precision)
        .epochs[-1]
        .loss
        for precision in ("fp32", "bf16")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=0.02) and losses[0] != losses[1]


def test_the_gradients_of_bf16_belong_to_the_models_own_float32_weights() -> None:
    torch.manual_seed(0)
    model = ClipRPN(SwitchedFusion(16, 8, 8), 32, 16, RpnRules(), grid_size=2)
    model.register_parameter("unused", torch.nn.Parameter(torch.ones(2)))
    model.head.shared = model.neck.bias  # type: ignore[assignment, union-attr]  # A weight with two names.
    before = dict(model.named_parameters())
    inputs = (
        torch.randn(2, 32, 2, 2),
        torch.randn(2, 3, 8),
        torch.ones(2, 3, dtype=torch.bool),
        torch.randn(2, 8),
    )
    gradients = []
    for compute in (make_compute(model, "fp32"), make_compute(model, "bf16")):
        model.zero_grad()
        with compute.forward():
            logits, _ = model(
                *(part.to(compute.input_dtype) if part.is_floating_point() else part for part in inputs)
            )
        assert dict(model.named_parameters()) == before
        assert logits.dtype == compute.input_dtype
        logits.float().square().sum().backward()
        compute.collect_gradients()
        assert model.unused.grad is None
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
        assert gradients[-1].dtype == torch.float32
    assert gradients[0].shape == gradients[1].shape
    assert (gradients[0] - gradients[1]).norm() < 0.06 * gradients[0].norm()  # 8 bits of precision.


def test_a_weight_that_only_a_later_micro_batch_uses_has_no_gradient_of_an_earlier_step() -> None:
    torch.manual_seed(0)
    model = ClipRPN(SwitchedFusion(16, 8, 8), 32, 16, RpnRules(), grid_size=2)
    model.register_parameter("sometimes", torch.nn.Parameter(torch.ones(2)))
    compute = make_compute(model, "bf16")

    def backward(factor: float | None) -> None:
        with compute.forward():
            assert model.neck is not None
            loss = model.neck.bias.sum()
            if factor is not None:
                loss = loss + factor * model.sometimes.sum()
        loss.backward()
        compute.collect_gradients()

    backward(8)
    model.zero_grad()
    backward(None)
    backward(2)
    backward(1)
    assert model.sometimes.grad is not None and model.neck is not None and model.neck.bias.grad is not None
    assert model.sometimes.grad.tolist() == [3, 3]
    assert model.neck.bias.grad.unique().tolist() == [3]


def test_an_error_in_the_model_leaves_its_weights_in_place() -> None:
    model = ClipRPN(SwitchedFusion(16, 8, 8), 32, 16, RpnRules(), grid_size=2)
    with pytest.raises(RuntimeError, match="stop"), Bf16Compute(model).forward():
        raise RuntimeError("stop")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
