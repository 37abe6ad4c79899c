"""Opens prepared images: memory-mapped shards of uint8, and the frames that map boxes to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from pydantic import ValidationError
from torch import Tensor

from cliprpn.contract.generated import PixelsManifest
from cliprpn.errors import CliprpnError
from cliprpn.storage.damaged_arrays import DAMAGED_ARRAYS


@dataclass(frozen=True)
class Pixels:
    """All images of a dataset at one size.

    Attributes:
        pixels_id: hash of the shards' contents.
        shards: memory maps, uint8 [n, size, size, 3], RGB.
        starts: [num_shards], index of the first image of each shard.
        frames: [num_images, 4], float64: scale_x, scale_y, left, top, from original to prepared pixels.
        file_names: [num_images].
    """

    pixels_id: str
    image_size_px: int
    shards: list[np.ndarray]
    starts: np.ndarray
    frames: Tensor
    file_names: list[str]

    def batch(self, rows: np.ndarray) -> Tensor:
        """Images: [b, 3, size, size], uint8, RGB.

        Args:
            rows: [b], `pixel_row` of the index's images.
        """
        shards = np.searchsorted(self.starts, rows, side="right") - 1
        images = [
            self.shards[shard][row - self.starts[shard]] for shard, row in zip(shards, rows, strict=True)
        ]
        return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)  # [b, 3, size, size]


def open_pixels_for(images: pa.Table, root: Path, image_size_px: int, resize: str) -> Pixels:
    """A dataset's prepared images, checked against its table of images.

    Raises:
        CliprpnError: data_invalid, if there are none, they are damaged, or they are not the images of the table.
    """
    folder = pixels_folder(root, image_size_px, resize)
    pixels = open_pixels(folder)
    names = pixels.file_names
    rows = zip(images["file_name"].to_pylist(), images["pixel_row"].to_pylist(), strict=True)
    for name, row in rows:
        found = names[row] if row is not None and row < len(names) else None
        if found != name:
            raise CliprpnError(
                "data_invalid",
                f"{folder}: expected the images of the dataset's tables, found {found or 'none'} instead of "
                f"{name}; delete this folder and prepare the dataset again",
            )
    return pixels


def pixels_folder(root: Path, image_size_px: int, resize: str) -> Path:
    """Folder of a prepared dataset's images of one size."""
    return root / "pixels" / f"{resize}-{image_size_px}"


def list_manifests(root: Path) -> list[Path]:
    """Manifests of every size that a dataset's images are prepared at."""
    return sorted(root.glob("pixels/*/manifest.json"))


def open_pixels(folder: Path) -> Pixels:
    """Opens the prepared images of one size.

    Raises:
        CliprpnError: data_invalid, if there are none, or they do not match the manifest.
    """
    manifest = read_manifest(folder / "manifest.json")
    size = manifest.image_size_px
    shards = []
    for shard in manifest.shards:
        path = folder / shard.file
        expected = ((len(shard.pictures), size, size, 3), np.dtype(np.uint8))
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except DAMAGED_ARRAYS as error:
            raise _damaged_pixels(folder, f"{path}: {error}") from error
        if (array.shape, array.dtype) != expected:
            raise _damaged_pixels(folder, f"{path}: expected {expected}, found {(array.shape, array.dtype)}")
        shards.append(array)
    counts = [len(shard.pictures) for shard in manifest.shards]
    starts = np.cumsum([0, *counts])[:-1]
    frames = [
        (image.scale_x, image.scale_y, image.left_px, image.top_px)
        for shard in manifest.shards
        for image in shard.pictures
    ]
    return Pixels(
        manifest.pixels_id,
        size,
        shards,
        starts.astype(np.int64),
        torch.tensor(frames, dtype=torch.float64).reshape(-1, 4),
        [image.file_name for shard in manifest.shards for image in shard.pictures],
    )


def read_manifest(path: Path) -> PixelsManifest:
    """Reads the manifest of the prepared images of one size.

    Raises:
        CliprpnError: data_invalid, if it is missing or invalid.
    """
    if not path.is_file():
        raise CliprpnError(
            "data_invalid",
            f"{path.parent}: expected prepared images of this size, found none; create them with `npx cliprpn sweep` "
            "or `npx cliprpn prepare`",
        )
    try:
        return PixelsManifest.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        raise _damaged_pixels(path.parent, f"{path}: {type(error).__name__}") from error


def _damaged_pixels(folder: Path, what: str) -> CliprpnError:
    return CliprpnError(
        "data_invalid",
        f"the prepared images are damaged: {what}; delete {folder} and re-run the same command",
    )
