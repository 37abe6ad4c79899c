"""Which images of several datasets are the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from cliprpn.data.image_names import coco_number
from cliprpn.data.index import DatasetIndex
from cliprpn.figures.dataset_stats.shared_images import common_pixels, hash_images


def same_images(roots: Sequence[Path], indexes: Sequence[DatasetIndex]) -> list[list[int]]:
    """Numbers the images of several datasets so that the same image has the same number in all of them.

    Images are the same if their names have the same COCO number, or if their files have the same bytes or the same
    decoded pixels. Files are read only if an image has no COCO number: different numbers are different images.

    Args:
        roots: folders of the datasets.
        indexes: their tables.

    Returns:
        By dataset, the number of each row of its images.

    Raises:
        CliprpnError: data_invalid, if a dataset has no images.
    """
    names = [index.images["file_name"].to_pylist() for index in indexes]
    numbers = [[coco_number(name) for name in of_dataset] for of_dataset in names]
    keys: list[list[list[str]]] = [
        [[] if number is None else [f"coco {number}"] for number in of_dataset] for of_dataset in numbers
    ]
    if any(number is None for of_dataset in numbers for number in of_dataset):
        common = common_pixels(list(roots))
        for of_dataset, index in zip(keys, indexes, strict=True):
            hashes = hash_images(index, common)
            for row_keys, file, pixels in zip(of_dataset, hashes.files, hashes.pixels, strict=True):
                row_keys += [
                    f"{kind} {digest}" for kind, digest in (("file", file), ("pixels", pixels)) if digest
                ]
    return _number(keys)


def _number(keys: Iterable[Sequence[Sequence[str]]]) -> list[list[int]]:
    """Images that have a key in common, also by way of others, get the same number."""
    parents: list[int] = []
    first_with: dict[str, int] = {}

    def find(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    numbered: list[list[int]] = []
    for of_dataset in keys:
        numbered.append([])
        for row_keys in of_dataset:
            number = len(parents)
            parents.append(number)
            numbered[-1].append(number)
            for key in row_keys:
                earlier, own = find(first_with.setdefault(key, number)), find(number)
                parents[max(earlier, own)] = min(earlier, own)
    return [[find(number) for number in of_dataset] for of_dataset in numbered]
