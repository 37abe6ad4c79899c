"""Hashes of a dataset's images: of the bytes of their files, and of their pixels. The cache keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cliprpn.data.images import ImageFile, image_files, load_image
from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import list_manifests, read_manifest
from cliprpn.errors import CliprpnError
from cliprpn.figures.dataset_stats.overlaps import hash_all_pixels
from cliprpn.storage.parquet import write_table

NUM_THREADS = 4  # Hashing and decoding release the GIL.


@dataclass(frozen=True)
class ImageHashes:
    """Names and hashes of a dataset's images, [num_images]; "" for a file that cannot be read."""

    names: list[str]
    files: NDArray
    pixels: NDArray


def common_pixels(roots: Sequence[Path]) -> str | None:
    """Folder of a prepared size, such as `squash-224`, that all datasets have with the same preprocessing."""
    sizes = [
        {(path.parent.name, read_manifest(path).preprocessing_version) for path in list_manifests(root)}
        for root in roots
    ]
    common = sorted(set.intersection(*sizes))
    return common[0][0] if common else None


def hash_images(index: DatasetIndex, common: str | None, cache_dir: Path) -> ImageHashes:
    """Hashes of all images of a dataset. Images that have not changed since the last call are not read.

    Args:
        common: the prepared size to take the pixels from; None to decode the files.
        cache_dir: keeps the hashes, by dataset.

    Raises:
        CliprpnError: data_invalid, if the dataset has no images; no_space.
    """
    folder = cache_dir / "image-hashes" / index.dataset_id
    files = image_files(index, range(index.images.num_rows))
    with ThreadPoolExecutor(NUM_THREADS) as threads:
        stamps = list(threads.map(_stamp, files))

        def hash_rows(hash_one: Callable[[ImageFile], str]) -> Callable[[list[int]], Iterable[str]]:
            return lambda rows: threads.map(hash_one, [files[row] for row in rows])

        digests = _kept(folder / "files.parquet", stamps, hash_rows(_hash_file))
        prepared = None if common is None else _prepared_pixels(index, common, folder)
        pixels = prepared or _kept(
            folder / "decoded.parquet",
            [f"{stamp} {file.upright}" if stamp else "" for stamp, file in zip(stamps, files, strict=True)],
            hash_rows(_hash_decoded),
        )
    names = index.images["file_name"].to_pylist()
    return ImageHashes(names, np.array(digests, dtype=object), np.array(pixels, dtype=object))


def _prepared_pixels(index: DatasetIndex, common: str, folder: Path) -> list[str] | None:
    """Of the prepared pixels of a size; None if an image has none."""
    if index.images["pixel_row"].null_count > 0:
        return None
    manifest = next(path for path in list_manifests(index.root) if path.parent.name == common)
    pixels_id = read_manifest(manifest).pixels_id
    keys = [f"{pixels_id} {row}" for row in index.images["pixel_row"].to_pylist()]

    def hash_rows(rows: list[int]) -> Iterable[str]:
        hashes = hash_all_pixels(index, common)
        return [] if hashes is None else hashes[rows].tolist()

    digests = _kept(folder / f"{common}.parquet", keys, hash_rows)
    # A size in the key: two plain images of other sizes may have the same prepared pixels.
    sizes = zip(index.images["width"].to_pylist(), index.images["height"].to_pylist(), strict=True)
    return [f"{digest} {size}" for digest, size in zip(digests, sizes, strict=True)]


def _kept(path: Path, keys: Sequence[str], compute: Callable[[list[int]], Iterable[str]]) -> list[str]:
    """The value of each key: kept in the file, else computed and kept.

    Args:
        keys: "" for a value that must not be kept.
        compute: values of rows of `keys`; "" for none, which is not kept either.

    Raises:
        CliprpnError: no_space.
    """
    known = _read(path)
    rows = [row for row, key in enumerate(keys) if key not in known]
    computed = dict(zip(rows, compute(rows), strict=True)) if rows else {}
    values = [computed[row] if row in computed else known[key] for row, key in enumerate(keys)]
    if any(keys[row] and value for row, value in computed.items()):
        kept = {key: value for key, value in zip(keys, values, strict=True) if key and value}
        write_table([{"key": key, "value": value} for key, value in kept.items()], SCHEMA, path)
    return values


SCHEMA = pa.schema([("key", pa.string()), ("value", pa.string())])


def _read(path: Path) -> dict[str, str]:
    """The kept values; none if the file is missing or damaged: they are computed again."""
    try:
        table = pq.read_table(path, schema=SCHEMA)
    except (pa.ArrowInvalid, OSError):
        return {}
    return dict(zip(table["key"].to_pylist(), table["value"].to_pylist(), strict=True))


def _stamp(file: ImageFile) -> str:
    """Changes whenever the file does, also if its old modification time is restored; "" for a missing file."""
    try:
        status = file.path.stat()
    except OSError:
        return ""
    return f"{file.path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def _hash_file(file: ImageFile) -> str:
    try:
        return hashlib.sha256(file.path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _hash_decoded(file: ImageFile) -> str:
    try:
        image = load_image(file)
    except CliprpnError:
        return ""
    return f"{hashlib.blake2b(image.numpy().tobytes(), digest_size=16).hexdigest()} {tuple(image.shape)}"
