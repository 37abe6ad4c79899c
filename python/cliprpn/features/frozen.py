"""Opens a data set's frozen features, extracting what is missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import Pixels
from cliprpn.errors import CliprpnError
from cliprpn.features.image_store import extract_maps
from cliprpn.features.lock import file_lock
from cliprpn.features.store import open_store
from cliprpn.features.text_store import TextFeatures, extract_text, gather
from cliprpn.models.backbone import ClipBackbone

Phase = Literal["image_features", "text_features"]
Facts = dict[str, object]
Arrays = dict[str, np.ndarray]


@dataclass
class FrozenFeatures:
    """Maps of all pictures and vectors of all sentences of a data set.

    Attributes:
        maps: [num_images, C, h, w], float16; a memory map, or a tensor on the device.
        image_rows: [S], the picture of each sentence; sentences of one picture share a map.
        frames: [num_images, 4], float64: how each picture's boxes move to the square that CLIP saw (geometry.py).
        image_size_px: the square's side.
    """

    maps: np.ndarray | Tensor
    text: TextFeatures
    image_rows: np.ndarray
    frames: Tensor
    image_size_px: int

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
        """What a model takes for these sentences, float32 on the device.

        Args:
            sentence_rows: [B], rows of the index.
            blank: the empty sentence in place of each.

        Returns:
            map [B, C, h, w]; words [B, L, Dw]; mask [B, L], True where there is a token; pooled [B, Dp].
        """
        rows = torch.from_numpy(sentence_rows)
        text_rows = torch.full_like(rows, self.text.blank_row) if blank else rows
        words, mask, pooled = self.text.batch(text_rows, device)
        image_rows = torch.from_numpy(self.image_rows[sentence_rows])
        return gather(self.maps, image_rows, device), words, mask, pooled

    def frames_of(self, sentence_rows: np.ndarray) -> Tensor:
        """The frame of each sentence's picture: [B, 4], float64."""
        return self.frames[torch.from_numpy(self.image_rows[sentence_rows])]

    def zoom(self, frame_size_px: int) -> float:
        """Pixels of a model's frame per pixel of the square that CLIP saw."""
        return frame_size_px / self.image_size_px

    def keep_on(self, device: torch.device) -> None:
        """Moves everything to a CUDA device, where it takes at most half of the memory that is free."""
        if device.type != "cuda" or isinstance(self.maps, Tensor):
            return
        free, _ = torch.cuda.mem_get_info(device)
        if self.maps.nbytes + self.text.num_bytes < free / 2:
            self.text.keep_on(device)
            maps = torch.empty(self.maps.shape, dtype=torch.float16, device=device)
            # In parts, so that the machine's own memory is not filled.
            for start in range(0, len(maps), 256):
                part = np.array(self.maps[start : start + 256])
                maps[start : start + 256] = torch.from_numpy(part).to(device)
            self.maps = maps


def open_features(
    index: DatasetIndex,
    pixels: Pixels,
    load_backbone: Callable[[], ClipBackbone],
    weights_id: str,
    cache_dir: Path,
    device: torch.device,
    on_progress: Callable[[Phase, int, int], None],
    on_wait: Callable[[], None],
    should_stop: Callable[[], bool],
) -> FrozenFeatures:
    """The features of every picture and sentence of the data set.

    Extracted once, under a lock; other processes wait and then share them. Maps are known by the weights,
    the data set and its prepared pictures; text by the weights and the data set. A second trial in
    one process opens them in no time.

    Args:
        load_backbone: called once, and only when something is missing.
        weights_id: what the loaded backbone must call its weights.
        on_progress: phase, how many are done, of how many.
        on_wait: called once when another process is extracting.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, weights_*.
    """
    text_facts: Facts = {"dataset_id": index.dataset_id, "weights_id": weights_id, "text": TEXT_VERSION}
    map_facts: Facts = {
        "dataset_id": index.dataset_id,
        "pixels_id": pixels.pixels_id,
        "weights_id": weights_id,
    }
    root = cache_dir / "features"
    map_folder, text_folder = root / f"maps-{_key(map_facts)}", root / f"text-{_key(text_facts)}"
    place = (map_folder, text_folder, str(device))
    if place in _opened:
        return _opened[place]
    _opened.clear()  # One data set at a time is enough for a worker.

    backbone = cache(lambda: _expected(load_backbone(), weights_id))
    opened = partial(_open_or_extract, on_wait=on_wait, should_stop=should_stop)
    pixel_rows = index.images["pixel_row"].to_numpy()
    maps = opened(
        map_folder,
        lambda: extract_maps(
            map_folder,
            pixels,
            pixel_rows,
            backbone(),
            device,
            map_facts,
            partial(on_progress, "image_features"),
            should_stop,
        ),
    )
    text = opened(
        text_folder,
        lambda: extract_text(
            text_folder,
            index.texts(),
            backbone(),
            device,
            text_facts,
            partial(on_progress, "text_features"),
            should_stop,
        ),
    )
    features = FrozenFeatures(
        maps["maps"],
        TextFeatures(text),
        index.image_rows,
        pixels.frames[torch.from_numpy(pixel_rows)],
        pixels.image_size_px,
    )
    features.keep_on(device)
    _opened[place] = features
    return features


# Part of the text's key: change it whenever the same sentence would give other vectors.
TEXT_VERSION = "openai-bpe-1"
_opened: dict[tuple[Path, Path, str], FrozenFeatures] = {}


def _open_or_extract(
    folder: Path,
    extract: Callable[[], None],
    on_wait: Callable[[], None],
    should_stop: Callable[[], bool],
) -> Arrays:
    """The store's arrays; extracts them first where another process has not."""
    arrays = open_store(folder)
    if arrays is not None:
        return arrays
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder / "lock", on_wait, should_stop):
        arrays = open_store(folder)
        if arrays is None:
            extract()
            arrays = open_store(folder)
    assert arrays is not None
    return arrays


def _expected(backbone: ClipBackbone, weights_id: str) -> ClipBackbone:
    """The backbone, if its weights are the ones that the features are named after."""
    if backbone.weights_id != weights_id:
        raise CliprpnError(
            "weights_mismatch",
            f"the backbone's weights have changed since the trial was planned: expected {weights_id}, "
            f"found {backbone.weights_id}; start again",
        )
    return backbone


def _key(facts: Facts) -> str:
    """Names a store by everything that it depends on."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]
