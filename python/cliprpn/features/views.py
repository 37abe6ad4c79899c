"""Frozen features of the views of training images, for a batch of sentences of which some take a view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from cliprpn.features.text_store import TextFeatures, gather, on_device

TextBatch = tuple[Tensor, Tensor, Tensor]


@dataclass
class ViewFeatures:
    """One view of every training image.

    Attributes:
        maps: [P, C, h, w], float16; a memory map, or a tensor on the device.
        map_rows: [num_images], each image's row in `maps`; -1 for one that nobody trains on.
        image_rows: [S], the image of each sentence.
        fits: [S], bool: the sentences that stay true in the view of their image.
        flipped: [num_images], bool: the view shows the image in a mirror.
        object_boxes: [num_objects, 4], float32, xyxy, pixels of the square: the index's objects in the view.
        object_rows: [S], the row of each sentence's object there.
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

    def put_maps(self, maps: Tensor, sentence_rows: np.ndarray) -> None:
        """Replaces the maps [B, C, h, w] of the sentences that are shown in the view."""
        at = np.flatnonzero(self.fits[sentence_rows])
        rows = self.map_rows[self.image_rows[sentence_rows[at]]]
        maps[torch.from_numpy(at).to(maps.device)] = gather(self.maps, torch.from_numpy(rows), maps.device)

    def read_mirrored(self, sentence_rows: np.ndarray) -> np.ndarray:
        """Which of the sentences are shown in a mirror: [B], bool."""
        return self.fits[sentence_rows] & self.flipped[self.image_rows[sentence_rows]]

    @property
    def num_bytes(self) -> int:
        return self.maps.nbytes + self.mirrored.text.num_bytes

    def keep_on(self, device: torch.device) -> None:
        """Moves maps and vectors to an accelerator."""
        self.maps = on_device(self.maps, device)
        self.mirrored.text.keep_on(device)


@dataclass(frozen=True)
class MirroredText:
    """The sentences that read otherwise in a mirror, as they read there.

    Attributes:
        rows: [S], each sentence's row in `text`; -1 where it reads as it is.
    """

    text: TextFeatures
    rows: np.ndarray

    def put(self, batch: TextBatch, sentence_rows: np.ndarray, in_mirror: np.ndarray) -> TextBatch:
        """A batch (see `TextFeatures.batch`) with those sentences changed that are shown in a mirror.

        Args:
            in_mirror: [B], bool.
        """
        at = np.flatnonzero(in_mirror & (self.rows[sentence_rows] >= 0))
        if len(at) == 0:
            return batch
        words, mask, pooled = batch
        rows = torch.from_numpy(self.rows[sentence_rows[at]])
        new_words, new_mask, new_pooled = self.text.batch(rows, words.device)
        length = max(words.shape[1], new_words.shape[1])
        words, new_words = (pad(each, (0, 0, 0, length - each.shape[1])) for each in (words, new_words))
        mask, new_mask = (pad(each, (0, length - each.shape[1])) for each in (mask, new_mask))
        places = torch.from_numpy(at).to(words.device)
        words[places], mask[places], pooled[places] = new_words, new_mask, new_pooled
        return words, mask, pooled
