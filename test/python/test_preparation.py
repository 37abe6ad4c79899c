"""What trials share is made before them, with the numbers that they would compute."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import make_baseline, make_spec

import cliprpn.data.index
from cliprpn.contract.generated import PreparationOutcome, PreparationSpec
from cliprpn.errors import CliprpnError
from cliprpn.features import frozen
from cliprpn.ranking import clip_embeddings
from cliprpn.storage.specs import Spec
from cliprpn.trials.preparation import run_preparation
from cliprpn.trials.trial import run_trial

pytestmark = pytest.mark.usefixtures("no_traces")
CPU = torch.device("cpu")


def prepare(
    folder: Path,
    *parts: tuple[str, Spec],
    num_lanes: int = 1,
    events: list[Any] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> PreparationOutcome:
    frozen._opened.clear()
    cliprpn.data.index._opened.clear()
    folder.mkdir()
    made = [{"make": make, "trial": trial.model_dump()} for make, trial in parts]
    spec = PreparationSpec.model_validate({"schema_version": 1, "parts": made})
    emit = (lambda event: None) if events is None else events.append
    return run_preparation(spec, folder, num_lanes, CPU, emit, should_stop)


def phases_of(spec: Spec, folder: Path) -> set[str]:
    """The phases of a trial."""
    events: list[Any] = []
    outcome = run_trial(spec, folder, events.append, lambda: False, "none")
    assert outcome.state == "completed", outcome
    return {event.phase for event in events if event.type == "progress"}


def test_a_trial_finds_the_features_that_were_made_and_makes_them_if_they_are_missing(
    root: Path, tmp_path: Path
) -> None:
    features = {"image_features", "text_features"}
    spec = make_spec(root, tmp_path / "cache", training={"views": 1})
    outcome = prepare(tmp_path / "1", ("features", spec))
    assert [part.error for part in outcome.parts] == [None]
    assert json.loads((tmp_path / "1" / "outcome.json").read_text())["parts"][0]["make"] == "features"
    assert not phases_of(spec, tmp_path / "trial") & features
    frozen._opened.clear()
    unprepared = make_spec(root, tmp_path / "other", training={"views": 1})
    assert phases_of(unprepared, tmp_path / "trial 2") >= features


def test_a_baseline_finds_the_embeddings_that_were_made(root: Path, tmp_path: Path) -> None:
    spec = make_baseline(root, tmp_path / "cache", {"kind": "gt_boxes"})
    prepare(tmp_path / "1", ("embeddings", spec))
    assert "crops" not in phases_of(spec, tmp_path / "trial")
    clip_embeddings._loaded.clear()
    unprepared = make_baseline(root, tmp_path / "other", {"kind": "gt_boxes"})
    assert "crops" in phases_of(unprepared, tmp_path / "trial 2")


def test_lanes_compute_the_numbers_of_one_lane(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cliprpn.features.image_features.IMAGES_PER_BLOCK_AT_224", 0)  # One image in a block.
    made = []
    for num_lanes in (1, 3):
        cache = tmp_path / f"{num_lanes} lanes"
        events: list[Any] = []
        spec = make_spec(root, cache, training={"views": 1})
        prepare(tmp_path / str(num_lanes), ("features", spec), num_lanes=num_lanes, events=events)
        assert max(event.done for event in events if event.type == "progress") > 3
        files = [path for path in (cache / "features").rglob("*.npy")]
        made.append({str(path.relative_to(cache)): path.read_bytes() for path in files})
    assert made[0] == made[1] and len(made[0]) > 4


def test_a_part_that_fails_does_not_prevent_the_others(root: Path, tmp_path: Path) -> None:
    spec = make_spec(root, tmp_path / "cache")
    broken = make_spec(root, tmp_path / "cache")
    broken.backbone.weights = str(tmp_path / "no such file.pt")
    broken.backbone.weights_id = "0" * 64
    outcome = prepare(tmp_path / "1", ("features", broken), ("features", spec))
    missing, good = outcome.parts
    assert missing.error is not None and missing.error.code == "weights_missing" and good.error is None
    assert "no such file.pt" in (tmp_path / "1" / "traceback.txt").read_text()


def test_a_stopped_preparation_has_no_outcome_and_the_next_one_continues(root: Path, tmp_path: Path) -> None:
    spec = make_spec(root, tmp_path / "cache")
    with pytest.raises(CliprpnError) as caught:
        prepare(tmp_path / "1", ("features", spec), should_stop=lambda: True)
    assert caught.value.code == "interrupted" and not (tmp_path / "1" / "outcome.json").exists()
    assert prepare(tmp_path / "2", ("features", spec)).parts[0].error is None


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "no_space"), (errno.EIO, "environment_broken")])
def test_a_disk_that_is_full_or_fails_ends_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def full(*args: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("cliprpn.trials.preparation.open_data", full)
    with pytest.raises(CliprpnError) as caught:
        prepare(tmp_path / "1", ("features", make_spec(root, tmp_path / "cache")))
    assert caught.value.code == code
