"""The benchmarks' baselines run with the code of today, and train what a trial trains."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import make_spec, run_context, small_dataset
from test_trial import REFERENCE

from cliprpn.contract.generated import ClipRpnSpec, CompletedOutcome
from cliprpn.features.frozen import open_data
from cliprpn.inference.build import build_model
from cliprpn.trials.step_data import frame_targets
from cliprpn.trials.trial import run_trial

sys.path.append(str(Path(__file__).parents[1]))

from bench import rpn
from bench.original_way import train_original_way
from bench.plain_loop import Arrays, plain_loop

pytestmark = pytest.mark.usefixtures("no_traces")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ClipRpnSpec:
    folder = tmp_path_factory.mktemp("benchmarks")
    return make_spec(small_dataset(folder / "data"), folder / "cache", training={"precision": "fp32"})


def test_the_plain_loop_has_the_losses_of_a_trial(spec: ClipRpnSpec, tmp_path: Path) -> None:
    outcome = run_trial(spec, tmp_path / "trial", lambda event: None, lambda: False)
    assert isinstance(outcome, CompletedOutcome)
    cache, settings = Path(spec.cache_dir), spec.settings
    index, features = open_data(
        spec.dataset, spec.backbone, settings.image_size_px, settings.resize, run_context(cache)
    )
    model = build_model(settings, features.map_channels, features.pooled_dim, features.word_dim)
    boxes = frame_targets(model, index, features, np.arange(len(index.image_rows)))
    arrays = Arrays(cache, index.image_rows)
    losses = plain_loop(spec, arrays, boxes, index.split("train"), index.split("val"))
    # The same steps in another order of operations.
    assert losses == pytest.approx([epoch.loss for epoch in outcome.epochs], rel=1e-3)


@pytest.mark.parametrize("changes", [{}, REFERENCE], ids=["default", "reference"])
def test_the_way_of_the_original_times_its_parts(
    spec: ClipRpnSpec, changes: dict[str, object], tmp_path: Path
) -> None:
    cache = Path(spec.cache_dir)
    changed = make_spec(small_dataset(tmp_path / "data"), cache, **changes)
    settings = changed.settings
    index, features = open_data(
        changed.dataset, changed.backbone, settings.image_size_px, settings.resize, run_context(cache)
    )
    spent = train_original_way(changed, index, features)
    assert spent.keys() == {"images", "CLIP", "model", "region proposals"} and min(spent.values()) > 0


def test_region_proposals_of_both_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpn, "BATCH", 2)
    times = rpn.measure(torch.device("cpu"), repeats=1)["ms"]
    assert len(times) == 9 and min(times.values()) > 0
