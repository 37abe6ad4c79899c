"""Times the extraction of features, on a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from cliprpn.contract.generated import ClipRpnSpec, Timing
from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import Pixels
from cliprpn.features.feature_cache import FeatureCache
from cliprpn.features.frozen import FrozenFeatures, features_made_from, open_features
from cliprpn.preflight.needs import FEATURES
from cliprpn.preflight.sample import temporary_cache
from cliprpn.preflight.timing import time_ms, timing
from cliprpn.run_context import RunContext
from cliprpn.storage.weights_files import load_backbone

NUM_WARM_UP_IMAGES = 8


@dataclass(frozen=True)
class Extraction:
    """Features of a sample, and the time for one image, one image of a view, and one sentence."""

    features: FrozenFeatures
    image: Timing
    view: Timing | None
    sentence: Timing


def time_extraction(part: DatasetIndex, pixels: Pixels, spec: ClipRpnSpec, scratch: RunContext) -> Extraction:
    """Extracts as a trial does, into a temporary cache; of augmented views, at most one.

    Configurations that need the same features share one measurement.

    Args:
        scratch: its cache is an existing folder for temporary files.
    """
    num_views = min(1, spec.settings.training.views)
    key = (
        part.dataset_id,
        tuple(part.images["image_id"].to_pylist()),
        pixels.pixels_id,
        spec.backbone.weights_id,
        num_views,
        str(scratch.device),
    )
    if key not in _timed:
        _timed.clear()  # A sweep has one dataset; its features stay in memory until the next one.
        with temporary_cache(scratch.cache_dir, scratch) as temporary:
            _timed[key] = _time(part, pixels, spec, num_views, temporary)
    return _timed[key]


def _time(
    part: DatasetIndex, pixels: Pixels, spec: ClipRpnSpec, num_views: int, context: RunContext
) -> Extraction:
    backbone = spec.backbone
    weights = load_backbone(backbone.name, backbone.weights)
    maps_made_from, text_made_from = features_made_from(part, pixels, backbone.weights_id, context.device)
    pixel_rows = part.images["pixel_row"].to_numpy().copy()
    num_images = len(pixel_rows)

    def read_block(start: int, end: int) -> tuple[torch.Tensor, dict[str, np.ndarray]]:
        return pixels.batch(pixel_rows[start:end]), {}

    def name_of(row: int) -> str:
        return pixels.file_names[pixel_rows[row]]

    def cache_in(name: str) -> FeatureCache:
        return FeatureCache(context.cache_dir / name, lambda: weights, backbone.weights_id, context)

    def extract(name: str, num: int) -> float:
        ms, _ = time_ms(
            lambda: cache_in(name).open_maps(
                "maps", maps_made_from, read_block, num, pixels.image_size_px, name_of
            )
        )
        return ms / num

    extract("warm-up", min(NUM_WARM_UP_IMAGES, num_images))
    image_ms = [extract("half", (num_images + 1) // 2), extract(FEATURES, num_images)]

    def encode(name: str) -> float:
        ms, _ = time_ms(lambda: cache_in(name).open_text("text", text_made_from, part.texts))
        return ms / part.sentences.num_rows

    text_ms = [encode("half"), encode(FEATURES)]
    view_ms, features = time_ms(
        lambda: open_features(part, pixels, lambda: weights, backbone.weights_id, context, num_views)
    )
    num_train = len(np.unique(part.image_rows[part.split("train")]))
    return Extraction(
        features,
        timing(image_ms),
        timing([view_ms / num_train]) if num_views > 0 else None,
        timing(text_ms),
    )


_timed: dict[tuple[object, ...], Extraction] = {}
