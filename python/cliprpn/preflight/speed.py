"""Times the parts of a trial on a sample of its images."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from cliprpn.arithmetic import use_deterministic
from cliprpn.contract.generated import ClipRpnSpec, PeakMemory, SpeedMeasurement, TrialBackbone
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.pixels import Pixels, open_pixels_for
from cliprpn.devices import peak_process_bytes
from cliprpn.features.feature_cache import FeatureCache, MadeFrom
from cliprpn.features.frozen import FrozenFeatures, features_made_from, open_features
from cliprpn.features.view_features import view_made_from
from cliprpn.inference.build import build_model
from cliprpn.inference.checkpoint import checkpoint_bytes
from cliprpn.inference.predict import predict_split, top1_ious
from cliprpn.models import ClipRPN
from cliprpn.preflight.sample import part_of, sample_images, temporary_cache
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.array_store import open_store
from cliprpn.storage.weights_files import load_backbone
from cliprpn.trials.splits import split_rows
from cliprpn.trials.step_data import TrainingData
from cliprpn.trials.training import train_model

NUM_TRAIN_IMAGES, NUM_VAL_IMAGES = 128, 32
NUM_WARM_UP_IMAGES = 8
# Folder of features in a cache.
FEATURES = "features"
Result = TypeVar("Result")


def measure_speed(
    spec: ClipRpnSpec, num_steps: int, limit_ms: float, scratch: Path, context: RunContext
) -> SpeedMeasurement:
    """Extracts the features of some images, trains a new model on them, and predicts; nothing is kept.

    Args:
        num_steps: training steps to time, after a warm-up.
        limit_ms: fewer steps are timed if they take longer.
        scratch: an existing folder for temporary files.
        context: with the cache of the trial, which is not written to.

    Raises:
        CliprpnError: data_invalid, fusion_invalid, interrupted, loss_not_finite, no_space, weights_*.
    """
    settings = spec.settings
    root = Path(spec.dataset.root)
    index = open_dataset(root, spec.dataset.id)
    pixels = open_pixels_for(index.images, root, settings.image_size_px, settings.resize)
    seed_everything(spec.seed, spec.num_threads)
    use_deterministic(settings.training.deterministic, context.device)
    if context.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(context.device)
    train = sample_images(index, "train", NUM_TRAIN_IMAGES, settings.limits.train)
    val = sample_images(index, "val", NUM_VAL_IMAGES, settings.limits.val)
    part = part_of(index, np.union1d(train, val), ("train", "val"))
    num_views = settings.training.views
    with temporary_cache(scratch, context) as temporary:
        extraction = _time_extraction(part, pixels, spec.backbone, num_views, temporary)
    features = extraction.features
    sizes = (features.map_channels, features.pooled_dim, features.word_dim)
    model = build_model(settings, *sizes).to(context.device)
    timed_steps, step_ms = _time_steps(model, part, features, spec, num_steps, limit_ms, context)
    val_rows = part.split("val")
    times = [
        _time_ms(lambda: top1_ious(model, part, features, val_rows, context.device)),
        _time_ms(lambda: predict_split(model, part, features, val_rows, context)),
    ]
    selection_ms, prediction_ms = (ms / len(val_rows) for ms, _ in times)
    map_bytes = int(np.prod(features.maps.shape[1:])) * 2
    sentence_bytes = features.text.num_bytes / part.sentences.num_rows
    cached = _find_cached(index, pixels, spec, context)
    num_train_images = len(np.unique(index.image_rows[index.split("train")]))
    peak = torch.cuda.max_memory_allocated(context.device) if context.device.type == "cuda" else None
    feature_bytes = [
        sentence_bytes * index.sentences.num_rows,
        map_bytes * index.images.num_rows,
        *[map_bytes * num_train_images] * num_views,
    ]
    return SpeedMeasurement(
        num_steps=timed_steps,
        batch_size=settings.training.batch_size,
        step_ms=step_ms,
        selection_ms=selection_ms,
        prediction_ms=prediction_ms,
        image_ms=extraction.image_ms,
        view_ms=extraction.view_ms,
        sentence_ms=extraction.sentence_ms,
        num_sampled_images=part.images.num_rows,
        map_bytes=map_bytes,
        sentence_bytes=sentence_bytes,
        num_images=index.images.num_rows,
        num_train_images=num_train_images,
        num_sentences=index.sentences.num_rows,
        num_train=len(split_rows(index, "train", settings.limits.train)),
        num_val=len(split_rows(index, "val", settings.limits.val)),
        maps_key=cached.maps_key,
        text_key=cached.text_key,
        has_maps=cached.has_maps,
        has_text=cached.has_text,
        num_missing_views=cached.num_missing_views,
        num_views=num_views,
        resident_bytes=_resident_bytes(feature_bytes, context.device),
        checkpoint_bytes=checkpoint_bytes(settings, sizes),
        peak_memory_bytes=PeakMemory(process=peak_process_bytes(), device=peak),
    )


@dataclass(frozen=True)
class Extraction:
    """Features of a sample, and the time for one image, one image of a view, and one sentence."""

    features: FrozenFeatures
    image_ms: float
    view_ms: float | None
    sentence_ms: float


def _time_extraction(
    part: DatasetIndex, pixels: Pixels, backbone: TrialBackbone, num_views: int, context: RunContext
) -> Extraction:
    """Extracts as a trial does, into the context's folder; of augmented views, at most one."""
    weights = load_backbone(backbone.name, backbone.weights)
    maps_made_from, text_made_from = features_made_from(part, pixels, backbone.weights_id, context.device)
    pixel_rows = part.images["pixel_row"].to_numpy().copy()
    num_images = len(pixel_rows)

    def read_block(start: int, end: int) -> tuple[torch.Tensor, dict[str, np.ndarray]]:
        return pixels.batch(pixel_rows[start:end]), {}

    def name_of(row: int) -> str:
        return pixels.file_names[pixel_rows[row]]

    def extract(name: str, num: int) -> None:
        others = FeatureCache(context.cache_dir / name, lambda: weights, backbone.weights_id, context)
        others.open_maps("maps", maps_made_from, read_block, num, pixels.image_size_px, name_of)

    extract("warm-up", min(NUM_WARM_UP_IMAGES, num_images))
    maps_ms, _ = _time_ms(lambda: extract(FEATURES, num_images))
    cache = FeatureCache(context.cache_dir / FEATURES, lambda: weights, backbone.weights_id, context)
    text_ms, _ = _time_ms(lambda: cache.open_text("text", text_made_from, part.texts))
    view_ms, features = _time_ms(
        lambda: open_features(part, pixels, lambda: weights, backbone.weights_id, context, min(1, num_views))
    )
    num_train = len(np.unique(part.image_rows[part.split("train")]))
    return Extraction(
        features,
        maps_ms / num_images,
        view_ms / num_train if num_views > 0 else None,
        text_ms / part.sentences.num_rows,
    )


