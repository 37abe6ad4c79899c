"""A small part of a dataset, as a dataset of its own, and its features."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cliprpn.contract.generated import ClipRpnSpec
from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import open_pixels_for
from cliprpn.features.frozen import FrozenFeatures, open_features
from cliprpn.run_context import RunContext
from cliprpn.storage.weights_files import load_backbone


def sample_images(index: DatasetIndex, split: str, num_images: int, limit: int | None = None) -> np.ndarray:
    """Rows of the images of a split, evenly spaced: [N], ascending; N is less if the split has fewer images.

    Args:
        limit: of the split's sentences; the images of others are left out.
    """
    rows = np.unique(index.image_rows[index.split(split, limit)])
    return rows[spaced(len(rows), num_images)]


def spaced(num_items: int, num_wanted: int) -> np.ndarray:
    """At most `num_wanted` of `num_items` positions, evenly spaced."""
    num = min(num_items, num_wanted)
    return np.arange(num) * num_items // max(1, num)


def part_of(index: DatasetIndex, image_rows: np.ndarray, splits: tuple[str, ...]) -> DatasetIndex:
    """The images, with their objects and their sentences of the splits.

    Args:
        image_rows: [N], rows of the index's images, ascending.
    """
    has_split = pc.is_in(index.sentences["split"], value_set=pa.array(splits)).to_numpy()
    rows = np.flatnonzero(has_split & np.isin(index.image_rows, image_rows))
    images = index.images.take(pa.array(image_rows))
    is_object = pc.is_in(index.objects["image_id"], value_set=images["image_id"].combine_chunks())
    return replace(
        index,
        images=images,
        sentences=index.sentences.take(pa.array(rows)),
        objects=index.objects.filter(is_object),
        image_rows=np.searchsorted(image_rows, index.image_rows[rows]),
        gt_boxes=index.gt_boxes[rows],
    )


def one_per_image(index: DatasetIndex, rows: np.ndarray) -> np.ndarray:
    """The first of the sentences of each image.

    Args:
        rows: [N], rows of the index's sentences.
    """
    _, first = np.unique(index.image_rows[rows], return_index=True)
    return rows[np.sort(first)]


def extract_part(part: DatasetIndex, spec: ClipRpnSpec, scratch: Path, context: RunContext) -> FrozenFeatures:
    """Features of a part, extracted as those of a trial, but not into the cache.

    Args:
        scratch: an existing folder for temporary files.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, weights_*.
    """
    settings, backbone = spec.settings, spec.backbone
    root = Path(spec.dataset.root)
    with temporary_cache(scratch, context) as temporary:
        return open_features(
            part,
            open_pixels_for(part.images, root, settings.image_size_px, settings.resize),
            lambda: load_backbone(backbone.name, backbone.weights),
            backbone.weights_id,
            temporary,
        )


@contextmanager
def temporary_cache(scratch: Path, context: RunContext) -> Iterator[RunContext]:
    """The same context with an empty cache, which is removed at the end; arrays that are open stay so."""
    with temporary_folder(scratch) as folder:
        yield replace(context, cache_dir=folder)


@contextmanager
def temporary_folder(scratch: Path) -> Iterator[Path]:
    """A new folder, which is removed at the end."""
    with tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
