"""Opens a data set's frozen features, extracting what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cliprpn.contract.generated import TrialBackbone, TrialDataset
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.pixels import Pixels, open_pixels_of
from cliprpn.features.opening import Facts, Opening
from cliprpn.features.text_store import TextFeatures, gather, on_device
from cliprpn.features.view_store import open_views
from cliprpn.features.views import ViewFeatures
from cliprpn.models.backbone import ClipBackbone
from cliprpn.run_context import RunContext
from cliprpn.storage.weights_files import load_backbone


@dataclass
class FrozenFeatures:
    """Maps of all images and vectors of all sentences of a data set.

    Attributes:
        maps: [num_images, C, h, w], float16; a memory map, or a tensor on the device.
        image_rows: [S], the image of each sentence; sentences of one image share a map.
        frames: [num_images, 4], float64: how each image's boxes move to the square that CLIP saw (geometry.py).
        image_size_px: the square's side.
        views: of the training images, as many as were asked for.
    """

    maps: np.ndarray | Tensor
    text: TextFeatures
    image_rows: np.ndarray
    frames: Tensor
    image_size_px: int
    views: list[ViewFeatures]

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
        self, sentence_rows: np.ndarray, device: torch.device, blank: bool = False, view: int = 0
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What a model takes for these sentences, float32 on the device.

        Args:
            sentence_rows: [B], rows of the index.
            blank: the empty sentence in place of each.
            view: which view of their images, where they fit it; 0 for the images themselves.

        Returns:
            map [B, C, h, w]; words [B, L, Dw]; mask [B, L], True where there is a token; pooled [B, Dp].
        """
        rows = torch.from_numpy(sentence_rows)
        text_rows = torch.full_like(rows, self.text.blank_row) if blank else rows
        text = self.text.batch(text_rows, device)
        maps = gather(self.maps, torch.from_numpy(self.image_rows[sentence_rows]), device)
        if view > 0:
            shown = self.view(view)
            shown.put_maps(maps, sentence_rows)
            text = shown.mirrored.put(text, sentence_rows, shown.read_mirrored(sentence_rows))
        return maps, *text

    def view(self, number: int) -> ViewFeatures:
        """A view of the training images, from 1."""
        return self.views[number - 1]

    def frames_of(self, sentence_rows: np.ndarray) -> Tensor:
        """The frame of each sentence's image: [B, 4], float64."""
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
            self.maps = on_device(self.maps, device)
        for view in self.views:
            free, _ = torch.cuda.mem_get_info(device)
            if view.num_bytes < free / 2:
                view.keep_on(device)


def open_data(
    dataset: TrialDataset,
    backbone: TrialBackbone,
    image_size_px: int,
    resize: str,
    context: RunContext,
    num_views: int = 0,
) -> tuple[DatasetIndex, FrozenFeatures]:
    """A dataset's index and its frozen features.

    Args:
        num_views: augmented views of the training images, for training only.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, weights_*.
    """
    root = Path(dataset.root)
    index = open_dataset(root, dataset.id)
    features = open_features(
        index,
        open_pixels_of(index.images, root, image_size_px, resize),
        lambda: load_backbone(backbone.name, backbone.weights),
        backbone.weights_id,
        context,
        num_views,
    )
    return index, features


def open_features(
    index: DatasetIndex,
    pixels: Pixels,
    load_backbone: Callable[[], ClipBackbone],
    weights_id: str,
    context: RunContext,
    num_views: int = 0,
) -> FrozenFeatures:
    """The features of every image and sentence of the data set.

    Extracted once, under a lock; other processes wait and then share them. Maps are known by the weights,
    the data set and its prepared images; text by the weights and the data set. A second trial in
    one process opens them in no time.

    Args:
        load_backbone: called once, and only when something is missing.
        weights_id: what the loaded backbone must call its weights.
        num_views: augmented views of every training image.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, weights_*.
    """
    text_facts: Facts = {"dataset_id": index.dataset_id, "weights_id": weights_id, "text": TEXT_VERSION}
    map_facts: Facts = {
        "dataset_id": index.dataset_id,
        "pixels_id": pixels.pixels_id,
        "weights_id": weights_id,
    }
    opening = Opening(context.cache_dir / "features", load_backbone, weights_id, context)
    place = (
        opening.place("maps", map_facts),
        opening.place("text", text_facts),
        str(context.device),
        num_views,
    )
    if place in _opened:
        return _opened[place]
    _opened.clear()  # One data set at a time is enough for a worker.

    pixel_rows = index.images["pixel_row"].to_numpy().copy()
    maps = opening.maps(
        "maps",
        map_facts,
        lambda start, end: (pixels.batch(pixel_rows[start:end]), {}),
        len(pixel_rows),
        pixels.image_size_px,
    )
    text = opening.text("text", text_facts, index.texts)
    features = FrozenFeatures(
        maps["maps"],
        TextFeatures(text),
        index.image_rows,
        pixels.frames[torch.from_numpy(pixel_rows)],
        pixels.image_size_px,
        open_views(opening, index, pixels, map_facts, text_facts, num_views),
    )
    features.keep_on(context.device)
    _opened[place] = features
    return features


# Part of the text's key: change it whenever the same sentence would give other vectors.
TEXT_VERSION = "openai-bpe-1"
_opened: dict[tuple[Path, Path, str, int], FrozenFeatures] = {}
