"""Frozen features of augmented views of the training images.

Each view has its own store, with the boxes of its objects. A view depends on its number, not on how many there
are: a trial with more views extracts only the additional ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
import torch
from torch import Tensor
from torch.nn.functional import pad

from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import Pixels
from cliprpn.data.views.sampling import VIEWS_VERSION
from cliprpn.data.views.training_views import ImageViews, TrainingImages
from cliprpn.data.views.wording import mirror_sentence
from cliprpn.features.feature_cache import FeatureCache, MadeFrom
from cliprpn.features.image_features import ReadBlock
from cliprpn.features.text_features import TextFeatures, TextRows, device_of, gather
from cliprpn.models.transfer import copy_together
from cliprpn.storage.array_store import ArraySpecs

# words, mask and pooled, as `TextFeatures.batch` returns them.
TextBatch = tuple[Tensor, Tensor, Tensor]

# Independent of the trial's seed: all trials use the same views, so that they are extracted once.
VIEWS_SEED = 0
# Stored with the maps: a row per object and per training sentence, grouped by image; and one per image.
EXTRA_ARRAYS: ArraySpecs = {"boxes": ((4,), np.float32), "fits": ((), np.bool_), "flipped": ((), np.bool_)}


@dataclass(frozen=True)
class ViewRows:
    """What a view replaces in a batch.

    Attributes:
        targets: [K], positions among the batch's maps that are replaced.
        maps: [K], their rows in the view's maps.
        text_targets: [M], positions whose sentences are replaced; M may be 0.
        text: their features; None if M is 0.
    """

    targets: Tensor
    maps: Tensor
    text_targets: Tensor
    text: TextRows | None


@dataclass
class ViewFeatures:
    """One view of every training image.

    Attributes:
        maps: [P, C, h, w], float16; a memory map, or a tensor on the device.
        map_rows: [num_images], each image's row in `maps`; -1 if it is not a training image.
        image_rows: [S], the image of each sentence.
        fits: [S], bool: whether the sentence stays true in the view of its image.
        flipped: [num_images], bool: whether the view mirrors the image.
        object_boxes: [num_objects, 4], float32, xyxy, pixels of the square: the index's objects in the view.
        object_rows: [S], row of each sentence's object in `object_boxes`.
        mirrored: shared by all views.
    """

    maps: np.ndarray | Tensor
    map_rows: np.ndarray
    image_rows: np.ndarray
    fits: np.ndarray
    flipped: np.ndarray
    object_boxes: Tensor
    object_rows: np.ndarray
    mirrored: MirroredText

    def gt_boxes(self, sentence_rows: np.ndarray) -> Tensor:
        """The sentences' objects in the view: [B, 4], float32, xyxy, pixels of the square."""
        return self.object_boxes[torch.from_numpy(self.object_rows[sentence_rows])]

    def find(self, sentence_rows: np.ndarray, of_maps: np.ndarray, padded_to: int = 1) -> ViewRows:
        """What the view replaces in a batch of these sentences: those that stay true in it.

        Args:
            sentence_rows: [B], rows of the index.
            of_maps: [M], a sentence for each map of the batch; equal to `sentence_rows` if none share a map.
            padded_to: as in `TextFeatures.find`.
        """
        targets = np.flatnonzero(self.fits[of_maps])
        image_rows = self.image_rows[sentence_rows]
        text_rows = self.mirrored.rows[sentence_rows]
        text_targets = np.flatnonzero(self.fits[sentence_rows] & self.flipped[image_rows] & (text_rows >= 0))
        return ViewRows(
            torch.from_numpy(targets),
            torch.from_numpy(self.map_rows[self.image_rows[of_maps[targets]]]),
            torch.from_numpy(text_targets),
            self.mirrored.text.find(torch.from_numpy(text_rows[text_targets]), padded_to)
            if len(text_targets)
            else None,
        )

    def copy_rows(self, batches: Sequence[ViewRows], device: torch.device) -> list[ViewRows]:
        """As `TextFeatures.copy_rows`."""
        targets = copy_together([batch.targets for batch in batches], device)
        maps = copy_together([batch.maps for batch in batches], device_of(self.maps))
        text_targets = copy_together([batch.text_targets for batch in batches], device)
        texts = [batch.text for batch in batches if batch.text is not None]
        copied = iter(self.mirrored.text.copy_rows(texts, device) if texts else [])
        text = [None if batch.text is None else next(copied) for batch in batches]
        return [ViewRows(*parts) for parts in zip(targets, maps, text_targets, text, strict=True)]

    def replace(self, rows: ViewRows, feature_map: Tensor, text: TextBatch) -> TextBatch:
        """Replaces the maps [B, C, h, w] in place; returns the text, in which sentences are replaced."""
        feature_map[rows.targets] = gather(self.maps, rows.maps, feature_map.device, feature_map.dtype)
        if rows.text is None:
            return text
        words, mask, pooled = text
        new_words, new_mask, new_pooled = self.mirrored.text.read(rows.text, words.device, words.dtype)
        length = max(words.shape[1], new_words.shape[1])
        words, new_words = (pad(part, (0, 0, 0, length - part.shape[1])) for part in (words, new_words))
        mask, new_mask = (pad(part, (0, length - part.shape[1])) for part in (mask, new_mask))
        targets = rows.text_targets
        words[targets], mask[targets], pooled[targets] = new_words, new_mask, new_pooled
        return words, mask, pooled


