"""What trials and one-off calls do alike: open data, ask a saved model, tell how far they are."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import torch
from pydantic import BaseModel

from cliprpn.contract.generated import (
    Limits,
    Metrics,
    ProgressEvent,
    TrialBackbone,
    TrialDataset,
    WarningEvent,
)
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.pixels import open_pixels_of
from cliprpn.data.predictions import predictions_file, read_predictions, write_predictions
from cliprpn.errors import CliprpnError
from cliprpn.features.frozen import FrozenFeatures, open_features
from cliprpn.inference.checkpoint import load_model
from cliprpn.inference.evaluation import predict_split
from cliprpn.metrics import split_metrics
from cliprpn.storage.durable import write_durably
from cliprpn.storage.weights_files import load_backbone

Emit = Callable[[BaseModel], None]


def open_data(
    dataset: TrialDataset,
    backbone: TrialBackbone,
    image_size_px: int,
    resize: str,
    cache_dir: Path,
    device: torch.device,
    emit: Emit,
    should_stop: Callable[[], bool],
    num_views: int = 0,
) -> tuple[DatasetIndex, FrozenFeatures]:
    """The data set's index and its frozen features.

    Args:
        num_views: views of the training images, for training only.
    """
    root = Path(dataset.root)
    index = open_dataset(root, dataset.id)
    features = open_features(
        index,
        open_pixels_of(index.images, root, image_size_px, resize),
        lambda: load_backbone(backbone.name, backbone.weights),
        backbone.weights_id,
        cache_dir,
        device,
        paced(emit),
        lambda: emit(WarningEvent(type="warning", message="waiting for features that another process makes")),
        should_stop,
        num_views,
    )
    return index, features


def evaluate_model(
    model_path: Path,
    out_dir: Path,
    index: DatasetIndex,
    features: FrozenFeatures,
    split: str,
    limit: int | None,
    device: torch.device,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> Metrics:
    """Asks a saved model (a trial's folder, or a file) a split's sentences; `out_dir` gets answers and metrics."""
    rows = index.split(split, limit)
    if len(rows) == 0:
        raise CliprpnError("data_invalid", f"{index.root}: the split {split} has no sentence")
    model = load_model(model_path).model.to(device)
    show = paced(emit)
    answers = predict_split(
        model,
        index,
        features,
        rows,
        device,
        lambda done, total: show("evaluation", done, total),
        should_stop,
    )
    out_dir.mkdir(parents=True, exist_ok=True)
    path = predictions_file(out_dir, split)
    write_predictions(path, index, rows, answers)
    metrics = Metrics.model_validate(split_metrics(read_predictions(path)))
    write_json(out_dir / f"metrics-{split}.json", metrics)
    return metrics


def limit_of(limits: Limits, split: str) -> int | None:
    """At most so many sentences of a split; testA's and testB's is test's."""
    limit: int | None = getattr(limits, "test" if split.startswith("test") else split)
    return limit


def paced(emit: Emit, every_s: float = 0.2) -> Callable[[str, int, int], None]:
    """Progress events, a few a second and always the last."""
    last = 0.0

    def show(phase: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= every_s:
            last = now
            emit(
                ProgressEvent.model_validate(
                    {"type": "progress", "phase": phase, "done": done, "total": total}
                )
            )

    return show


def write_json(path: Path, value: BaseModel) -> None:
    """Whole or not there."""
    text = json.dumps(value.model_dump(mode="json"), indent=2, allow_nan=False)
    write_durably(path, f"{text}\n".encode())


def now() -> str:
    """UTC, ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
