"""Images, objects and sentences shared by two splits: a leak if one of them is train."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cliprpn.contract.generated import SplitOverlap
from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import list_manifests, open_pixels

MAX_SHARED_SHOWN = 5
NUM_THREADS = 4  # hashlib releases the GIL.
IMAGES_PER_TASK = 256


def split_overlaps(
    index: DatasetIndex, splits: list[str], pixel_hashes: NDArray | None
) -> list[SplitOverlap]:
    """Counts what each pair of splits shares.

    Args:
        pixel_hashes: [num_images], as `hash_all_pixels` returns them; None to compare no pixels.
    """
    contents = {split: _SplitContent(index, index.split(split)) for split in splits}
    names = np.asarray(index.images["file_name"].to_pylist(), dtype=object)
    overlaps = []
    for first, second in combinations(splits, 2):
        a, b = contents[first], contents[second]
        shared = b.image_rows[
            np.isin(b.image_rows, a.image_rows)
            | pc.is_in(pa.array(names[b.image_rows]), pa.array(names[a.image_rows])).to_numpy(False)
        ]
        duplicates = _pixel_duplicates(a.image_rows, b.image_rows, shared, pixel_hashes)
        examples = names[np.concatenate([shared, [] if duplicates is None else duplicates]).astype(np.int64)]
        overlaps.append(
            SplitOverlap.model_validate(
                {
                    "first": first,
                    "second": second,
                    "num_images": len(shared),
                    "num_identical_pixels": None if duplicates is None else len(duplicates),
                    "num_refs": len(np.intersect1d(a.refs, b.refs)),
                    "num_objects": len(np.intersect1d(a.objects, b.objects)),
                    "num_sentences": _num_common_rows(a.rows, b.rows),
                    "examples": examples[:MAX_SHARED_SHOWN].tolist(),
                }
            )
        )
    return overlaps


class _SplitContent:
    """Images (rows of the index), refs, objects and sentences of a split."""

    def __init__(self, index: DatasetIndex, rows: NDArray) -> None:
        self.image_rows = np.unique(index.image_rows[rows])
        sentences = index.sentences.take(pa.array(rows))
        self.refs = np.unique(sentences["ref_id"].to_numpy())
        self.objects = np.unique(sentences["ann_id"].to_numpy())
        corners = np.round(index.gt_boxes[rows].astype(np.float64), 1)
        files = index.images["file_name"].take(pa.array(index.image_rows[rows]))
        columns = {f"corner_{side}": pa.array(corners[:, side]) for side in range(4)}
        words = pc.utf8_lower(pc.utf8_trim_whitespace(sentences["sentence"]))
        self.rows = pa.table({"file": files, "words": words, **columns})


def _num_common_rows(a: pa.Table, b: pa.Table) -> int:
    """Number of rows of b that are also in a."""
    return b.join(a, keys=a.column_names, join_type="left semi").num_rows


def _pixel_duplicates(
    first_rows: NDArray, second_rows: NDArray, shared: NDArray, pixel_hashes: NDArray | None
) -> NDArray | None:
    """Rows of images of the second split with the same pixels as one of the first, without the shared images."""
    if pixel_hashes is None:
        return None
    candidates = np.setdiff1d(second_rows, shared)
    return candidates[np.isin(pixel_hashes[candidates], pixel_hashes[first_rows])]


def hash_all_pixels(index: DatasetIndex, size: str | None = None) -> NDArray | None:
    """A hash of the prepared pixels of each image, at one of the sizes that exist: [num_images], hex.

    Args:
        size: name of the folder of a prepared size; None for any.

    Returns:
        None if an image has no prepared pixels.

    Raises:
        CliprpnError: data_invalid, if a file does not match its manifest.
    """
    folders = [path.parent for path in list_manifests(index.root)]
    folder = next((each for each in folders if size in (None, each.name)), None)
    if folder is None or index.images["pixel_row"].null_count > 0:
        return None
    pixels = open_pixels(folder)
    rows = index.images["pixel_row"].to_numpy()

    def hash_rows(pixel_rows: NDArray) -> list[str]:
        shard_numbers = np.searchsorted(pixels.starts, pixel_rows, side="right") - 1
        images = (
            pixels.shards[shard][row - pixels.starts[shard]]
            for shard, row in zip(shard_numbers.tolist(), pixel_rows.tolist(), strict=True)
        )
        return [hashlib.blake2b(image.data, digest_size=16).hexdigest() for image in images]

    parts = np.array_split(rows, max(1, len(rows) // IMAGES_PER_TASK))
    with ThreadPoolExecutor(NUM_THREADS) as threads:
        return np.array([digest for digests in threads.map(hash_rows, parts) for digest in digests])
