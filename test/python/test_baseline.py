"""A baseline trial, from its spec to its outcome."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from helpers import HEIGHT, WIDTH, make_baseline, make_spec, run_context, small_dataset
from pydantic import BaseModel

from cliprpn.bridge.methods import METHODS, CallContext
from cliprpn.contract.generated import BaselineSpec, CompletedOutcome, EvaluateParams, FailedOutcome
from cliprpn.data.index import open_dataset
from cliprpn.data.predictions import PredictionColumns
from cliprpn.data.read_predictions import read_predictions
from cliprpn.detectors.propose import propose
from cliprpn.models.backbone import ClipBackbone
from cliprpn.trials.evaluate import evaluate
from cliprpn.trials.trial import run_trial

pytestmark = pytest.mark.usefixtures("no_traces")
LARGE = 40.5 * 30.25


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_dataset(tmp_path / "data")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that CLIP encodes the same boxes only once."""
    return tmp_path_factory.mktemp("cache")


def run(spec: BaselineSpec, folder: Path) -> tuple[CompletedOutcome, PredictionColumns]:
    outcome = run_trial(spec, folder, lambda event: None, lambda: False)
    assert isinstance(outcome, CompletedOutcome), outcome
    return outcome, read_predictions(folder / "predictions-val.parquet")


def failure(spec: BaselineSpec, folder: Path) -> tuple[str, str]:
    outcome = run_trial(spec, folder, lambda event: None, lambda: False)
    assert isinstance(outcome, FailedOutcome)
    return outcome.error.code, outcome.error.message


