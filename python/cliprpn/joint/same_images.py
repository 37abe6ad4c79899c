"""Which images of several datasets are the same."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.data.image_names import coco_number
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError
from cliprpn.figures.dataset_stats.image_hashes import common_pixels, hash_images
from cliprpn.figures.image_origins import image_origin

# Names of these collections are trusted: different numbers are different images, which need not be read.
COLLECTIONS = ("coco_train2014", "coco_val2014", "coco_train2017", "coco_val2017")


@dataclass(frozen=True)
class ImageNumbers:
    """Numbers of the images of a dataset, [num_images] each, equal for the same image of another dataset.

    Attributes:
        related: by COCO's number in the name, or by content. What must not be both trained and evaluated on.
        equal: by content. What has the same boxes: the same number may have been given to another image.
        is_known: False for an image that can be compared by no name and no content.
    """

    related: NDArray[np.int64]
    equal: NDArray[np.int64]
    is_known: NDArray[np.bool_]


def same_images(indexes: Sequence[DatasetIndex], cache_dir: Path) -> list[ImageNumbers]:
    """Numbers the images of several datasets.

    The same content is the same file on the disk, the same bytes, or the same decoded pixels. Bytes and pixels are
    compared unless the names of COCO's collections say which images are the same, and each of these is one file.

    Args:
        cache_dir: keeps the hashes of images.

    Raises:
        CliprpnError: data_invalid, if a dataset has no images; no_space.
    """
    names: list[list[str]] = [index.images["file_name"].to_pylist() for index in indexes]
    by_number = [[_number_keys(name) for name in of_dataset] for of_dataset in names]
    by_content = [_place_keys(index) for index in indexes]
    if not (_are_trusted(names) and _are_single_files(by_number, by_content)):
        common = common_pixels([index.root for index in indexes])
        for keys, index in zip(by_content, indexes, strict=True):
            hashes = hash_images(index, common, cache_dir)
            upright = index.images["upright"].to_pylist()
            for row_keys, file, pixels, turned in zip(
                keys, hashes.files, hashes.pixels, upright, strict=True
            ):
                row_keys += [f"file {file} {turned}"] if file else []
                row_keys += [f"pixels {pixels}"] if pixels else []
    both = [
        [first + second for first, second in zip(*of_dataset, strict=True)]
        for of_dataset in zip(by_number, by_content, strict=True)
    ]
    return [
        ImageNumbers(
            np.array(related, dtype=np.int64),
            np.array(equal, dtype=np.int64),
            np.array([len(row_keys) > 0 for row_keys in keys], dtype=bool),
        )
        for related, equal, keys in zip(_number(both), _number(by_content), both, strict=True)
    ]


Keys = list[list[str]]


def _number_keys(name: str) -> list[str]:
    number = coco_number(name)
    return [] if number is None else [f"coco {number}"]


def _place_keys(index: DatasetIndex) -> Keys:
    """Which file on the disk an image is, and how it is turned."""
    if index.images_dir is None:
        raise CliprpnError("data_invalid", f"{index.root}: expected a dataset with images, found one without")
    keys: Keys = []
    for name, turned in zip(
        index.images["file_name"].to_pylist(), index.images["upright"].to_pylist(), strict=True
    ):
        try:
            status = os.stat(index.images_dir / name)
        except OSError:
            keys.append([])
            continue
        keys.append([f"place {status.st_dev} {status.st_ino} {turned}"])
    return keys


def _are_trusted(names: Sequence[Sequence[str]]) -> bool:
    return all(image_origin(name) in COLLECTIONS for of_dataset in names for name in of_dataset)


def _are_single_files(by_number: Sequence[Keys], by_content: Sequence[Keys]) -> bool:
    """Whether each number is one file on the disk, which all datasets share."""
    places: dict[str, str] = {}
    for of_dataset in zip(by_number, by_content, strict=True):
        for numbers, content in zip(*of_dataset, strict=True):
            if not numbers or not content or places.setdefault(numbers[0], content[0]) != content[0]:
                return False
    return True


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
                earlier, current = find(first_with.setdefault(key, number)), find(number)
                parents[max(earlier, current)] = min(earlier, current)
    return [[find(number) for number in of_dataset] for of_dataset in numbered]
