"""Opens the views' features, extracting what is missing: a store per view, with the boxes that moved."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow.compute as pc
import torch
from torch import Tensor

from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import Pixels
from cliprpn.data.views.sampling import VIEWS_VERSION
from cliprpn.data.views.training_views import ImageViews, TrainingImages
from cliprpn.data.views.wording import mirrored
from cliprpn.features.image_store import ReadBlock
from cliprpn.features.opening import Facts, Opening
from cliprpn.features.store import Arrays
from cliprpn.features.text_store import TextFeatures
from cliprpn.features.views import MirroredText, ViewFeatures

# Of the views, not of a trial: every trial takes the same ones, so that they are extracted once.
VIEWS_SEED = 0
MAX_THREADS = 16
# Beside the maps: a row per object and per training sentence, image by image; and one per image.
BESIDE: Arrays = {"boxes": ((4,), np.float32), "fits": ((), np.bool_), "flipped": ((), np.bool_)}


def open_views(
    opening: Opening, index: DatasetIndex, pixels: Pixels, map_facts: Facts, text_facts: Facts, num_views: int
) -> list[ViewFeatures]:
    """The first `num_views` views of every training image; none where nothing is trained on.

    A view depends on its number, not on how many there are: a trial with more of them extracts only the others.

    Args:
        map_facts, text_facts: what the images' maps and the sentences' vectors are made from.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, weights_*.
    """
    if num_views == 0 or len(index.split("train")) == 0:
        return []
    pictures = TrainingImages(index)
    drawn = ImageViews(index, pictures, pixels, VIEWS_SEED)
    stores = [
        opening.maps(
            "view",
            {**map_facts, "views": VIEWS_VERSION, "seed": VIEWS_SEED, "number": number},
            _rendered(drawn, number, opening.context.device),
            len(pictures.image_rows),
            pixels.image_size_px,
            BESIDE,
        )
        for number in range(1, num_views + 1)
    ]
    texts, mirrored_rows = _mirrored(index, pictures)
    text = opening.text("mirrored", {**text_facts, "views": VIEWS_VERSION}, lambda: texts)
    mirrored_text = MirroredText(TextFeatures(text), mirrored_rows)
    return [_by_index_rows(index, pictures, arrays, mirrored_text) for arrays in stores]


def _rendered(drawn: ImageViews, number: int, device: torch.device) -> ReadBlock:
    """Renders a view of some images."""
    # On a CPU the network's own threads take the cores; beside a GPU they have nothing else to do.
    num_threads = 1 if device.type == "cpu" else min(MAX_THREADS, os.cpu_count() or 1)

    def read(start: int, end: int) -> tuple[Tensor, dict[str, np.ndarray]]:
        views = [drawn.plan(position, number) for position in range(start, end)]
        with ThreadPoolExecutor(num_threads) as pool:
            shown = list(pool.map(drawn.render, range(start, end), views))
        rows = {
            "boxes": torch.cat([each.boxes for each in shown]).numpy(),
            "fits": np.concatenate([each.fits for each in shown]),
            "flipped": np.array([each.flipped for each in shown]),
        }
        return torch.stack([each.pixels for each in shown]), rows

    return read


def _by_index_rows(
    index: DatasetIndex,
    pictures: TrainingImages,
    arrays: dict[str, np.ndarray],
    mirrored_text: MirroredText,
) -> ViewFeatures:
    """A store's arrays under the index's own row numbers."""
    map_rows = np.full(index.images.num_rows, -1, dtype=np.int64)
    map_rows[pictures.image_rows] = np.arange(len(pictures.image_rows))
    flipped = np.zeros(index.images.num_rows, dtype=np.bool_)
    flipped[pictures.image_rows] = arrays["flipped"]
    fits = np.zeros(len(index.image_rows), dtype=np.bool_)
    fits[pictures.sentence_rows] = arrays["fits"]
    boxes = np.zeros((index.objects.num_rows, 4), dtype=np.float32)
    boxes[pictures.object_rows] = arrays["boxes"]
    own = pc.index_in(index.sentences["ann_id"], value_set=index.objects["ann_id"].combine_chunks())
    return ViewFeatures(
        arrays["maps"],
        map_rows,
        index.image_rows,
        fits,
        flipped,
        torch.from_numpy(boxes),
        own.to_numpy(),
        mirrored_text,
    )


def _mirrored(index: DatasetIndex, pictures: TrainingImages) -> tuple[list[str], np.ndarray]:
    """The training sentences that read otherwise in a mirror, as they read there; each sentence's row there, or -1."""
    rows = np.sort(pictures.sentence_rows)
    texts = index.sentences["sentence"].take(rows).to_pylist()
    found = [(row, new) for row, old in zip(rows, texts, strict=True) if (new := mirrored(old)) != old]
    places = np.full(len(index.image_rows), -1, dtype=np.int64)
    places[[row for row, _ in found]] = np.arange(len(found))
    return [text for _, text in found], places
