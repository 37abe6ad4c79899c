"""Opens a data set's frozen features, extracting what is missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from cliprpn.data.images import PREPROCESSING_VERSION
from cliprpn.data.index import DatasetIndex
from cliprpn.features.image_store import extract_maps, open_maps
from cliprpn.features.lock import file_lock
from cliprpn.features.text_store import TextFeatures, extract_text
from cliprpn.models.backbone import ClipBackbone

Phase = Literal["image_features", "text_features"]


@dataclass
class FrozenFeatures:
    """Maps of all pictures and vectors of all sentences of a data set.

    Attributes:
        maps: [num_images, C, h, w], float16; a memory map, or a tensor on the device.
    """

    maps: np.ndarray | Tensor
    text: TextFeatures
    image_rows: np.ndarray

    @property
    def map_channels(self) -> int:
        return self.maps.shape[1]

    @property
    def grid_size(self) -> int:
        return self.maps.shape[2]

    @property
    def pooled_dim(self) -> int:
        return self.text.pooled.shape[1]

    @property
    def word_dim(self) -> int:
        return self.text.words.shape[1]

    def batch(
        self, sentence_rows: np.ndarray, device: torch.device, blank: bool = False
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What a model takes for these sentences: map, words, mask, pooled, float32 on the device.

        Args:
            sentence_rows: [B], rows of the index.
            blank: the empty sentence in place of each.
        """
        rows = torch.from_numpy(sentence_rows)
        text_rows = torch.full_like(rows, self.text.blank_row) if blank else rows
        words, mask, pooled = self.text.batch(text_rows)
        at = self.image_rows[sentence_rows]
        if isinstance(self.maps, Tensor):
            map = self.maps[torch.from_numpy(at).to(self.maps.device)].float()
        else:
            map = torch.from_numpy(self.maps[at]).to(device).float()
        return map, words.to(device), mask.to(device), pooled.to(device)

    def keep_on(self, device: torch.device) -> None:
        """Moves all maps to an accelerator, where they take at most half of what is free."""
        if device.type != "cuda" or isinstance(self.maps, Tensor):
            return
        free, _ = torch.cuda.mem_get_info(device)
        if self.maps.nbytes < free / 2:
            self.maps = torch.from_numpy(np.ascontiguousarray(self.maps)).to(device)


_opened: dict[Path, FrozenFeatures] = {}


def open_features(
    index: DatasetIndex,
    load_backbone: Callable[[], ClipBackbone],
    weights_id: str,
    image_size_px: int,
    cache_dir: Path,
    device: torch.device,
    on_progress: Callable[[Phase, int, int], None],
    on_wait: Callable[[], None],
    should_stop: Callable[[], bool],
) -> FrozenFeatures:
    """The features of every picture and sentence of the data set.

    Extracted once per weights, preprocessing, size and data set, under a lock; other processes wait and
    then share them. A second trial in one process opens them in no time.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, weights_*.
    """
    folder = cache_dir / "features" / features_key(index.dataset_id, weights_id, image_size_px)
    known = _opened.get(folder)
    if known is not None:
        return known
    folder.mkdir(parents=True, exist_ok=True)
    text_file = folder / "text.safetensors"
    maps = open_maps(folder)
    if maps is None or not text_file.is_file():
        with file_lock(folder / "lock", on_wait, should_stop):
            maps = open_maps(folder)
            if maps is None or not text_file.is_file():
                backbone = load_backbone()
                if maps is None:
                    extract_maps(
                        folder,
                        index,
                        backbone,
                        image_size_px,
                        device,
                        lambda done, total: on_progress("image_features", done, total),
                        should_stop,
                    )
                extract_text(
                    text_file,
                    index.texts(),
                    backbone,
                    device,
                    lambda done, total: on_progress("text_features", done, total),
                    should_stop,
                )
                maps = open_maps(folder)
    assert maps is not None
    features = FrozenFeatures(maps, TextFeatures(text_file), index.image_rows)
    features.keep_on(device)
    _opened.clear()  # One data set at a time is enough for a worker.
    _opened[folder] = features
    return features


def features_key(dataset_id: str, weights_id: str, image_size_px: int) -> str:
    """Names the features by everything that they depend on."""
    parts = {
        "dataset": dataset_id,
        "weights": weights_id,
        "preprocessing": PREPROCESSING_VERSION,
        "image_size_px": image_size_px,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]
