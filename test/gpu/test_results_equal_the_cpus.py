"""Whole trials, evaluation and what uses a trained model, on the device: results are those of the CPU.

In float32, with the initial weights and batches of the CPU. On the simulated device, which computes each operator as
the CPU does, they are equal to the bit if the CPU takes the device's code for attention and for sentences of one image:
copies, batches, loops and NMS change nothing. (The CPU's own code for both adds in another order.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fakecuda import FakeCuda
from helpers import make_baseline, make_spec, run_context
from safetensors.torch import load_file
from test_trial import REFERENCE
from torch.nn import functional

from cliprpn.audit.audit import audit
from cliprpn.contract.generated import AuditParams, AuditRun, BaselineSpec, ClipRpnSpec, CompletedOutcome
from cliprpn.data.pixels import pixels_folder
from cliprpn.data.predictions import PredictionColumns
from cliprpn.data.read_predictions import read_predictions
from cliprpn.features import frozen
from cliprpn.figures.crops import crop_figures
from cliprpn.inference.ground import ground
from cliprpn.models.fusion import switched
from cliprpn.ranking import clip_embeddings
from cliprpn.trials.evaluate import evaluate
from cliprpn.trials.trial import run_trial

CPU = torch.device("cpu")
# Of losses and of coordinates in pixels: features are rounded to 11 bits.
LOSS = 2e-3
PIXELS = 0.5

TRIALS: dict[str, dict[str, Any]] = {
    "default": {"training": {"num_epochs": 1}},
    "reference": REFERENCE,
    "views": {"training": {"num_epochs": 2, "views": 1}},
    "negatives on letterboxed images": {
        "training": {"num_epochs": 1},
        "rpn": {"negatives_loss_weight": 1},
        "resize": "letterbox",
    },
}


@pytest.fixture(autouse=True)
def no_weights_on_another_device() -> Iterator[None]:
    clip_embeddings._loaded.clear()
    yield
    clip_embeddings._loaded.clear()


@pytest.fixture(scope="module")
def model(root: Path, cache: Path) -> Path:
    """A trained model."""
    spec = spec_of("default", root, cache, CPU)
    run_on(spec, cache.parent / "model", CPU)
    return cache.parent / "model" / "best.safetensors"


def spec_of(kind: str, root: Path, cache: Path, device: torch.device) -> ClipRpnSpec:
    changes = dict(TRIALS[kind])
    changes["training"] = {**changes["training"], "precision": "fp32"}
    return make_spec(root, cache, **changes).model_copy(update={"device": str(device)})


def run_on(
    spec: ClipRpnSpec | BaselineSpec, folder: Path, device: torch.device
) -> tuple[CompletedOutcome, PredictionColumns]:
    frozen._opened.clear()
    clip_embeddings._loaded.clear()
    spec = spec.model_copy(update={"device": str(device)})
    outcome = run_trial(spec, folder, lambda event: None, lambda: False)
    assert isinstance(outcome, CompletedOutcome), outcome
    return outcome, read_predictions(folder / "predictions-val.parquet")


def assert_close(on_device: PredictionColumns, on_cpu: PredictionColumns) -> None:
    assert on_device["sent_id"].tolist() == on_cpu["sent_id"].tolist()
    np.testing.assert_allclose(on_device["pred_box_xyxy"], on_cpu["pred_box_xyxy"], atol=PIXELS)
    for name in ("iou", "iou_at_10", "iou_blank", "objectness"):
        np.testing.assert_allclose(on_device[name], on_cpu[name], atol=0.02)


@pytest.mark.parametrize("kind", TRIALS)
def test_a_trial_has_the_cpus_losses_and_boxes(
    root: Path,
    cache: Path,
    tmp_path: Path,
    device: torch.device,
    simulation: FakeCuda | None,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    if simulation is not None:
        monkeypatch.setattr(frozen, "arithmetic_key", lambda device: {})  # Shares features.
        # A CPU computes what depends on the image only once for each image, and attention in float32 by products: sums
        # in another order. Here it takes the code of the device.
        monkeypatch.setattr(frozen, "MAX_SHARED_MAPS", 0.0)
        monkeypatch.setattr(switched, "_attend_by_products", functional.scaled_dot_product_attention)
    (on_cpu, boxes_on_cpu), (on_device, boxes) = (
        run_on(spec_of(kind, root, cache, place), tmp_path / place.type, place) for place in (CPU, device)
    )
    assert on_device.environment.device == str(device)
    if simulation is None:
        for epoch, expected in zip(on_device.epochs, on_cpu.epochs, strict=True):
            assert epoch.loss_objectness == pytest.approx(expected.loss_objectness, rel=LOSS)
            assert epoch.loss_box == pytest.approx(expected.loss_box, rel=LOSS)
        assert_close(boxes, boxes_on_cpu)
        return
    changing = {"duration_ms"}
    assert [epoch.model_dump(exclude=changing) for epoch in on_device.epochs] == [
        epoch.model_dump(exclude=changing) for epoch in on_cpu.epochs
    ]
    predictions, expected_predictions = (
        (tmp_path / place.type / "predictions-val.parquet").read_bytes() for place in (device, CPU)
    )
    assert predictions == expected_predictions
    weights, weights_on_cpu = (
        load_file(tmp_path / place.type / "last.safetensors") for place in (device, CPU)
    )
    for name, weight in weights_on_cpu.items():
        assert torch.equal(weights[name], weight), name


@pytest.mark.parametrize("ranking", ["crop+blur", "circle"])
def test_rankings_are_those_of_the_cpu(
    root: Path, cache: Path, tmp_path: Path, device: torch.device, ranking: str
) -> None:
    changes = {
        "ranking": ranking,
        "category_prior": ranking == "circle",
        "templates": ["{}", "a photo of {}"],
    }
    spec = make_baseline(root, cache, {"kind": "gt_boxes"}, **changes)
    (_, on_device), (_, on_cpu) = (run_on(spec, tmp_path / place.type, place) for place in (device, CPU))
    assert_close(on_device, on_cpu)


def test_proposals_of_a_model_are_ranked_as_on_the_cpu(
    root: Path, cache: Path, model: Path, tmp_path: Path, device: torch.device
) -> None:
    spec = make_baseline(root, cache, {"kind": "rpn", "file": str(model)}, max_boxes=5)
    (_, on_device), (_, on_cpu) = (run_on(spec, tmp_path / place.type, place) for place in (device, CPU))
    assert on_device["num_boxes"].tolist() == on_cpu["num_boxes"].tolist()
    np.testing.assert_allclose(on_device["proposal_iou_best"], on_cpu["proposal_iou_best"], atol=0.02)


def test_a_split_is_evaluated_as_on_the_cpu(
    root: Path, cache: Path, model: Path, tmp_path: Path, device: torch.device
) -> None:
    boxes = []
    for place in (device, CPU):
        frozen._opened.clear()
        context = run_context(cache, device=place)
        evaluate(spec_of("default", root, cache, place), model, None, "test", tmp_path / place.type, context)
        boxes.append(read_predictions(tmp_path / place.type / "predictions-test.parquet"))
    assert_close(*boxes)


def test_a_sentence_is_grounded_as_on_the_cpu(
    root: Path, cache: Path, model: Path, device: torch.device
) -> None:
    spec = spec_of("default", root, cache, CPU)
    manifest = pixels_folder(Path(spec.dataset.root), 64, "squash") / "manifest.json"
    on_device, on_cpu = (ground(model, None, manifest, "the red block", place) for place in (device, CPU))
    assert on_device.pred_box_xyxy == pytest.approx(on_cpu.pred_box_xyxy, abs=PIXELS)
    assert on_device.objectness == pytest.approx(on_cpu.objectness, abs=0.01)


def test_crops_are_encoded_as_on_the_cpu(root: Path, cache: Path, model: Path, device: torch.device) -> None:
    folder = Path(spec_of("default", root, cache, CPU).dataset.root)
    figures = []
    for place in (device, CPU):
        clip_embeddings._loaded.clear()
        predictions = model.parent / "predictions-val.parquet"
        figures.append(crop_figures(model, predictions, folder, run_context(cache, device=place)))
    assert figures[0] == pytest.approx(figures[1], abs=1e-3)


def test_an_audit_has_the_cpus_figures_and_its_own_features(
    root: Path, cache: Path, model: Path, tmp_path: Path, device: torch.device
) -> None:
    spec = spec_of("default", root, cache, CPU)
    summaries = []
    for place in (device, CPU):
        frozen._opened.clear()
        params = AuditParams(
            label="default",
            dataset=spec.dataset,
            split="test",
            alpha=0.05,
            seed=0,
            sent_ids=[],
            runs=[AuditRun(spec=spec, model=str(model))],
            cache_dir=str(tmp_path),
        )
        summaries.append(audit(params, run_context(tmp_path, device=place)))
    assert summaries[0].acc_at_50 == summaries[1].acc_at_50
    assert [kind.kind for kind in summaries[0].kinds] == [kind.kind for kind in summaries[1].kinds]
    made_from = [json.loads(file.read_text()) for file in (tmp_path / "features").glob("text-*/*.json")]
    assert len(made_from) == 4, made_from  # Of the dataset and of the changed expressions, for each device.
