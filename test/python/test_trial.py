"""A ClipRPN trial, from its spec to its outcome."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from helpers import (
    HEIGHT,
    WIDTH,
    file_fusion,
    make_records,
    make_spec,
    run_context,
    run_python,
    write_dataset,
)
from pydantic import BaseModel
from safetensors import safe_open
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torchvision.ops import box_iou

from cliprpn.code_identity import code_hashes
from cliprpn.contract.generated import ClipRpnSpec, CompletedOutcome, FailedOutcome
from cliprpn.data.index import DatasetIndex
from cliprpn.data.read_predictions import read_predictions
from cliprpn.errors import CliprpnError
from cliprpn.features import frozen
from cliprpn.features.frozen import open_data
from cliprpn.inference import predict
from cliprpn.inference.checkpoint import load_model
from cliprpn.inference.hit_probability import fit_hit_probability
from cliprpn.models import ClipRPN
from cliprpn.models.backbone import ClipBackbone
from cliprpn.storage.weights_files import load_backbone
from cliprpn.trials import train_in_memory
from cliprpn.trials.__main__ import main
from cliprpn.trials.evaluate import evaluate_model
from cliprpn.trials.trial import run_trial

pytestmark = pytest.mark.usefixtures("no_traces")

CHECKPOINTS = ("best.safetensors", "last.safetensors")
REFERENCE: dict[str, Any] = {
    "neck_channels": None,
    "fusion": {"kind": "cross_attention"},
    "anchors": {"placement": "corner", "scales_px": [32, 64, 128, 256, 512], "ratios": [0.5, 1, 2]},
    "rpn": {
        "fg_iou_thresh": 0.7,
        "bg_iou_thresh": 0.2,
        "objectness_loss": "sampled_bce",
        "box_loss": "over_sampled",
        "box_loss_weight": 1,
        "batch_size_per_image": 16,
        "positive_fraction": 0.5,
        "pre_nms_top_n": 1000,
        "post_nms_top_n": 100,
        "nms_thresh": 0.7,
    },
    "training": {
        "num_epochs": 1,
        "optimizer": "adam",
        "schedule": "constant",
        "warmup_fraction": 0,
        "grad_clip_norm": None,
        "weight_decay": 0,
        "select_by": "miou",
    },
}


def run(spec: ClipRpnSpec, folder: Path, events: list[BaseModel] | None = None) -> CompletedOutcome:
    outcome = run_trial(spec, folder, (events if events is not None else []).append, lambda: False)
    assert isinstance(outcome, CompletedOutcome), outcome
    return outcome


def result(folder: Path) -> dict[str, Any]:
    """Everything a trial computed, bit by bit."""
    predictions = pq.read_table(folder / "predictions-val.parquet").to_pylist()
    weights = {name: (folder / name).read_bytes() for name in CHECKPOINTS}
    metrics = json.loads((folder / "metrics-val.json").read_text())
    return {**weights, "predictions": predictions, "metrics": metrics}


@pytest.mark.parametrize("preset", ["default", "reference"])
def test_the_same_seed_gives_the_same_bits(root: Path, tmp_path: Path, preset: str) -> None:
    changes = {} if preset == "default" else REFERENCE
    run(make_spec(root, tmp_path / "cache", **changes), tmp_path / "extracting")
    torch.rand(7)
    run(make_spec(root, tmp_path / "cache", **changes), tmp_path / "warm")
    frozen._opened.clear()
    run(make_spec(root, tmp_path / "cache", **changes), tmp_path / "cached")
    run(make_spec(root, tmp_path / "cache", seed=1, **changes), tmp_path / "other")
    first = result(tmp_path / "extracting")
    assert result(tmp_path / "warm") == first
    assert result(tmp_path / "cached") == first
    assert result(tmp_path / "other")["last.safetensors"] != first["last.safetensors"]


def test_the_command_runs_without_the_bridge_and_gives_the_same_bits(
    root: Path, cache: Path, tmp_path: Path
) -> None:
    spec = make_spec(root, cache)
    run(spec, tmp_path / "here")
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    process = run_python("-m", "cliprpn.trials", str(tmp_path / "spec.json"), str(tmp_path / "there"))
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout)["num_sentences"] == 4
    assert process.stderr.count("epoch ") == 2
    assert result(tmp_path / "there") == result(tmp_path / "here")
    outcome = json.loads((tmp_path / "there" / "outcome.json").read_text())
    assert (outcome["schema_version"], outcome["state"]) == (1, "completed")
    assert outcome["trial_id"] == spec.trial_id
    # Its own hash, whatever the spec was planned with.
    assert outcome["sources_sha256"] == code_hashes()["cliprpn"] != spec.sources_sha256


def test_the_command_rejects_bad_input(root: Path, cache: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "broken.json").write_bytes(b"\xff{")
    (tmp_path / "empty.json").write_text("{}")
    assert main([]) == 2
    assert main([str(tmp_path / "none.json"), str(tmp_path / "out")]) == 2
    assert main([str(tmp_path / "broken.json"), str(tmp_path / "out")]) == 2
    assert main([str(tmp_path / "empty.json"), str(tmp_path / "out")]) == 2
    assert "kind" in capsys.readouterr().err
    failing = make_spec(root, cache, limits={"train": None, "val": None, "test": None})
    dataset = failing.dataset.model_copy(update={"root": "/nowhere", "id": "another"})
    (tmp_path / "spec.json").write_text(failing.model_copy(update={"dataset": dataset}).model_dump_json())
    assert main([str(tmp_path / "spec.json"), str(tmp_path / "out")]) == 3
    assert "data_invalid: /nowhere" in capsys.readouterr().err
    assert main([str(tmp_path / "spec.json"), str(tmp_path / "broken.json")]) == 2
    assert main([str(tmp_path / "spec.json"), str(tmp_path / "broken.json" / "out")]) == 2
    assert str(tmp_path / "broken.json") in capsys.readouterr().err
    assert (tmp_path / "broken.json").read_bytes() == b"\xff{"


def test_the_command_refuses_a_folder_with_other_files(root: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(make_spec(root, cache).model_dump_json())
    folder_of_user = tmp_path / "mine" / "events"
    folder_of_user.mkdir(parents=True)
    (folder_of_user / "diary.txt").write_text("dear diary")
    assert main([str(tmp_path / "spec.json"), str(folder_of_user.parent)]) == 2
    assert (folder_of_user / "diary.txt").read_text() == "dear diary"
    assert [path.name for path in folder_of_user.parent.iterdir()] == ["events"]


@pytest.mark.parametrize("select_by", ["acc_at_50", "miou"])
def test_the_best_epoch_is_selected_on_val(root: Path, cache: Path, tmp_path: Path, select_by: str) -> None:
    training = {"num_epochs": 5, "learning_rate": 1e-2, "select_by": select_by}
    outcome = run(make_spec(root, cache, training=training), tmp_path)
    values = [getattr(epoch, f"val_{select_by}") for epoch in outcome.epochs]
    assert outcome.best_epoch == values.index(max(values)) + 1  # the first of equals
    saved = load_model(tmp_path / "best.safetensors")
    assert saved.epoch == outcome.best_epoch
    assert load_model(tmp_path / "last.safetensors").epoch == 5
    # The saved model has the metrics that its epoch was selected by.
    best = outcome.epochs[outcome.best_epoch - 1]
    assert outcome.metrics.acc_at_50 == best.val_acc_at_50
    assert outcome.metrics.miou == pytest.approx(best.val_miou, abs=1e-12)


def test_training_never_reads_test(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits_read = []
    split = DatasetIndex.split

    def recorded(self: DatasetIndex, name: str, limit: int | None = None) -> np.ndarray:
        splits_read.append(name)
        return split(self, name, limit)

    monkeypatch.setattr(DatasetIndex, "split", recorded)
    read: list[int] = []
    find = frozen.FrozenFeatures.find

    def recorded_find(self: frozen.FrozenFeatures, batches: list[np.ndarray], *rest: Any, **more: Any) -> Any:
        read.extend(row for batch in batches for row in batch.tolist())
        return find(self, batches, *rest, **more)

    monkeypatch.setattr(frozen.FrozenFeatures, "find", recorded_find)
    run(make_spec(root, cache), tmp_path)
    assert set(splits_read) == {"train", "val"}
    assert sorted(set(read)) == [row for row in range(24) if row // 2 % 6 != 4]
    assert {path.name for path in tmp_path.iterdir()} == {
        *("best.safetensors", "best.json", "last.safetensors", "last.json", "events", "outcome.json"),
        *("predictions-val.parquet", "metrics-val.json"),
    }


def test_training_uses_the_sentence_and_the_losses_fall(root: Path, cache: Path, tmp_path: Path) -> None:
    training = {"num_epochs": 20, "learning_rate": 3e-3}
    outcome = run(make_spec(root, cache, training=training), tmp_path)
    losses = [epoch.loss for epoch in outcome.epochs]
    assert losses[-1] < losses[0] / 2
    assert all(
        epoch.loss == pytest.approx(epoch.loss_objectness + epoch.loss_box) for epoch in outcome.epochs
    )


def test_curves_open_in_tensorboard(root: Path, cache: Path, tmp_path: Path) -> None:
    outcome = run(make_spec(root, cache), tmp_path)
    curves = EventAccumulator(str(tmp_path / "events")).Reload()
    assert len(list((tmp_path / "events").iterdir())) == 1
    for name in ("loss", "val_acc_at_50", "val_miou", "learning_rate"):
        points = [(point.step, point.value) for point in curves.Scalars(name)]
        expected = [(epoch.epoch, getattr(epoch, name)) for epoch in outcome.epochs]
        assert points == [(step, pytest.approx(value, rel=1e-6)) for step, value in expected]


def test_predictions_have_a_row_per_sentence(root: Path, cache: Path, tmp_path: Path) -> None:
    outcome = run(make_spec(root, cache), tmp_path)
    rows = pq.read_table(tmp_path / "predictions-val.parquet").to_pylist()
    assert [row["sent_id"] for row in rows] == [4, 5, 16, 17]
    first = rows[0]
    assert (first["ref_id"], first["ann_id"], first["image_id"], first["split"]) == (102, 5, 2, "val")
    assert (first["sentence"], first["image_file"]) == ("the blue block", "COCO_train2014_000000000002.png")
    assert (first["width"], first["height"], first["num_same_category"]) == (WIDTH, HEIGHT, 2)
    assert first["gt_box_xyxy"] == [18, 14, 58.5, 44.25]
    for row in rows:
        pred, gt_box = (
            torch.tensor([row[key]], dtype=torch.float64) for key in ("pred_box_xyxy", "gt_box_xyxy")
        )
        assert row["iou"] == pytest.approx(box_iou(pred, gt_box).item(), abs=1e-12)
        assert (pred >= 0).all() and (pred <= torch.tensor([WIDTH, HEIGHT] * 2)).all()
        assert row["iou"] <= row["iou_at_5"] <= row["iou_at_10"] <= row["iou_at_100"] <= 1
        assert 0 <= row["objectness"] <= 1 and 0 <= row["iou_blank"] <= 1
        assert row["iou"] == pytest.approx(row["intersection"] / row["union"], abs=1e-12)
    ious = [row["iou"] for row in rows]
    assert outcome.metrics.miou == pytest.approx(np.mean(ious))
    assert outcome.metrics.acc_at_50 == np.mean([iou >= 0.5 for iou in ious])
    assert (outcome.metrics.num_sentences, outcome.metrics.num_images) == (4, 2)


def test_a_saved_model_reproduces_its_predictions(root: Path, cache: Path, tmp_path: Path) -> None:
    spec = make_spec(root, cache)
    outcome = run(spec, tmp_path / "trial")
    context, settings = run_context(cache), spec.settings
    index, features = open_data(spec.dataset, spec.backbone, settings.image_size_px, settings.resize, context)
    saved = load_model(tmp_path / "trial" / "best.safetensors").model
    again = evaluate_model(saved, index, features, "val", None, tmp_path / "again", context)
    assert again == outcome.metrics
    name = "predictions-val.parquet"
    assert pq.read_table(tmp_path / "again" / name).equals(pq.read_table(tmp_path / "trial" / name))
    predictions = read_predictions(tmp_path / "trial" / name)
    model = load_model(tmp_path / "trial" / "best.safetensors").model.eval()
    _, objectness = model.predict_top1(*features.batch(index.split("val"), torch.device("cpu")))
    np.testing.assert_array_equal(objectness.numpy(), predictions["objectness"])


def test_each_epoch_passes_val_once_and_the_end_passes_its_images_without_sentences(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward, passed = ClipRPN.forward, []

    def count(model: ClipRPN, *inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        passed.extend([len(inputs[1])] * (not model.training))
        return forward(model, *inputs)

    monkeypatch.setattr(ClipRPN, "forward", count)
    once = run(make_spec(root, cache, training={"num_epochs": 3}), tmp_path / "kept")
    assert passed == [4, 4, 4, 2]
    monkeypatch.setattr(predict, "MAX_KEPT_BYTES", 1)
    again = run(make_spec(root, cache, training={"num_epochs": 3}), tmp_path / "again")
    assert passed[4:] == [4, 4, 4, 4, 2]
    assert again.metrics == once.metrics
    one, two = (pq.read_table(tmp_path / name / "predictions-val.parquet") for name in ("kept", "again"))
    assert one.equals(two)


def test_the_best_model_has_a_fit_of_hits_on_val_to_the_score(tmp_path: Path) -> None:
    instances, refs = make_records(36)
    for ref in refs:
        ref["split"] = "train" if ref["image_id"] < 6 else "val"
    folder = tmp_path / "trial"
    run(make_spec(write_dataset(tmp_path / "data", instances, refs), tmp_path / "cache"), folder)
    columns = read_predictions(folder / "predictions-val.parquet")
    hits = columns["iou"] >= 0.5
    expected = fit_hit_probability("val", columns["objectness"], hits, columns["image_id"])
    assert expected is not None
    assert load_model(folder / "best.safetensors").hit_probability == expected
    assert load_model(folder / "last.safetensors").hit_probability is None
    # As an earlier version wrote it, or a process that was killed before.
    facts = json.loads((folder / "best.json").read_text())
    del facts["hit_probability"]
    (folder / "best.json").write_text(json.dumps(facts))
    assert load_model(folder / "best.safetensors").hit_probability is None
    (folder / "best.json").write_text(json.dumps(facts | {"hit_probability": {"scores": [0.1]}}))
    with pytest.raises(CliprpnError) as error:
        load_model(folder / "best.safetensors")
    assert error.value.code == "weights_mismatch"


def test_a_model_has_no_fit_with_few_images_in_val(root: Path, cache: Path, tmp_path: Path) -> None:
    run(make_spec(root, cache), tmp_path / "trial")
    assert load_model(tmp_path / "trial" / "best.safetensors").hit_probability is None


EXPLODING = """
import torch

