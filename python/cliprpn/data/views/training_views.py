"""Augmented views of the training images, with their boxes and the sentences that stay true."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow.compute as pc
import torch
from torch import Tensor

from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import Pixels
from cliprpn.data.views.augmentation import Augmentation, augment_boxes, augment_pixels
from cliprpn.data.views.sampling import sample_augmentation
from cliprpn.data.views.wording import permitted_changes
from cliprpn.geometry import to_frame


@dataclass(frozen=True)
class RenderedView:
    """A view of one image.

    Attributes:
        pixels: [3, S, S], uint8, RGB.
        boxes: [num_objects, 4], float32, xyxy, pixels of the square: all objects, in the dataset's order.
        fits: [num_sentences], bool: whether each training sentence of the image stays true, in the dataset's order.
        flipped: whether the view is mirrored, so that left and right must be exchanged in the sentences.
    """

    pixels: Tensor
    boxes: Tensor
    fits: np.ndarray
    flipped: bool


class TrainingImages:
    """The images of the training sentences.

    Attributes:
        image_rows: [P], rows of the index's images, in the index's order.
        sentence_rows: rows of the training sentences, grouped by image.
        object_rows: rows of the images' objects, grouped by image.
    """

    def __init__(self, index: DatasetIndex) -> None:
        train = index.split("train")
        image_ids = index.images["image_id"].combine_chunks()
        images_of_objects = pc.index_in(index.objects["image_id"], value_set=image_ids).to_numpy()
        self.image_rows = np.unique(index.image_rows[train])
        self.sentence_rows, self._sentence_starts = _group(train, index.image_rows[train], self.image_rows)
        objects = np.flatnonzero(np.isin(images_of_objects, self.image_rows))
        self.object_rows, self._object_starts = _group(objects, images_of_objects[objects], self.image_rows)

    def sentences_of(self, position: int) -> np.ndarray:
        """Rows of the training sentences of the image at `position` in `image_rows`."""
        return self.sentence_rows[self._sentence_starts[position] : self._sentence_starts[position + 1]]

    def objects_of(self, position: int) -> np.ndarray:
        """Rows of the objects in the image at `position` in `image_rows`."""
        return self.object_rows[self._object_starts[position] : self._object_starts[position + 1]]


class ImageViews:
    """Samples and renders the views of training images.

    Args:
        seed: seed of the views, not of a trial; all trials share the views.
    """

    def __init__(self, index: DatasetIndex, images: TrainingImages, pixels: Pixels, seed: int) -> None:
        self._index = index
        self._images = images
        self._pixels = pixels
        self._seed = seed
        self._pixel_rows = index.images["pixel_row"].to_numpy()

    def sample(self, position: int, number: int) -> Augmentation:
        """The augmentation of view `number` of the image at `position`."""
        sentences = self._images.sentences_of(position)
        objects = self._images.objects_of(position)
        referred = np.isin(self._ann_ids[objects], self._sentence_ann_ids[sentences])
        categories = self._categories[objects]
        keep = referred | (np.isin(categories, categories[referred]) & (categories != ""))
        return sample_augmentation(
            self._seed,
            self.name_of(position),
            number,
            [self._permitted[row] for row in sentences.tolist()],
            self._boxes(position)[torch.from_numpy(keep)],
            self._pixels.image_size_px,
        )

    def render(self, position: int, augmentation: Augmentation) -> RenderedView:
        """A view of the image at `position`."""
        row = self._pixel_rows[self._images.image_rows[position]]
        changes = augmentation.changes
        fits = [
            changes <= self._permitted[sentence_row]
            for sentence_row in self._images.sentences_of(position).tolist()
        ]
        return RenderedView(
            augment_pixels(self._pixels.batch(np.array([row]))[0], augmentation),
            augment_boxes(self._boxes(position), augmentation),
            # A view without changes equals the original image, so it is not used.
            np.array(fits, dtype=np.bool_) & bool(changes),
            augmentation.flip,
        )

    def name_of(self, position: int) -> str:
        """File name of the image at `position`."""
        return self._file_names[self._images.image_rows[position]]

    def _boxes(self, position: int) -> Tensor:
        """The image's objects in the prepared square: [N, 4], float32, xyxy, pixels."""
        boxes = torch.from_numpy(self._object_boxes[self._images.objects_of(position)])
        frame = self._pixels.frames[self._pixel_rows[self._images.image_rows[position]]]
        return to_frame(boxes, frame.expand(len(boxes), 4), 1.0).float()

    @cached_property
    def _permitted(self) -> dict[int, frozenset]:
        """The changes that keep each training sentence true, by its row."""
        texts = self._index.sentences["sentence"].take(self._images.sentence_rows).to_pylist()
        return dict(zip(self._images.sentence_rows.tolist(), map(permitted_changes, texts), strict=True))

    @cached_property
    def _file_names(self) -> list[str]:
        return self._index.images["file_name"].to_pylist()

    @cached_property
    def _object_boxes(self) -> np.ndarray:
        return pc.list_flatten(self._index.objects["box_xyxy"]).to_numpy().reshape(-1, 4)

    @cached_property
    def _ann_ids(self) -> np.ndarray:
        return self._index.objects["ann_id"].to_numpy()

    @cached_property
    def _sentence_ann_ids(self) -> np.ndarray:
        return self._index.sentences["ann_id"].to_numpy()

    @cached_property
    def _categories(self) -> np.ndarray:
        """Category of each object, by row; "" if unknown."""
        return pc.fill_null(self._index.objects["category"], "").to_numpy().astype(str)


def _group(rows: np.ndarray, groups: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows grouped in this order of groups, and the start of each group: [N], [G + 1]."""
    positions = np.searchsorted(order, groups)
    counts = np.bincount(positions, minlength=len(order))
    return rows[np.argsort(positions, kind="stable")], np.concatenate([[0], np.cumsum(counts)])
