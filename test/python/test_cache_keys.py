"""Values of one kind of device never serve another, and what a CPU cached in earlier versions stays valid."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from helpers import open_small, prepared, run_context, shipped_weights_id, small_dataset

from cliprpn.contract.generated import BaselineSettings, TrialBackbone
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.views.sampling import VIEWS_VERSION
from cliprpn.detectors.propose import LazyDetector
from cliprpn.features import frozen
from cliprpn.features.feature_cache import FeatureCache
from cliprpn.ranking.clip_embeddings import ClipEmbeddings
from cliprpn.run_context import RunContext
from cliprpn.storage.weights_files import load_backbone

pytestmark = pytest.mark.usefixtures("no_traces")
CPU = torch.device("cpu")
BACKBONE = TrialBackbone(name="cliprpn-tiny", weights="shipped", weights_id="w")
BASELINE = BaselineSettings.model_validate(
    {
        "detector": {
            "kind": "faster_rcnn",
            "variant": "mobilenet_v3_large_320_fpn",
            "file": "x.pth",
            "sha256": "0" * 64,
            "classes": None,
        },
        "ranking": "crop",
        "templates": ["{}"],
        "category_prior": False,
        "score_thresh": 0.25,
        "nms_thresh": 0.45,
        "max_boxes": 100,
    }
)
# Names that version 0.1.0 gave before the kind of device was part of the key.
FORMER = {
    "crop": "crop-99402a906d4b5cde06f0bd31.sqlite",
    "text": "text-50d82b77614b7a4f0d8e4c08.sqlite",
    "detections": "faster_rcnn-334ac6b423683a7f3da52efe.sqlite",
}


def store_names(device: str) -> dict[str, str]:
    context = RunContext(torch.device(device), Path("/cache"), lambda event: None, lambda: False)
    clip = ClipEmbeddings(BACKBONE, context)
    detector = LazyDetector(BASELINE, cast(DatasetIndex, None), context)
    return {
        "crop": clip._store("crop").name,
        "text": clip._store("text").name,
        "detections": detector.store.name,
    }


def test_embeddings_and_detections_of_a_cpu_keep_their_files_and_those_of_other_devices_have_their_own() -> (
    None
):
    names = {device: store_names(device) for device in ("cpu", "cuda:0", "cuda:1", "mps")}
    assert names["cpu"] == FORMER
    assert names["cuda:0"] == names["cuda:1"]
    for kind in FORMER:
        assert len({names[device][kind] for device in ("cpu", "cuda:0", "mps")}) == 3


def test_features_of_a_cpu_keep_their_folders_and_those_of_other_devices_have_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_dataset(*prepared(small_dataset(tmp_path / "data"), tmp_path))
    pixels, weights_id = open_small(index.root), shipped_weights_id()
    computed: dict[str, dict[str, np.ndarray]] = {}
    opened: dict[str, list[str]] = {}
    open_or_extract = FeatureCache._open_or_extract

    def record(cache: FeatureCache, folder: Path, extract: Callable[[], None]) -> dict[str, np.ndarray]:
        number = len(opened.setdefault(cache.context.device.type, []))
        opened[cache.context.device.type].append(folder.name)
        if cache.context.device == CPU:
            computed[str(number)] = open_or_extract(cache, folder, extract)
        return computed[str(number)]  # There is no GPU here.

    def open_on(device: torch.device) -> None:
        frozen._opened.clear()
        frozen.open_features(
            index,
            pixels,
            lambda: load_backbone("cliprpn-tiny", "shipped"),
            weights_id,
            run_context(tmp_path, device=device),
            num_views=1,
        )

    monkeypatch.setattr(FeatureCache, "_open_or_extract", record)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (0, 0))
    for name in ("cpu", "cuda:0", "mps"):
        open_on(torch.device(name))

    maps = {"dataset_id": index.dataset_id, "pixels_id": pixels.pixels_id, "weights_id": weights_id}
    text = {"dataset_id": index.dataset_id, "weights_id": weights_id, "text": "openai-bpe-1"}
    views = {"views": VIEWS_VERSION}
    assert opened["cpu"] == [
        name_of("maps", maps),
        name_of("text", text),
        name_of("view", {**maps, **views, "seed": 0, "number": 1}),
        name_of("mirrored", {**text, **views}),
    ]
    assert len({*opened["cpu"], *opened["cuda"], *opened["mps"]}) == 12
    assert sorted(folder.name for folder in (tmp_path / "features").iterdir()) == sorted(opened["cpu"])


def name_of(kind: str, made_from: dict[str, Any]) -> str:
    """The folder's name by the rule of version 0.1.0."""
    key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:24]
    return f"{kind}-{key}"
