"""Tells images by their prepared pixels, whatever their files are called."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import open_pixels

NUM_THREADS = 4  # hashlib lets go of Python's lock.
PER_TASK = 256


def pixel_hashes(index: DatasetIndex) -> NDArray | None:
    """A hash of each image's pixels, at one of the sizes that are there: [num_images], hex; None without
    pixels.

    Raises:
        CliprpnError: data_invalid, where files are not those of their manifest.
    """
    folder = next((path.parent for path in manifests(index.root)), None)
    if folder is None or index.images["pixel_row"].null_count > 0:
        return None
    pixels = open_pixels(folder)
    rows = index.images["pixel_row"].to_numpy()

    def digests(part: NDArray) -> list[str]:
        places = np.searchsorted(pixels.starts, part, side="right") - 1
        pictures = (
            pixels.shards[place][row - pixels.starts[place]]
            for place, row in zip(places.tolist(), part.tolist(), strict=True)
        )
        return [hashlib.blake2b(picture.data, digest_size=16).hexdigest() for picture in pictures]

    parts = np.array_split(rows, max(1, len(rows) // PER_TASK))
    with ThreadPoolExecutor(NUM_THREADS) as threads:
        return np.array([digest for part in threads.map(digests, parts) for digest in part])


def manifests(root: Path) -> list[Path]:
    """Of every size that the data set's images are prepared at."""
    return sorted(root.glob("pixels/*/manifest.json"))