# Kind of the store of mirrored sentences.
MIRRORED = "mirrored"


@dataclass(frozen=True)
class MirroredText:
    """The sentences that change when their image is mirrored, with left and right exchanged.

    Attributes:
        rows: [S], each sentence's row in `text`; -1 if the sentence does not change.
    """

    text: TextFeatures
    rows: np.ndarray


def open_views(
    cache: FeatureCache,
    index: DatasetIndex,
    pixels: Pixels,
    maps_made_from: MadeFrom,
    text_made_from: MadeFrom,
    num_views: int,
) -> list[ViewFeatures]:
    """The first `num_views` views of every training image; none if the dataset has no training split.

    Args:
        maps_made_from, text_made_from: what the features of the original images and sentences depend on.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, weights_*.
    """
    if num_views == 0 or len(index.split("train")) == 0:
        return []
    images = TrainingImages(index)
    views = ImageViews(index, images, pixels, VIEWS_SEED)
    stores = [
        cache.open_maps(
            "view",
            view_made_from(maps_made_from, number),
            _make_block_reader(views, number),
            len(images.image_rows),
            pixels.image_size_px,
            _make_namer(views, number),
            EXTRA_ARRAYS,
        )
        for number in range(1, num_views + 1)
    ]
    texts, mirrored_rows = mirrored_sentences(index, images)
    text = cache.open_text(MIRRORED, mirrored_made_from(text_made_from), lambda: texts)
    mirrored_text = MirroredText(TextFeatures(text), mirrored_rows)
    return [_by_index_rows(index, images, arrays, mirrored_text) for arrays in stores]


def view_made_from(maps_made_from: MadeFrom, number: int) -> MadeFrom:
    """What a view depends on.

    Args:
        maps_made_from: what the feature maps of the original images depend on.
        number: of the view; numbers start at 1.
    """
    return {**maps_made_from, "views": VIEWS_VERSION, "seed": VIEWS_SEED, "number": number}


def mirrored_made_from(text_made_from: MadeFrom) -> MadeFrom:
    """What the features of mirrored sentences depend on; those of all views are the same."""
    return {**text_made_from, "views": VIEWS_VERSION}


def _make_block_reader(views: ImageViews, number: int) -> ReadBlock:
    """Returns a function that renders a view of some images."""

    def read(start: int, end: int) -> tuple[Tensor, dict[str, np.ndarray]]:
        rendered = [views.render(position, views.sample(position, number)) for position in range(start, end)]
        rows = {
            "boxes": torch.cat([view.boxes for view in rendered]).numpy(),
            "fits": np.concatenate([view.fits for view in rendered]),
            "flipped": np.array([view.flipped for view in rendered]),
        }
        return torch.stack([view.pixels for view in rendered]), rows

    return read


def _make_namer(views: ImageViews, number: int) -> Callable[[int], str]:
    """Returns a function that names a view of an image in errors."""
    return lambda position: f"view {number} of {views.name_of(position)}"


def _by_index_rows(
    index: DatasetIndex,
    images: TrainingImages,
    arrays: dict[str, np.ndarray],
    mirrored_text: MirroredText,
) -> ViewFeatures:
    """Reorders a store's arrays, which are grouped by image, by the index's rows."""
    map_rows = np.full(index.images.num_rows, -1, dtype=np.int64)
    map_rows[images.image_rows] = np.arange(len(images.image_rows))
    flipped = np.zeros(index.images.num_rows, dtype=np.bool_)
    flipped[images.image_rows] = arrays["flipped"]
    fits = np.zeros(len(index.image_rows), dtype=np.bool_)
    fits[images.sentence_rows] = arrays["fits"]
    boxes = np.zeros((index.objects.num_rows, 4), dtype=np.float32)
    boxes[images.object_rows] = arrays["boxes"]
    object_rows = pc.index_in(index.sentences["ann_id"], value_set=index.objects["ann_id"].combine_chunks())
    return ViewFeatures(
        arrays["maps"],
        map_rows,
        index.image_rows,
        fits,
        flipped,
        torch.from_numpy(boxes),
        object_rows.to_numpy(),
        mirrored_text,
    )


def mirrored_sentences(index: DatasetIndex, images: TrainingImages) -> tuple[list[str], np.ndarray]:
    """The training sentences that mirroring changes, mirrored; and [S], each sentence's row there, or -1."""
    rows = np.sort(images.sentence_rows)
    texts = index.sentences["sentence"].take(rows).to_pylist()
    pairs = zip(rows, texts, strict=True)
    changed = [(row, new) for row, old in pairs if (new := mirror_sentence(old)) != old]
    text_rows = np.full(len(index.image_rows), -1, dtype=np.int64)
    text_rows[[row for row, _ in changed]] = np.arange(len(changed))
    return [text for _, text in changed], text_rows