def _time_ms(run: Callable[[], Result]) -> tuple[float, Result]:
    """Duration and result. All that is timed ends with a copy to the CPU, which waits for the device."""
    started = time.monotonic()
    result = run()
    return (time.monotonic() - started) * 1000, result


def _time_steps(
    model: ClipRPN,
    part: DatasetIndex,
    features: FrozenFeatures,
    spec: ClipRpnSpec,
    num_steps: int,
    limit_ms: float,
    context: RunContext,
) -> tuple[int, float]:
    """Trains the model for some epochs of the sample; the first one, a warm-up, is not timed.

    Returns:
        the number of timed steps, and the duration of a step in milliseconds.
    """
    training = spec.settings.training
    rows = part.split("train")
    num_batches = max(1, len(rows) // training.batch_size)
    rows = np.resize(rows, num_batches * training.batch_size)  # Full batches only.
    num_epochs = 1 + math.ceil(num_steps / num_batches)
    settings = training.model_copy(update={"num_epochs": num_epochs, "views": min(1, training.views)})
    # One val sentence: the time for val is measured apart.
    data = TrainingData(part, features, rows, part.split("val")[:1])
    epochs_ms: list[float] = []
    for epoch in train_model(model, data, settings, spec.seed, context):
        if epoch.epoch > 1:
            epochs_ms.append(epoch.duration_ms)
        if epochs_ms and sum(epochs_ms) > limit_ms:
            break
    timed = len(epochs_ms) * num_batches
    return timed, sum(epochs_ms) / timed


@dataclass(frozen=True)
class CachedFeatures:
    """Which features of the whole dataset are in the cache, and the names of their folders."""

    maps_key: str
    text_key: str
    has_maps: bool
    has_text: bool
    num_missing_views: int


def _find_cached(
    index: DatasetIndex, pixels: Pixels, spec: ClipRpnSpec, context: RunContext
) -> CachedFeatures:
    def is_cached(kind: str, made_from: MadeFrom) -> bool:
        return open_store(cache.folder(kind, made_from)) is not None

    backbone = spec.backbone
    maps, text = features_made_from(index, pixels, backbone.weights_id, context.device)
    cache = FeatureCache(
        context.cache_dir / FEATURES,
        lambda: load_backbone(backbone.name, backbone.weights),
        backbone.weights_id,
        context,
    )
    views = range(1, spec.settings.training.views + 1)
    return CachedFeatures(
        cache.folder("maps", maps).name,
        cache.folder("text", text).name,
        is_cached("maps", maps),
        is_cached("text", text),
        sum(not is_cached("view", view_made_from(maps, number)) for number in views),
    )


def _resident_bytes(feature_bytes: list[float], device: torch.device) -> float:
    """How much of the features stays on a CUDA device: each array that fits, as in `FrozenFeatures.move_to`."""
    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    resident = 0.0
    for num_bytes in feature_bytes:
        if num_bytes < (free - resident) / 2:
            resident += num_bytes
    return resident
