"""Images that several datasets share, by their content: a leak if one is trained on and another is evaluated on."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import CompareDatasetsResult
from cliprpn.data.annotations import SPLITS
from cliprpn.data.index import DatasetIndex, open_dataset, read_facts
from cliprpn.figures.dataset_stats.image_hashes import ImageHashes, common_pixels, hash_images

MAX_SHARED_SHOWN = 5


def compare_datasets(roots: list[Path], cache_dir: Path) -> CompareDatasetsResult:
    """Compares the images of each pair of datasets, by splits: the bytes of their files, and their decoded pixels.

    Pixels are those prepared at a size that all datasets have; else the files are decoded. An image that was resized or
    compressed again has other pixels, and is not found.

    Args:
        roots: folders of prepared datasets, at least two.
        cache_dir: keeps the hashes of images, so that only new ones are read.

    Raises:
        CliprpnError: data_invalid, if a dataset cannot be opened, or has no images; no_space.
    """
    indexes = [open_dataset(root, read_facts(root).id) for root in roots]
    common = common_pixels(roots)
    images = [hash_images(index, common, cache_dir) for index in indexes]
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
