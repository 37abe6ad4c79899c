"""The checks of `cliprpn preflight`, on a small dataset."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from helpers import make_baseline, make_spec, run_context, small_dataset
from safetensors.torch import save_file

from cliprpn.contract.generated import (
    ClipRpnSpec,
    MeasuredTarget,
    MeasureReportParams,
    PreflightCheckParams,
    SampleExpressionsParams,
    TrialBackbone,
)
from cliprpn.data.index import open_dataset
from cliprpn.errors import CliprpnError
from cliprpn.features.frozen import open_data
from cliprpn.preflight import extraction, overfit, weights
from cliprpn.preflight.baseline_speed import measure_baseline
from cliprpn.preflight.checks import CHECKS
from cliprpn.preflight.crops import BANDS, Band, check_crops
from cliprpn.preflight.detections import check_detections
from cliprpn.preflight.examples import find_outside, sample_expressions
from cliprpn.preflight.needs import find_need
from cliprpn.preflight.overfit import check_overfit
from cliprpn.preflight.report_speed import measure_report
from cliprpn.preflight.sample import one_per_image, part_of, sample_images, spaced
from cliprpn.preflight.speed import measure_speed
from cliprpn.preflight.weights import check_weights
from cliprpn.storage import openai_weights
from cliprpn.storage.openai_weights import openai_sha256
from cliprpn.storage.state_files import read_state
from cliprpn.storage.weights_files import SHIPPED
from cliprpn.trials import training

TEST_LIMIT = {"train": None, "val": None, "test": 3}

pytestmark = pytest.mark.usefixtures("no_traces")


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_shipped_weights_pass_and_other_files_are_not_checked(tmp_path: Path) -> None:
    shipped = SHIPPED / "cliprpn-tiny.safetensors"
    digest = hashlib.sha256(shipped.read_bytes()).hexdigest()
    finding = check_weights(TrialBackbone(name="cliprpn-tiny", weights="shipped", weights_id=digest))
    assert finding.status == "passed" and digest in finding.found

    state = read_state(shipped)
    state["clip.logit_scale" if "clip.logit_scale" in state else "logit_scale"] += 1
    other = tmp_path / "other.safetensors"
    save_file(state, other)
    digest = hashlib.sha256(other.read_bytes()).hexdigest()
    own = TrialBackbone(name="cliprpn-tiny", weights=str(other), weights_id=digest)
    finding = check_weights(own)
    assert finding.status == "not_checked" and finding.fix is None
    assert digest in finding.found and "not a published file" in finding.found
    assert openai_sha256() == "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"

    save_file(read_state(shipped), other)
    with pytest.raises(CliprpnError, match=digest):
        check_weights(own)


def test_the_official_file_is_known_by_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "RN50.safetensors"
    file.write_bytes((SHIPPED / "cliprpn-tiny.safetensors").read_bytes())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setattr(openai_weights, "HUGGING_FACE_SHA256", digest)
    finding = check_weights(TrialBackbone(name="cliprpn-tiny", weights=str(file), weights_id=digest))
    assert finding.status == "passed" and "as published" in finding.found
    assert "timm/resnet50_clip.openai" in finding.found and digest in finding.found


def test_shipped_weights_that_are_damaged_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = SHIPPED / "cliprpn-tiny.safetensors"
    digest = hashlib.sha256(shipped.read_bytes()).hexdigest()
    for name in ("cliprpn-tiny.safetensors", "cliprpn-tiny.json"):
        (tmp_path / name).write_bytes((SHIPPED / name).read_bytes())
    facts = json.loads((tmp_path / "cliprpn-tiny.json").read_text())
    (tmp_path / "cliprpn-tiny.json").write_text(json.dumps({**facts, "sha256": "0" * 64}))
    monkeypatch.setattr(weights, "SHIPPED", tmp_path)
    finding = check_weights(TrialBackbone(name="cliprpn-tiny", weights="shipped", weights_id=digest))
    assert finding.status == "failed" and finding.fix == "install cliprpn again"
    assert "0" * 64 in finding.found and digest in finding.found


def test_a_part_has_the_sentences_objects_and_boxes_of_its_images(root: Path, tmp_path: Path) -> None:
    spec = make_spec(root, tmp_path)
    index = open_dataset(Path(spec.dataset.root), spec.dataset.id)
    images = sample_images(index, "train", 3)
    part = part_of(index, images, ("train",))
    assert part.images["image_id"].to_pylist() == [
        index.images["image_id"][int(row)].as_py() for row in images
    ]
    assert part.sentences.num_rows == 6 and part.objects.num_rows == 6
    ids = [part.images["image_id"][int(row)].as_py() for row in part.image_rows]
    assert ids == part.sentences["image_id"].to_pylist()
    expected = [box for box in part.sentences["gt_box_xyxy"].to_pylist()]
    np.testing.assert_allclose(part.gt_boxes, np.array(expected), rtol=1e-6)
    assert one_per_image(part, part.split("train")).tolist() == [0, 2, 4]
    assert spaced(10, 5).tolist() == [0, 2, 4, 6, 8] and spaced(2, 5).tolist() == [0, 1]


def test_expressions_to_look_at_are_of_train_and_val_and_of_different_images(
    root: Path, tmp_path: Path
) -> None:
    spec = make_spec(root, tmp_path)
    params = SampleExpressionsParams(root=spec.dataset.root, num_expressions=32)
    examples = sample_expressions(params).examples
    assert {each.split for each in examples} == {"train", "val"}
    assert len(examples) == len({each.file_name for each in examples}) == 10
    few = SampleExpressionsParams(root=spec.dataset.root, num_expressions=3)
    assert len(sample_expressions(few).examples) == 3


def test_boxes_outside_their_images_are_found(root: Path, tmp_path: Path) -> None:
    spec = make_spec(root, tmp_path)
    index = open_dataset(Path(spec.dataset.root), spec.dataset.id)
    assert find_outside(index).tolist() == []
    boxes = index.gt_boxes.copy()
    boxes[1, 2] = 130  # The images are 120 pixels wide.
    boxes[3] = boxes[3, [2, 1, 0, 3]]  # Left and right exchanged.
    boxes[4, 0] = -0.5  # Rounded.
    boxes[5] = np.nan
    assert find_outside(replace(index, gt_boxes=boxes)).tolist() == [1, 3, 5]


def test_steps_and_features_are_timed_and_nothing_is_kept(root: Path, tmp_path: Path) -> None:
    spec = make_spec(
        root,
        tmp_path / "cache",
        training={"views": 2, "batch_size": 4},
        limits=TEST_LIMIT,
    )
    before = names_in(tmp_path / "cache")
    (tmp_path / "scratch").mkdir()
    targets = [MeasuredTarget(dataset=spec.dataset, split="test")]
    context = run_context(tmp_path / "cache")
    measured = measure_speed(spec, 8, 60_000, targets, tmp_path / "scratch", context)
    assert names_in(tmp_path / "cache") == before and names_in(tmp_path / "scratch") == []
    assert measured.num_steps == 8 and measured.batch_size == 4
    parts = ("step", "selection", "prediction", "image", "view", "sentence", "save")
    for timing in (getattr(measured, part) for part in parts):
        assert 0 < timing.low_ms <= timing.ms <= timing.high_ms
    (need,) = measured.features
    assert (need.num_images, need.num_view_images, need.num_sentences) == (12, 8, 24)
    assert (measured.num_train, measured.num_val, measured.num_evaluated) == (16, 4, 3)
    assert (need.has_maps, need.has_text, need.num_missing_views) == (False, False, 2)
    assert measured.map_bytes == 512 * 2 * 2 * 2 and measured.prediction_bytes > 0
    assert measured.peak_memory_bytes.device is None and measured.resident_bytes == 0


def test_configurations_with_the_same_features_share_their_extraction(root: Path, tmp_path: Path) -> None:
    extraction._timed.clear()
    spec = make_spec(root, tmp_path / "cache")
    other = make_spec(root, tmp_path / "cache", neck_channels=8)
    context = run_context(tmp_path / "cache")
    first, second = (measure_speed(each, 1, 60_000, [], tmp_path, context) for each in (spec, other))
    assert first.image == second.image and first.step != second.step
    views = make_spec(root, tmp_path / "cache", training={"views": 1})
    assert measure_speed(views, 1, 60_000, [], tmp_path, context).image != first.image


def test_features_in_the_cache_are_found(root: Path, tmp_path: Path) -> None:
    spec = make_spec(root, tmp_path / "cache", training={"views": 1})
    context = run_context(tmp_path / "cache")
    open_data(spec.dataset, spec.backbone, 64, "squash", context, num_views=1)
    two_views = spec.model_copy(deep=True)
    two_views.settings.training.views = 2
    need = find_need(two_views, two_views.dataset, context)
    assert (need.has_maps, need.has_text, need.num_missing_views) == (True, True, 1)
    assert need.num_missing_mirrored == 0
    assert (tmp_path / "cache" / "features" / need.maps_key).is_dir()
    # Of another dataset, no views are made.
    other = small_dataset(tmp_path / "other", num_images=6)
    dataset = make_spec(other, tmp_path / "cache").dataset
    need = find_need(two_views, dataset, context)
    assert (need.has_maps, need.has_text, need.num_missing_views, need.num_images) == (False, False, 0, 6)


def test_the_parts_of_a_baseline_are_timed_and_nothing_is_kept(root: Path, tmp_path: Path) -> None:
    cache, scratch = tmp_path / "cache", tmp_path / "scratch"
    spec = make_baseline(root, cache, {"kind": "gt_boxes"}, ranking="crop+blur")
    before = names_in(cache)
    scratch.mkdir()
    targets = [MeasuredTarget(dataset=spec.dataset, split="test")]
    measured = measure_baseline(spec, targets, scratch, run_context(cache))
    assert names_in(cache) == before and names_in(scratch) == []
    assert [work.key.split()[0] for work in measured.shared] == ["crop", "blur"]  # Nothing is detected.
    assert all(
        work.image.ms > 0 and work.image_bytes > 0 and not work.may_be_cached for work in measured.shared
    )
    assert (measured.val.num_images, measured.val.num_sentences) == (2, 4)
    assert [(split.key.split()[1], split.num_sentences) for split in measured.others] == [("test", 4)]
    # A ranking by crops alone has the key of the first view, so that both pay for it once.
    crops = make_baseline(root, cache, {"kind": "gt_boxes"})
    check_detections(crops, tmp_path, run_context(cache))
    again = measure_baseline(crops, [], scratch, run_context(cache))
    assert [work.key for work in again.shared] == [measured.shared[0].key]
    assert again.shared[0].may_be_cached


def test_the_figures_of_a_report_are_timed_and_nothing_is_kept(root: Path, tmp_path: Path) -> None:
    dataset = make_spec(root, tmp_path / "cache").dataset
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    params = MeasureReportParams(
        dataset=dataset,
        limit=None,
        test_limit=3,
        num_seeds=2,
        targets=[MeasuredTarget(dataset=dataset, split="test")],
        scratch_dir=str(scratch),
    )
    measured = measure_report(params)
    assert measured.first.ms > 0 and measured.splits is not None and measured.splits.ms > 0
    assert measure_report(params.model_copy(update={"targets": []})).splits is None
    assert names_in(scratch) == []


def test_a_model_learns_a_few_expressions_by_heart(root: Path, tmp_path: Path) -> None:
    spec = make_spec(root, tmp_path / "cache", training={"learning_rate": 1e-2})
    before = names_in(tmp_path / "cache")
    context = run_context(tmp_path / "cache")
    (tmp_path / "scratch").mkdir()
    finding = check_overfit(spec, tmp_path / "scratch", context, 600)
    assert finding.status == "passed", finding
    # One expression of each of the eight training images.
    assert "100.0 % of 8 expressions" in finding.found and finding.figures[0].low == 95
    assert names_in(tmp_path / "cache") == before and names_in(tmp_path / "scratch") == []


def test_the_learning_rate_of_a_long_training_does_not_slow_the_check_down(
    root: Path, tmp_path: Path
) -> None:
    low, high = (
        overfit._small_training(
            make_spec(root, tmp_path, training={"learning_rate": rate}).settings.training, 64, 640
        )
        for rate in (1e-9, 1e-2)
    )
    assert (low.learning_rate, high.learning_rate) == (1e-3, 1e-2)
    assert low.batch_size == 8 and low.num_epochs * 4 * 64 == 640 * 8


def test_with_shuffled_boxes_a_model_learns_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame_targets = training.frame_targets

    def shuffled(model: Any, index: Any, features: Any, rows: np.ndarray, view: int = 0) -> torch.Tensor:
        # Other boxes for the same expression each time that it is seen.
        boxes = frame_targets(model, index, features, rows, view)
        return boxes[torch.randperm(len(boxes), generator=torch.Generator().manual_seed(0))]

    monkeypatch.setattr(training, "frame_targets", shuffled)
    spec = make_spec(root, tmp_path / "cache")
    finding = check_overfit(spec, tmp_path, run_context(tmp_path / "cache"), 600, max_steps=64)
    assert finding.status == "failed" and "after 64 steps" in finding.found
    assert finding.fix is not None and "boxes" in finding.fix


def test_a_model_that_is_too_slow_is_not_checked(root: Path, tmp_path: Path) -> None:
    spec = make_spec(root, tmp_path / "cache")
    finding = check_overfit(spec, tmp_path, run_context(tmp_path / "cache"), 1e-9)
    assert finding.status == "not_checked" and finding.fix is None
    assert "after 4 steps" in finding.found and "--overfit-minutes 1 for all 640 steps" in finding.found


def test_clip_on_crops_is_compared_with_its_usual_values(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec(root, tmp_path / "cache")
    context = run_context(tmp_path / "cache")
    own = check_crops(spec, tmp_path, context)
    assert own.status == "not_checked" and "at random 50.0 %" in own.found and "of 4 expressions" in own.found
    acc = own.figures[0].value
    assert 0 <= acc <= 100
    key = ("cliprpn-tiny", "blocks")
    monkeypatch.setitem(BANDS, key, Band(acc / 100, 1, "made up"))
    assert check_crops(spec, tmp_path, context).status == "passed"
    monkeypatch.setitem(BANDS, key, Band(3, 4, "made up"))  # Even the interval of two images is outside.
    failed = check_crops(spec, tmp_path, context)
    assert failed.status == "failed" and failed.fix is not None
    assert (failed.figures[0].low, failed.figures[0].high) == (300, 400)


def test_boxes_of_a_detector_must_hit_some_objects(root: Path, tmp_path: Path) -> None:
    context = run_context(tmp_path / "cache")
    good = make_baseline(root, tmp_path / "cache", {"kind": "gt_boxes"})
    finding = check_detections(good, tmp_path, context)
    assert finding.status == "passed" and "100.0 % of 4 expressions" in finding.found
    whole = make_baseline(root, tmp_path / "cache", {"kind": "whole_image"})
    finding = check_detections(whole, tmp_path, context)
    assert finding.status == "failed" and finding.fix is not None and "0.0 % of 4" in finding.found


def test_each_check_by_name_says_what_it_cannot_check(root: Path, tmp_path: Path) -> None:
    context = run_context(tmp_path / "cache")
    trained, baseline = make_spec(root, tmp_path), make_baseline(root, tmp_path, {"kind": "gt_boxes"})
    findings = [
        CHECKS["parity"](trained, tmp_path, context, 60),
        CHECKS["parity"](baseline, tmp_path, context, 60),
        CHECKS["overfit"](baseline, tmp_path, context, 60),
        CHECKS["baseline"](trained, tmp_path, context, 60),
    ]
    assert {each.status for each in findings} == {"not_checked"}
    assert "no CUDA device" in findings[0].found
    assert set(CHECKS) == set(get_args(PreflightCheckParams.model_fields["check"].annotation))


def test_an_interrupt_leaves_nothing(root: Path, tmp_path: Path) -> None:
    spec: ClipRpnSpec = make_spec(root, tmp_path / "cache")
    (tmp_path / "scratch").mkdir()
    stopped = run_context(tmp_path / "cache", should_stop=lambda: True)
    with pytest.raises(CliprpnError) as error:
        measure_speed(spec, 8, 60_000, [], tmp_path / "scratch", stopped)
    assert error.value.code == "interrupted"
    assert names_in(tmp_path / "scratch") == []
