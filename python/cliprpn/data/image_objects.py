"""The other objects in the image of each sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from cliprpn.data.index import DatasetIndex


@dataclass(frozen=True)
class OtherObjects:
    """All objects of each sentence's image except the one it refers to.

    Attributes:
        rows: [B, M], int64, rows of the index's objects.
        boxes: [B, M, 4], float64, xyxy, pixels of the original image; M is at least the largest count in the batch.
        categories: [B, M], int64, indices into `ImageObjects.category_names`.
        mask: [B, M], True for objects, False for padding.
        same_category: [B, M], True if its category is that of the sentence's object.
    """

    rows: NDArray[np.int64]
    boxes: NDArray[np.float64]
    categories: NDArray[np.int64]
    mask: NDArray[np.bool_]
    same_category: NDArray[np.bool_]


class ImageObjects:
    """A dataset's objects, grouped by image."""

    def __init__(self, index: DatasetIndex) -> None:
        objects = index.objects
        image_rows = pc.index_in(
            objects["image_id"], value_set=index.images["image_id"].combine_chunks()
        ).to_numpy()
        order = np.argsort(image_rows, kind="stable")
        names = pc.fill_null(objects["category"], "")
        category_names, codes = np.unique(names.to_numpy().astype(str), return_inverse=True)
        boxes = pc.list_flatten(objects["box_xyxy"]).to_numpy().reshape(-1, 4)
        self.category_names: list[str] = category_names.tolist()
        self._order = order
        self._boxes = boxes[order]
        self._codes = codes[order].astype(np.int64)
        self._ann_ids = objects["ann_id"].to_numpy()[order]
        self._counts = np.bincount(image_rows, minlength=index.images.num_rows)
        self._starts = np.cumsum(self._counts) - self._counts
        self._image_rows = index.image_rows
        self._sentence_ann_ids = index.sentences["ann_id"].to_numpy()
        code_of = dict(zip(objects["ann_id"].to_pylist(), codes.tolist(), strict=True))
        self._sentence_codes = np.array(
            [code_of.get(ann_id, -1) for ann_id in self._sentence_ann_ids.tolist()]
        )
        self._sentence_has_category = category_names[self._sentence_codes] != ""

    def others(self, sentence_rows: np.ndarray, padded_to: int = 1) -> OtherObjects:
        """The other objects in the images of these sentences.

        Args:
            sentence_rows: [B], rows of the index.
            padded_to: M is a multiple of it, so that fewer sizes occur.
        """
        image_rows = self._image_rows[sentence_rows]
        most = max(1, int(self._counts[image_rows].max(initial=0)))
        steps = np.arange(-(-most // padded_to) * padded_to)
        in_image = steps < self._counts[image_rows][:, None]  # [B, M]
        positions = np.where(in_image, self._starts[image_rows][:, None] + steps, 0)
        mask = in_image & (self._ann_ids[positions] != self._sentence_ann_ids[sentence_rows][:, None])
        # If the object's category is unknown, no other object is known to have the same.
        has_category = self._sentence_has_category[sentence_rows][:, None]
        same = mask & (self._codes[positions] == self._sentence_codes[sentence_rows][:, None]) & has_category
        return OtherObjects(
            self._order[positions], self._boxes[positions], self._codes[positions], mask, same
        )
