"""Which features trials need, and which of them are in the cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.contract.generated import ClipRpnSpec, FeatureNeed, MeasuredTarget, TrialDataset
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.pixels import open_pixels_for
from cliprpn.data.views.training_views import TrainingImages
from cliprpn.features.feature_cache import FeatureCache, MadeFrom
from cliprpn.features.frozen import features_made_from
from cliprpn.features.view_features import (
    MIRRORED,
    mirrored_made_from,
    mirrored_sentences,
    view_made_from,
)
from cliprpn.run_context import RunContext
from cliprpn.storage.array_store import open_store
from cliprpn.storage.weights_files import load_backbone
from cliprpn.trials.splits import limit_of, split_rows

# Folder of features in a cache.
FEATURES = "features"


def find_needs(
    spec: ClipRpnSpec, targets: list[MeasuredTarget], context: RunContext
) -> tuple[list[FeatureNeed], int]:
    """The features of the trial's dataset, then of others; and how many expressions of the targets are evaluated.

    Raises:
        CliprpnError: data_invalid.
    """
    datasets = {spec.dataset.id: spec.dataset} | {
        target.dataset.id: target.dataset for target in targets if target.dataset.id != spec.dataset.id
    }
    needs = [find_need(spec, dataset, context) for dataset in datasets.values()]
    return needs, sum(len(target_rows(spec, target)) for target in targets)


def target_rows(spec: ClipRpnSpec, target: MeasuredTarget) -> np.ndarray:
    """Rows of the sentences that a trial is evaluated on; its limits hold for its own dataset only."""
    own = target.dataset.id == spec.dataset.id
    index = open_dataset(Path(target.dataset.root), target.dataset.id)
    return split_rows(index, target.split, limit_of(spec.settings.limits, target.split) if own else None)


def find_need(spec: ClipRpnSpec, dataset: TrialDataset, context: RunContext) -> FeatureNeed:
    """The features of one dataset; augmented views are made of the trial's own."""
    settings, backbone = spec.settings, spec.backbone
    index = open_dataset(Path(dataset.root), dataset.id)
    pixels = open_pixels_for(index.images, Path(dataset.root), settings.image_size_px, settings.resize)
    maps, text = features_made_from(index, pixels, backbone.weights_id, context.device)
    cache = FeatureCache(
        context.cache_dir / FEATURES,
        lambda: load_backbone(backbone.name, backbone.weights),
        backbone.weights_id,
        context,
    )

    def is_cached(kind: str, made_from: MadeFrom) -> bool:
        return open_store(cache.folder(kind, made_from)) is not None

    num_views = settings.training.views if dataset.id == spec.dataset.id else 0
    numbers = range(1, num_views + 1)
    has_mirrored = num_views == 0 or is_cached(MIRRORED, mirrored_made_from(text))
    return FeatureNeed(
        maps_key=cache.folder("maps", maps).name,
        text_key=cache.folder("text", text).name,
        has_maps=is_cached("maps", maps),
        has_text=is_cached("text", text),
        num_images=index.images.num_rows,
        num_sentences=index.sentences.num_rows,
        num_view_images=len(np.unique(index.image_rows[index.split("train")])),
        num_missing_views=sum(not is_cached("view", view_made_from(maps, number)) for number in numbers),
        num_missing_mirrored=0 if has_mirrored else _num_mirrored(index),
    )


def _num_mirrored(index: DatasetIndex) -> int:
    return len(mirrored_sentences(index, TrainingImages(index))[0])
