"""Opens a dataset's frozen features, and extracts the missing ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cliprpn.arithmetic import arithmetic_key
from cliprpn.contract.generated import TrialBackbone, TrialDataset
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.pixels import Pixels, open_pixels_for
from cliprpn.features.feature_cache import FeatureCache, MadeFrom
from cliprpn.features.text_features import TextFeatures, TextRows, copy_to_device, device_of, gather
from cliprpn.features.view_features import ViewFeatures, ViewRows, open_views
from cliprpn.models.backbone import ClipBackbone
from cliprpn.models.transfer import copy_together
from cliprpn.run_context import RunContext
from cliprpn.storage.weights_files import load_backbone

# Maps per sentence of a batch above which sharing them is not worth the copies that it needs.
MAX_SHARED_MAPS = 0.75


def may_share(device: torch.device) -> bool:
    """Whether sentences of a batch may share maps: an accelerator is faster with batches that all have one shape."""
    return device.type == "cpu"


@dataclass(frozen=True)
class BatchRows:
    """Where the features of a batch are; found on the CPU, and copied for many batches at once.

    Attributes:
        maps: [B], int64; or [M], if sentences share maps.
        view_number: as in `FrozenFeatures.batch`.
        view: what the view replaces; None for the original images.
        map_of: [B], int64, positions in `maps`; None if sentences share no maps.
    """

    maps: Tensor
    text: TextRows
    view_number: int
    view: ViewRows | None
    map_of: Tensor | None


@dataclass
class FrozenFeatures:
    """Feature maps of all images and text features of all sentences of a dataset.

    Attributes:
        maps: [num_images, C, h, w], float16; a memory map, or a tensor on the device.
        image_rows: [S], the image of each sentence; sentences of one image share a map.
        frames: [num_images, 4], float64; map each image's boxes to the square that CLIP was given (see geometry.py).
        image_size_px: side of that square.
        views: augmented views of the training images; as many as were requested.
    """

    maps: np.ndarray | Tensor
    text: TextFeatures
    image_rows: np.ndarray
    frames: Tensor
    image_size_px: int
    views: list[ViewFeatures]

    @property
    def map_channels(self) -> int:
        """C, the channels of a feature map."""
        return self.maps.shape[1]

    @property
    def pooled_dim(self) -> int:
        """Dp, the size of a sentence embedding."""
        return self.text.pooled.shape[1]

    @property
    def word_dim(self) -> int:
        """Dw, the size of a token's features."""
        return self.text.words.shape[1]

    def batch(
        self, sentence_rows: np.ndarray, device: torch.device, blank: bool = False, view: int = 0
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A model's inputs for these sentences, float32 on the device.

        Args:
            sentence_rows: [B], rows of the index.
            blank: replaces each sentence by the empty one.
            view: number of the augmented view, used for sentences that stay true in it; 0 for the original images.

        Returns:
            feature_map [B, C, h, w]; words [B, L, Dw]; mask [B, L], True for tokens; pooled [B, Dp].
        """
        (rows,) = self.find([sentence_rows], device, blank, view)
        feature_map, words, mask, pooled = self.read(rows, device)
        return feature_map, words, mask, pooled

    def shared_batch(
        self, sentence_rows: np.ndarray, device: torch.device, blank: bool = False
    ) -> tuple[Tensor, ...]:
        """Like `batch`, but sentences of an image may share a map, where that is faster: then `map_of` follows."""
        (rows,) = self.find([sentence_rows], device, blank, share=may_share(device))
        return self.read(rows, device)

    def find(
        self,
        batches: Sequence[np.ndarray],
        device: torch.device,
        blank: bool = False,
        view: int = 0,
        share: bool = False,
        padded_to: int = 1,
    ) -> list[BatchRows]:
        """Where the features of some batches are, for `read` on this device.

        Args:
            batches, device, blank, view: as in `batch`.
            share: whether sentences of an image may share a map, where that is faster.
            padded_to: as in `TextFeatures.find`.
        """
        rows = [torch.from_numpy(batch) for batch in batches]
        texts = [
            self.text.find(torch.full_like(rows_i, self.text.blank_row) if blank else rows_i, padded_to)
            for rows_i in rows
        ]
        shared = [self._share(batch, view) if share else (batch, None) for batch in batches]
        views: list[ViewRows | None] = [None] * len(batches)
        if view > 0:
            found = [
                self.view(view).find(batch, of_maps, padded_to)
                for batch, (of_maps, _) in zip(batches, shared, strict=True)
            ]
            views = [*self.view(view).copy_rows(found, device)]
        maps = [torch.from_numpy(self.image_rows[of_maps]) for of_maps, _ in shared]
        return [
            BatchRows(maps_i, text, view, view_rows, map_of)
            for maps_i, text, view_rows, (_, map_of) in zip(
                copy_together(maps, device_of(self.maps)),
                self.text.copy_rows(texts, device),
                views,
                shared,
                strict=True,
            )
        ]

    def _share(self, batch: np.ndarray, view: int) -> tuple[np.ndarray, Tensor | None]:
        """A sentence of each map, and the map of each sentence; None if sharing would not pay off.

        Args:
            batch: [B], rows of the index.
        """
        key = self.image_rows[batch]
        if view > 0:  # Sentences that stay true in the view have another map than the others.
            key = 2 * key + self.view(view).fits[batch]
        _, first, map_of = np.unique(key, return_index=True, return_inverse=True)
        if len(first) > MAX_SHARED_MAPS * len(batch):
            return batch, None
        return batch[first], torch.from_numpy(map_of)

    def read(
        self, rows: BatchRows, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> tuple[Tensor, ...]:
        """What `batch` returns, for rows that `find` returned; then `map_of`, if sentences share maps.

        Args:
            dtype: of all but the mask and `map_of`.
        """
        text = self.text.read(rows.text, device, dtype)
        feature_map = gather(self.maps, rows.maps, device, dtype)
        if rows.view is not None:
            text = self.view(rows.view_number).replace(rows.view, feature_map, text)
        return (feature_map, *text) if rows.map_of is None else (feature_map, *text, rows.map_of)

    def view(self, number: int) -> ViewFeatures:
        """An augmented view of the training images; numbers start at 1."""
        return self.views[number - 1]

    def frames_of(self, sentence_rows: np.ndarray) -> Tensor:
        """The frame of each sentence's image: [B, 4], float64."""
        return self.frames[torch.from_numpy(self.image_rows[sentence_rows])]

    def zoom(self, frame_size_px: int) -> float:
        """Pixels of a model's frame per pixel of the square that CLIP was given."""
        return frame_size_px / self.image_size_px

    def move_to(self, device: torch.device) -> None:
        """Moves arrays to a CUDA device, each if it needs less than half of the free memory there; text first."""
        if device.type != "cuda":
            return
        # Views share their text.
        for text in [self.text, *(view.mirrored.text for view in self.views[:1])]:
            if _fits(text.num_bytes, device):
                text.move_to(device)
        parts: list[FrozenFeatures | ViewFeatures] = [self, *self.views]
        for part in parts:
            if isinstance(part.maps, np.ndarray) and _fits(part.maps.nbytes, device):
                part.maps = copy_to_device(part.maps, device)


def _fits(num_bytes: int, device: torch.device) -> bool:
    """Whether an array leaves half of a CUDA device's free memory to models and batches."""
    free, _ = torch.cuda.mem_get_info(device)
    return num_bytes < free / 2


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
        open_pixels_for(index.images, root, image_size_px, resize),
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
    """The features of every image and sentence of the dataset.

    Missing features are extracted once, under a lock; other processes wait and then share them. Maps are identified
    by the weights, the dataset and its prepared images; text by the weights and the dataset; both by the kind of device
    that computed them. They stay open, so that
    the next trial in this process need not open them again.

    Args:
        load_backbone: called at most once, and only if features are missing.
        weights_id: expected id of the loaded weights.
        num_views: augmented views of every training image.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, weights_*.
    """
    maps_made_from, text_made_from = features_made_from(index, pixels, weights_id, context.device)
    cache = FeatureCache(context.cache_dir / "features", load_backbone, weights_id, context)
    key = (
        cache.folder("maps", maps_made_from),
        cache.folder("text", text_made_from),
        str(context.device),
        num_views,
    )
    if key in _opened:
        return _opened[key]
    _opened.clear()  # A worker needs one dataset at a time.

    pixel_rows = index.images["pixel_row"].to_numpy().copy()
    maps = cache.open_maps(
        "maps",
        maps_made_from,
        lambda start, end: (pixels.batch(pixel_rows[start:end]), {}),
        len(pixel_rows),
        pixels.image_size_px,
        lambda row: pixels.file_names[pixel_rows[row]],
    )
    text = cache.open_text("text", text_made_from, index.texts)
    features = FrozenFeatures(
        maps["maps"],
        TextFeatures(text),
        index.image_rows,
        pixels.frames[torch.from_numpy(pixel_rows)],
        pixels.image_size_px,
        open_views(cache, index, pixels, maps_made_from, text_made_from, num_views),
    )
    features.move_to(context.device)
    _opened[key] = features
    return features


def open_tensors() -> list[Tensor]:
    """The tensors of the features that stay open for the next trial; memory maps are none."""
    parts = [
        part
        for features in _opened.values()
        for text in [features.text, *(view.mirrored.text for view in features.views)]
        for part in (features.maps, *(view.maps for view in features.views), text.pooled, text.words)
    ]
    return [*{id(part): part for part in parts if isinstance(part, Tensor)}.values()]


def features_made_from(
    index: DatasetIndex, pixels: Pixels, weights_id: str, device: torch.device
) -> tuple[MadeFrom, MadeFrom]:
    """What the feature maps and the text features of a dataset depend on."""
    arithmetic = arithmetic_key(device)
    maps: MadeFrom = {
        "dataset_id": index.dataset_id,
        "pixels_id": pixels.pixels_id,
        "weights_id": weights_id,
        **arithmetic,
    }
    text: MadeFrom = {
        "dataset_id": index.dataset_id,
        "weights_id": weights_id,
        "text": TEXT_VERSION,
        **arithmetic,
    }
    return maps, text


# Part of the key of text features: change it whenever the features of the same sentence change.
TEXT_VERSION = "openai-bpe-1"
_opened: dict[tuple[Path, Path, str, int], FrozenFeatures] = {}
