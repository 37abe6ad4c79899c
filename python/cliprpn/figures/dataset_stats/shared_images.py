"""Images that several datasets share, by their content: a leak if one is trained on and another is evaluated on."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import CompareDatasetsResult
from cliprpn.data.annotations import SPLITS
from cliprpn.data.image_keys import file_sha256
from cliprpn.data.images import ImageFile, image_files, load_image
from cliprpn.data.index import DatasetIndex, open_dataset, read_facts
from cliprpn.data.pixels import list_manifests, read_manifest
from cliprpn.errors import CliprpnError
from cliprpn.figures.dataset_stats.overlaps import hash_all_pixels

MAX_SHARED_SHOWN = 5
NUM_THREADS = 4  # Hashing and decoding release the GIL.


def compare_datasets(roots: list[Path]) -> CompareDatasetsResult:
    """Compares the images of each pair of datasets, by splits: the bytes of their files, and their decoded pixels.

    Pixels are those prepared at a size that all datasets have; else the files are decoded. An image that was resized or
    compressed again has other pixels, and is not found.

    Args:
        roots: folders of prepared datasets, at least two.

    Raises:
        CliprpnError: data_invalid, if a dataset cannot be opened, or has no images.
    """
    indexes = [open_dataset(root, read_facts(root).id) for root in roots]
    common = common_pixels(roots)
    images = [hash_images(index, common) for index in indexes]
    pairs = [
        {
            "first": first,
            "second": second,
            "first_split": first_split,
            "second_split": second_split,
            **_shared(images[first], images[second], first_rows, second_rows),
        }
        for first, second in combinations(range(len(roots)), 2)
        for first_split, first_rows in _splits(indexes[first]).items()
        for second_split, second_rows in _splits(indexes[second]).items()
    ]
    return CompareDatasetsResult.model_validate(
        {
            "num_images": [len(each.names) for each in images],
            "num_missing_files": [sum(digest == "" for digest in each.files) for each in images],
            "num_without_pixels": [sum(digest == "" for digest in each.pixels) for each in images],
            "pixels": "files" if common is None else common,
            "pairs": pairs,
        }
    )


@dataclass(frozen=True)
class ImageHashes:
    """Names and hashes of a dataset's images, [num_images]; "" for a file that cannot be read."""

    names: list[str]
    files: NDArray
    pixels: NDArray


def common_pixels(roots: list[Path]) -> str | None:
    """Folder of a prepared size, such as `squash-224`, that all datasets have with the same preprocessing."""
    sizes = [
        {(path.parent.name, read_manifest(path).preprocessing_version) for path in list_manifests(root)}
        for root in roots
    ]
    common = sorted(set.intersection(*sizes))
    return common[0][0] if common else None


def hash_images(index: DatasetIndex, common: str | None) -> ImageHashes:
    """Hashes of all images of a dataset: of the bytes of their files, and of their pixels.

    Args:
        common: the prepared size to take the pixels from; None to decode the files.

    Raises:
        CliprpnError: data_invalid, if the dataset has no images.
    """
    files = image_files(index, range(index.images.num_rows))
    prepared = None if common is None else hash_all_pixels(index, common)
    with ThreadPoolExecutor(NUM_THREADS) as threads:
        digests = list(threads.map(_hash_file, files))
        if prepared is None:
            pixels = list(threads.map(_hash_decoded, files))
        else:
            # A size in the key: two plain images of other sizes may have the same prepared pixels.
            sizes = zip(index.images["width"].to_pylist(), index.images["height"].to_pylist(), strict=True)
            pixels = [f"{digest} {size}" for digest, size in zip(prepared.tolist(), sizes, strict=True)]
    names = index.images["file_name"].to_pylist()
    return ImageHashes(names, np.array(digests, dtype=object), np.array(pixels, dtype=object))


def _hash_file(file: ImageFile) -> str:
    try:
        return file_sha256(file.path)
    except OSError:
        return ""


def _hash_decoded(file: ImageFile) -> str:
    try:
        image = load_image(file)
    except CliprpnError:
        return ""
    return f"{hashlib.blake2b(image.numpy().tobytes(), digest_size=16).hexdigest()} {tuple(image.shape)}"


def _splits(index: DatasetIndex) -> dict[str, NDArray]:
    """Rows of the images of each split."""
    rows = {split: np.unique(index.image_rows[index.split(split)]) for split in SPLITS}
    return {split: image_rows for split, image_rows in rows.items() if len(image_rows) > 0}


def _shared(first: ImageHashes, second: ImageHashes, first_rows: NDArray, second_rows: NDArray) -> dict:
    """Counts images of the second split that are in the first: with the same bytes, or only the same pixels."""
    by_file = _first_rows(first.files, first_rows)
    by_pixels = _first_rows(first.pixels, first_rows)
    same_file = {row: by_file[digest] for row in second_rows if (digest := second.files[row]) in by_file}
    same_pixels = {
        row: by_pixels[digest]
        for row in second_rows
        if row not in same_file and (digest := second.pixels[row]) in by_pixels
    }
    matches = [*same_file.items(), *same_pixels.items()]
    return {
        "num_first": len(first_rows),
        "num_second": len(second_rows),
        "num_same_file": len(same_file),
        "num_same_pixels": len(same_pixels),
        "examples": [
            {"first": first.names[a], "second": second.names[b]} for b, a in matches[:MAX_SHARED_SHOWN]
        ],
    }


def _first_rows(digests: NDArray, rows: NDArray) -> dict[str, int]:
    """The first row with each digest."""
    return {digest: row for row in rows[::-1].tolist() if (digest := digests[row]) != ""}