class Exploding(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.power = torch.nn.Parameter(torch.zeros(1, 1))

    def forward(self, map, words, mask, pooled):
        return map * (0.1 + 1000 * self.power).cosh()
"""


@pytest.mark.parametrize("batch_size", [4, 100])
def test_a_loss_that_is_not_finite_fails_the_trial(
    root: Path, cache: Path, tmp_path: Path, batch_size: int
) -> None:
    """With the larger batch size an epoch is one step, so that val is evaluated with broken weights."""
    fusion = file_fusion(tmp_path / "exploding.py", EXPLODING, "Exploding")
    training = {"learning_rate": 10, "warmup_fraction": 0, "num_epochs": 4, "batch_size": batch_size}
    spec = make_spec(root, cache, fusion=fusion, training=training)
    folder = tmp_path / "trial"
    outcome = run_trial(spec, folder, lambda event: None, lambda: False)
    assert isinstance(outcome, FailedOutcome)
    assert outcome.error.code == "loss_not_finite", outcome.error.message
    assert "learning_rate" in outcome.error.message
    assert "CliprpnError" in (folder / "traceback.txt").read_text()
    stored = json.loads((folder / "outcome.json").read_text())
    assert stored == outcome.model_dump(mode="json") and stored["schema_version"] == 1


def test_a_split_without_sentences_fails_the_trial(tmp_path: Path) -> None:
    instances, refs = make_records()
    refs = [ref for ref in refs if ref["split"] != "val"]
    spec = make_spec(write_dataset(tmp_path / "data", instances, refs), tmp_path / "cache")
    outcome = run_trial(spec, tmp_path / "out", lambda event: None, lambda: False)
    assert isinstance(outcome, FailedOutcome) and outcome.error.code == "data_invalid"
    assert "split val" in outcome.error.message


def test_images_that_were_not_prepared_fail_the_trial(root: Path, cache: Path, tmp_path: Path) -> None:
    spec = make_spec(root, cache)
    settings = spec.settings.model_copy(update={"image_size_px": 96})
    outcome = run_trial(
        spec.model_copy(update={"settings": settings}), tmp_path, lambda event: None, lambda: False
    )
    assert isinstance(outcome, FailedOutcome) and outcome.error.code == "data_invalid"
    assert "squash-96" in outcome.error.message


def test_a_missing_device_fails_the_trial(root: Path, cache: Path, tmp_path: Path) -> None:
    spec = make_spec(root, cache).model_copy(update={"device": "cuda:99"})
    outcome = run_trial(spec, tmp_path, lambda event: None, lambda: False)
    assert isinstance(outcome, FailedOutcome) and outcome.error.code == "device_unavailable"
    assert outcome.sources_sha256 == code_hashes()["cliprpn"]


def test_running_out_of_memory_fails_the_trial_with_a_hint(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(train_in_memory, "build_model", full)
    outcome = run_trial(make_spec(root, cache), tmp_path, lambda event: None, lambda: False)
    assert isinstance(outcome, FailedOutcome) and outcome.error.code == "out_of_memory"
    assert "training.batch_size (now 4) hardly helps" in outcome.error.message
    assert "fewer trials" in outcome.error.message


@pytest.mark.parametrize(
    ("number", "file", "is_of_machine"),
    [
        (errno.EROFS, "cache/features/maps", True),
        (errno.EACCES, "cache/features/maps", True),
        (errno.EACCES, "attempt/best.json", True),
        (errno.EROFS, None, True),
        (errno.EIO, "elsewhere/detections.json", True),
        (errno.EIO, None, True),
        (errno.EACCES, "elsewhere/detections.json", False),
        (errno.EPERM, None, False),
    ],
)
def test_a_folder_that_cannot_be_written_fails_no_trial(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    file: str | None,
    is_of_machine: bool,
) -> None:
    """Every trial would fail, so that none has; what only one trial needs is its failure."""

    def fail(*args: Any) -> None:
        raise OSError(number, "no writing here", None if file is None else str(tmp_path / file))

    monkeypatch.setattr("cliprpn.trials.cliprpn.open_data", fail)
    spec, folder = make_spec(root, tmp_path / "cache"), tmp_path / "attempt"
    if is_of_machine:
        with pytest.raises(CliprpnError) as caught:
            run_trial(spec, folder, lambda event: None, lambda: False)
        assert caught.value.code == "environment_broken"
        assert str(tmp_path / (file or "attempt")) in caught.value.message
        assert not (folder / "outcome.json").exists()
    else:
        assert isinstance(run_trial(spec, folder, lambda event: None, lambda: False), FailedOutcome)


@pytest.mark.parametrize("after", [0, 3, 8])
def test_an_interrupted_trial_leaves_no_outcome_and_runs_again_in_another_folder(
    root: Path, cache: Path, tmp_path: Path, after: int
) -> None:
    left = iter([False] * after)
    with pytest.raises(CliprpnError) as caught:
        run_trial(make_spec(root, cache), tmp_path / "a", lambda event: None, lambda: next(left, True))
    assert caught.value.code == "interrupted"
    assert not (tmp_path / "a" / "outcome.json").exists()
    run(make_spec(root, cache), tmp_path / "b")
    run(make_spec(root, cache), tmp_path / "c")
    assert result(tmp_path / "b") == result(tmp_path / "c")


def test_limits_shorten_the_splits(root: Path, cache: Path, tmp_path: Path) -> None:
    spec = make_spec(root, cache, limits={"train": 6, "val": 3, "test": None})
    assert run(spec, tmp_path).metrics.num_sentences == 3


def test_events_report_epochs_and_progress(root: Path, cache: Path, tmp_path: Path) -> None:
    events: list[Any] = []
    run(make_spec(root, cache), tmp_path, events)
    epochs = [event.epoch.epoch for event in events if event.type == "epoch"]
    last = {event.phase: (event.done, event.total) for event in events if event.type == "progress"}
    assert epochs == [1, 2]
    assert last["training"] == (8, 8) and last["evaluation"] == (4, 4)


@pytest.mark.parametrize("preset", ["default", "reference"])
def test_clip_stays_frozen_in_every_preset(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str
) -> None:
    backbone = load_backbone("cliprpn-tiny", "shipped")
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    loads: list[ClipBackbone] = []
    monkeypatch.setattr(frozen, "load_backbone", lambda *args: (loads.append(backbone), backbone)[1])
    changes = {} if preset == "default" else REFERENCE
    run(make_spec(root, tmp_path / "cache", **changes), tmp_path / "out")
    assert len(loads) == 1
    assert all(torch.equal(value, before[key]) for key, value in backbone.state_dict().items())
    with safe_open(tmp_path / "out" / "last.safetensors", "pt") as saved:
        names = {key.split(".")[0] for key in saved.keys()}  # noqa: SIM118 - not a dict
    assert names == {"neck", "fusion_module", "head"} - (set() if preset == "default" else {"neck"})
