"""Looks at every picture of a data set once: there, in its folder, readable, of the size that boxes rely on."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cliprpn.data.images import read_size
from cliprpn.data.problems import Problems
from cliprpn.errors import CliprpnError

NUM_THREADS = 8
REPORT_EVERY = 256


@dataclass(frozen=True)
class ImageRow:
    """A picture; `file_name` is relative to `images/`, sizes are pixels."""

    image_id: int
    file_name: str
    width: int
    height: int


def check_pictures(
    images: list[ImageRow], folder: Path, problems: Problems, on_progress: Callable[[int, int], None]
) -> None:
    """Reads each picture's header (0.1 ms each); adds what is wrong to the problems."""
    if not folder.is_dir():
        problems.add(f"expected the pictures in {folder}, found no folder")
        return
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        found = pool.map(lambda image: _problem(image, folder), images)
        for done, problem in enumerate(found, start=1):
            if problem is not None:
                problems.add(problem)
            if done % REPORT_EVERY == 0 or done == len(images):
                on_progress(done, len(images))


def _problem(image: ImageRow, folder: Path) -> str | None:
    where = f"picture {image.image_id}"
    path = folder / image.file_name
    try:
        if not _stays_inside(image.file_name):
            return f"{where}: expected its file in {folder}, found {image.file_name!r}, which leads out of it"
        if not path.is_file():
            return f"{where}: expected {path}, found no file"
        size = read_size(path)
    except CliprpnError as error:
        return f"{where}: {error.message}"
    except (OSError, ValueError) as error:
        return f"{where}: expected a file {image.file_name!r} in {folder}: {error}"
    if size != (image.width, image.height):
        return (
            f"{where}: expected {image.width} x {image.height} pixels, found {size[0]} x {size[1]} in {path}"
        )
    return None


def _stays_inside(file_name: str) -> bool:
    """Whether the name itself stays in its folder. Links are the owner's own, and are followed."""
    return not os.path.isabs(file_name) and os.path.normpath(file_name).split(os.sep)[0] not in ("..", ".")