def results_file(path: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    path.write_text(json.dumps(rows))
    return file_detector(path)


def file_detector(path: Path) -> dict[str, Any]:
    return {"kind": "file", "file": str(path), "box_format": None, "score_max": None, "category_ids": None}


def test_annotated_boxes_contain_every_ground_truth(root: Path, cache: Path, tmp_path: Path) -> None:
    outcome, predictions = run(make_baseline(root, cache, {"kind": "gt_boxes"}), tmp_path / "trial")
    assert (outcome.best_epoch, outcome.epochs, outcome.num_trainable_parameters) == (0, [], 0)
    assert predictions["num_boxes"].tolist() == [2, 2, 2, 2]
    assert predictions["proposal_iou_best"].tolist() == pytest.approx([1] * 4)
    areas = (predictions["pred_box_xyxy"][:, 2:] - predictions["pred_box_xyxy"][:, :2]).prod(axis=1)
    assert all(area == pytest.approx(400) or area == pytest.approx(LARGE) for area in areas)
    assert outcome.metrics.acc_at_50 == np.mean([area == pytest.approx(LARGE) for area in areas])
    assert (
        (predictions["objectness"] >= 0.5) & (predictions["objectness"] <= 1)
    ).all()  # the higher of two probabilities


def test_annotated_boxes_may_have_no_class(root: Path, cache: Path) -> None:
    spec = make_baseline(root, cache, {"kind": "gt_boxes"})
    table = pq.read_table(Path(spec.dataset.root) / "objects.parquet")
    categories = [None if i % 2 else "block" for i in range(len(table))]
    index = replace(
        open_dataset(Path(spec.dataset.root), spec.dataset.id),
        objects=table.set_column(table.schema.get_field_index("category"), "category", [categories]),
    )
    rows = index.split("val")
    proposed = propose(spec.baseline, index, rows, run_context(cache))
    assert proposed.classes == ["block"]
    assert {name for boxes in proposed.boxes for name in boxes.categories} == {"", "block"}


def test_a_whole_image_baseline_predicts_the_whole_image(root: Path, cache: Path, tmp_path: Path) -> None:
    outcome, predictions = run(make_baseline(root, cache, {"kind": "whole_image"}), tmp_path / "trial")
    assert predictions["pred_box_xyxy"].tolist() == [[0, 0, WIDTH, HEIGHT]] * 4
    assert outcome.metrics.miou == pytest.approx(LARGE / (WIDTH * HEIGHT))
    assert predictions["iou_blank"].tolist() == predictions["iou"].tolist()


def test_without_detections_the_whole_image_is_predicted(root: Path, cache: Path, tmp_path: Path) -> None:
    wrong = {"category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.9}
    gt_low_score = {
        "category_id": 1,
        "bbox": [18, 14, 40.5, 30.25],
        "score": 0.1,  # below the threshold
    }
    detector = results_file(
        tmp_path / "boxes.json", [{"image_id": 2, **wrong}, {"image_id": 2, **gt_low_score}]
    )
    _, predictions = run(make_baseline(root, cache, detector), tmp_path / "trial")
    assert predictions["image_id"].tolist() == [2, 2, 8, 8]
    assert predictions["num_boxes"].tolist() == [1, 1, 0, 0]
    assert predictions["pred_box_xyxy"][0].tolist() == [0, 0, 5, 5]
    assert predictions["pred_box_xyxy"][2].tolist() == [0, 0, WIDTH, HEIGHT]
    np.testing.assert_array_equal(predictions["proposal_iou_best"], predictions["iou"])
    lower = make_baseline(root, cache, detector, score_thresh=0.05)
    assert run(lower, tmp_path / "lower")[1]["proposal_iou_best"][0] == pytest.approx(1)


def test_coco_classes_on_coco_images_give_a_note(root: Path, cache: Path, tmp_path: Path) -> None:
    box = {"image_id": 2, "bbox": [18, 14, 40, 30], "score": 0.5}
    coco = results_file(tmp_path / "coco.json", [{**box, "category_name": "Cup"}])
    custom = results_file(tmp_path / "custom.json", [{**box, "category_name": "block"}])
    notes, no_notes = (
        run(make_baseline(root, cache, detector), tmp_path / name)[0].notes
        for detector, name in ((coco, "a"), (custom, "b"))
    )
    assert [note for note in notes if "COCO" in note] and not no_notes


def test_proposal_recall_uses_the_detectors_order(root: Path, cache: Path, tmp_path: Path) -> None:
    gt = {"category_id": 1, "bbox": [18, 14, 40.5, 30.25], "score": 0.5}
    sure = {"category_id": 1, "bbox": [100, 70, 10, 10], "score": 0.9}
    detector = results_file(tmp_path / "boxes.json", [{"image_id": 2, **gt}, {"image_id": 2, **sure}])
    _, predictions = run(make_baseline(root, cache, detector), tmp_path / "trial")
    assert predictions["proposal_iou_at_1"][0] == 0
    assert predictions["proposal_iou_at_5"][0] == predictions["iou_at_5"][0] == pytest.approx(1)
    one = make_baseline(root, cache, detector, max_boxes=1)
    assert run(one, tmp_path / "one")[1]["proposal_iou_best"][0] == 0


def test_a_second_trial_encodes_nothing(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crop = make_baseline(root, tmp_path / "cache", {"kind": "gt_boxes"})
    run(crop, tmp_path / "first")
    run(make_baseline(root, tmp_path / "cache", {"kind": "gt_boxes"}, ranking="blur"), tmp_path / "blur")
    for method in ("encode_image", "encode_text"):
        monkeypatch.setattr(ClipBackbone, method, lambda *args: pytest.fail("it was encoded before"))
    run(crop, tmp_path / "again")
    name = "predictions-val.parquet"
    assert pq.read_table(tmp_path / "again" / name).equals(pq.read_table(tmp_path / "first" / name))
    both = make_baseline(root, tmp_path / "cache", {"kind": "gt_boxes"}, ranking="crop+blur")
    run(both, tmp_path / "both")


def test_another_split_is_evaluated_with_the_same_spec(root: Path, cache: Path, tmp_path: Path) -> None:
    spec = make_baseline(root, cache, {"kind": "gt_boxes"}, templates=["{}", "a photo of {}"])
    out = tmp_path / "answers"
    params = EvaluateParams(
        spec=spec, model=None, split="test", dataset=None, out_dir=str(out), cache_dir=str(cache)
    )
    context = CallContext(lambda event: None, lambda: False, torch.device("cpu"))
    result: Any = METHODS["evaluate"].run(params, context)
    assert result.predictions_file == str(out / "predictions-test.parquet")
    assert read_predictions(out / "predictions-test.parquet")["image_id"].tolist() == [4, 4, 10, 10]
    assert json.loads((out / "metrics-test.json").read_text()) == {
        "schema_version": 1,
        **result.metrics.model_dump(),
    }
    assert result.metrics.num_sentences == 4
    val = METHODS["evaluate"].run(params.model_copy(update={"split": "val"}), context)
    outcome, _ = run(spec, tmp_path / "trial")
    assert val.model_dump()["metrics"] == outcome.metrics.model_dump()
    assert {path.name for path in (tmp_path / "trial").iterdir()} == {
        *("outcome.json", "predictions-val.parquet", "metrics-val.json"),
    }


def test_another_dataset_is_evaluated_without_the_limits(root: Path, cache: Path, tmp_path: Path) -> None:
    spec = make_baseline(root, cache, {"kind": "gt_boxes"}, limits={"val": 1})
    other = make_spec(small_dataset(tmp_path / "other", 18), cache).dataset
    context = run_context(cache)
    assert evaluate(spec, None, None, "val", tmp_path / "own", context).num_sentences == 1
    assert evaluate(spec, None, other, "val", tmp_path / "on-other", context).num_sentences == 6


def test_a_trained_model_proposes_for_each_sentence(root: Path, cache: Path, tmp_path: Path) -> None:
    run_trial(make_spec(root, cache), tmp_path / "model", lambda event: None, lambda: False)
    detector = {"kind": "rpn", "file": str(tmp_path / "model" / "best.safetensors")}
    _, predictions = run(make_baseline(root, cache, detector, max_boxes=5), tmp_path / "trial")
    model = read_predictions(tmp_path / "model" / "predictions-val.parquet")
    assert ((predictions["num_boxes"] >= 1) & (predictions["num_boxes"] <= 5)).all()
    np.testing.assert_allclose(predictions["proposal_iou_at_1"], model["iou"], atol=1e-6)


def test_a_limit_shortens_the_split(root: Path, cache: Path, tmp_path: Path) -> None:
    spec = make_baseline(root, cache, {"kind": "gt_boxes"}, limits={"val": 3})
    assert run(spec, tmp_path / "trial")[0].metrics.num_sentences == 3


def test_truncated_sentences_give_a_note(root: Path, cache: Path, tmp_path: Path) -> None:
    long = make_baseline(root, cache, {"kind": "gt_boxes"}, templates=["the " * 80 + "{}"])
    outcome, _ = run(long, tmp_path / "trial")
    (note,) = outcome.notes
    assert all(part in note for part in ("4 ", "val", "77 tokens"))


@pytest.mark.parametrize(
    ("content", "code", "part"),
    [
        ("[", "data_invalid", "boxes.json"),
        (
            json.dumps([{"image_id": 999, "category_id": 1, "bbox": [1, 1, 5, 5], "score": 1}]),
            "data_invalid",
            "999",
        ),
    ],
)
def test_an_invalid_results_file_fails_the_trial(
    root: Path, cache: Path, tmp_path: Path, content: str, code: str, part: str
) -> None:
    (tmp_path / "boxes.json").write_text(content)
    spec = make_baseline(root, cache, file_detector(tmp_path / "boxes.json"))
    actual, message = failure(spec, tmp_path / "trial")
    assert actual == code and part in message


def test_a_file_changed_since_planning_fails_the_trial(root: Path, cache: Path, tmp_path: Path) -> None:
    detector = results_file(tmp_path / "boxes.json", [])
    spec = make_baseline(root, cache, detector)
    (tmp_path / "boxes.json").write_text("[ ]")
    code, message = failure(spec, tmp_path / "trial")
    assert code == "weights_mismatch" and "has changed" in message
    (tmp_path / "boxes.json").unlink()
    assert failure(spec, tmp_path / "again")[0] == "weights_missing"


def test_events_report_progress(root: Path, tmp_path: Path) -> None:
    events: list[BaseModel] = []
    spec = make_baseline(root, tmp_path / "cache", {"kind": "gt_boxes"})
    run_trial(spec, tmp_path / "trial", events.append, lambda: False)
    phases = {event.model_dump().get("phase") for event in events}
    assert {"crops", "text_features"} <= phases
