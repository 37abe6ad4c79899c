"""The different images of several splits, which are the clusters of all figures over them."""

from __future__ import annotations

import hashlib
import stat
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import TrialDataset
from cliprpn.data.image_names import coco_number, image_identity
from cliprpn.data.index import read_facts
from cliprpn.errors import CliprpnError

NUM_THREADS = 4  # Hashing releases the GIL.


@dataclass(frozen=True)
class SplitImages:
    """
    Attributes:
        files: [G], the file of each image, relative to the image folder of the dataset.
    """

    dataset: TrialDataset
    files: Sequence[str]


@dataclass(frozen=True)
class DistinctImages:
    """
    Attributes:
        num: the number of different images.
        positions: by split, [G], the position of each of its images among them.
        notes: what could not be compared, a line each.
    """

    num: int
    positions: dict[str, NDArray[np.int64]]
    notes: list[str] = field(default_factory=list)


def distinct_images(splits: dict[str, SplitImages]) -> DistinctImages:
    """Numbers the images of several splits; an image that several splits or datasets have counts once.

    Images of a dataset are the same if their names are. Those of different datasets are the same if their names have
    the same number of COCO, or if their files have the same bytes. An `image_id` says nothing: every dataset has a 1.
    """
    # By name: resampled images, and so the optimism, must not depend on the order of the splits.
    ordered = dict(sorted(splits.items()))
    images = {(each.dataset.id, name): each for each in ordered.values() for name in each.files}
    keys = {image: _key_by_name(*image) for image in images}
    notes: list[str] = []
    datasets = {each.dataset.id: each.dataset for each in ordered.values()}
    if len(datasets) > 1 and any(coco_number(name) is None for _, name in images):
        folders = {dataset_id: _image_folder(dataset) for dataset_id, dataset in datasets.items()}
        files = {image: _find_file(folders[image[0]], image[1]) for image in images}
        keys |= _keys_by_content(files, keys)
        notes = _missing_files(files, datasets)
    position_of: dict[str, int] = {}
    positions = {
        split: np.array(
            [position_of.setdefault(keys[each.dataset.id, name], len(position_of)) for name in each.files]
        )
        for split, each in ordered.items()
    }
    return DistinctImages(len(position_of), positions, notes)


# The id of a dataset and the name of one of its images.
Image = tuple[str, str]


@dataclass(frozen=True)
class _File:
    path: Path
    num_bytes: int


def _key_by_name(dataset_id: str, name: str) -> str:
    number = coco_number(name)
    return f"{dataset_id} {image_identity(name)}" if number is None else f"coco {number}"


def _image_folder(dataset: TrialDataset) -> Path | None:
    """None if the dataset has no images, or is not there."""
    try:
        folder = read_facts(Path(dataset.root)).images_dir
    except CliprpnError:
        return None
    return None if folder is None else Path(folder)


def _find_file(folder: Path | None, name: str) -> _File | None:
    if folder is None:
        return None
    try:
        status = (folder / name).stat()
    except (OSError, ValueError):
        return None
    return _File(folder / name, status.st_size) if stat.S_ISREG(status.st_mode) else None


def _keys_by_content(files: dict[Image, _File | None], keys: dict[Image, str]) -> dict[Image, str]:
    """The keys of images whose bytes those of another dataset may have; a number of COCO stays the key of an image.

    Only files of the same length are read.
    """
    by_length: dict[int, list[Image]] = defaultdict(list)
    for image, file in files.items():
        if file is not None:
            by_length[file.num_bytes].append(image)
    candidates = [
        image
        for of_length in by_length.values()
        if len({dataset_id for dataset_id, _ in of_length}) > 1
        and any(coco_number(name) is None for _, name in of_length)
        for image in of_length
    ]
    by_content: dict[str, list[Image]] = defaultdict(list)
    for image, digest in zip(candidates, _hash_files(files[image] for image in candidates), strict=True):
        if digest is not None:
            by_content[digest].append(image)
    found: dict[Image, str] = {}
    for digest, same in by_content.items():
        numbered = sorted(keys[image] for image in same if coco_number(image[1]) is not None)
        for image in same:
            if coco_number(image[1]) is None:
                found[image] = numbered[0] if numbered else f"file {digest}"
    return found


def _hash_files(files: Iterable[_File | None]) -> list[str | None]:
    def hash_file(file: _File | None) -> str | None:
        try:
            return None if file is None else hashlib.sha256(file.path.read_bytes()).hexdigest()
        except OSError:
            return None

    with ThreadPoolExecutor(NUM_THREADS) as threads:
        return list(threads.map(hash_file, files))


def _missing_files(files: dict[Image, _File | None], datasets: dict[str, TrialDataset]) -> list[str]:
    notes = []
    for dataset_id, dataset in datasets.items():
        of_dataset = [file for image, file in files.items() if image[0] == dataset_id]
        num_missing = sum(file is None for file in of_dataset)
        if num_missing:
            notes.append(
                f"{num_missing:,} of {len(of_dataset):,} images of {dataset.name} have no file here: whether they "
                "are images of the other datasets too is only known of names with a COCO number, and they count as "
                "other images otherwise"
            )
    return notes
