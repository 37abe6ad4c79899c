"""Tells pictures by their prepared pixels, whatever their files are called."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import open_pixels

NUM_THREADS = 4  # hashlib lets go of Python's lock.


def pixel_hashes(index: DatasetIndex) -> NDArray | None:
    """A hash of each picture's pixels, at one of the sizes that are there: [num_images], bytes; None without pixels.

    Raises:
        CliprpnError: data_invalid, where files are not those of their manifest.
    """
    folder = next((path.parent for path in manifests(index.root)), None)
    if folder is None or index.images["pixel_row"].null_count > 0:
        return None
    pixels = open_pixels(folder)
    rows = index.images["pixel_row"].to_numpy()
    places = np.searchsorted(pixels.starts, rows, side="right") - 1

    def digest(place: int, row: int) -> bytes:
        picture = pixels.shards[place][row - pixels.starts[place]]
        return hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16).digest()

    with ThreadPoolExecutor(NUM_THREADS) as threads:
        found = list(threads.map(digest, places.tolist(), rows.tolist(), chunksize=64))
    return np.array([each.hex() for each in found])


def manifests(root: Path) -> list[Path]:
    """Of every size that the data set's pictures are prepared at."""
    return sorted(root.glob("pixels/*/manifest.json"))
