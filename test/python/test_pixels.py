"""Prepared images: read across shards, in any order, and rejected if they do not match the manifest."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from cliprpn.data.pixels import (
    open_pixels,
    open_pixels_for,
    pixels_folder,
    read_manifest,
)
from cliprpn.errors import CliprpnError

SIZE = 32
COUNTS = (3, 1, 4)  # Images per shard.


def content(number: int) -> np.ndarray:
    """Pixels of an image: [SIZE, SIZE, 3]; the corners distinguish rows from columns and red from blue."""
    pixels = np.full((SIZE, SIZE, 3), number, dtype=np.uint8)
    pixels[0, -1] = (200, 100, number)
    return pixels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A hand-written manifest with its shards."""
    shards, number = [], 0
    for shard, count in enumerate(COUNTS):
        np.save(
            tmp_path / f"shard-{shard:05d}.npy",
            np.stack([content(number + n) for n in range(count)]),
        )
        images = [image_entry(number + n) for n in range(count)]
        shards.append({"file": f"shard-{shard:05d}.npy", "sha256": "0" * 64, "pictures": images})
        number += count
    write(tmp_path, {"shards": shards})
    return tmp_path


def image_entry(number: int) -> dict[str, Any]:
    return {
        "file_name": f"{number}.jpg",
        "bytes": 9,
        "mtime_ms": 0.5,
        "width": 64,
        "height": 128,
        "upright": False,
        "scale_x": 0.25,
        "scale_y": 0.25,
        "left_px": 8 + number,
        "top_px": 0,
        "problem": None,
    }


def write(folder: Path, changes: dict[str, Any]) -> None:
    path = folder / "manifest.json"
    facts = {
        "preprocessing_version": "1",
        "image_size_px": SIZE,
        "resize": "letterbox",
        "pixels_id": "abc",
    }
    old = json.loads(path.read_text()) if path.exists() else facts
    path.write_text(json.dumps(old | changes))


@pytest.mark.parametrize("rows", [[0], [2, 3, 4], [7, 0, 3, 3, 6], list(range(8))])
def test_a_batch_spans_shards_in_the_requested_order(folder: Path, rows: list[int]) -> None:
    pixels = open_pixels(folder)
    batch = pixels.batch(np.array(rows))
    assert (batch.shape, batch.dtype) == ((len(rows), 3, SIZE, SIZE), torch.uint8)
    expected = torch.from_numpy(np.stack([content(row) for row in rows])).permute(0, 3, 1, 2)
    assert torch.equal(batch, expected)
    assert batch[0, :, 0, -1].tolist() == [200, 100, rows[0]]


def test_frames_are_in_the_order_of_the_images(folder: Path) -> None:
    pixels = open_pixels(folder)
    assert pixels.frames.dtype == torch.float64
    assert pixels.frames.tolist() == [[0.25, 0.25, 8 + number, 0] for number in range(8)]
    assert (pixels.image_size_px, pixels.pixels_id) == (SIZE, "abc")


def test_shards_are_memory_mapped(folder: Path) -> None:
    assert all(isinstance(shard, np.memmap) for shard in open_pixels(folder).shards)


def test_each_size_and_resize_has_its_own_folder() -> None:
    assert pixels_folder(Path("/data"), 224, "squash") == Path("/data/pixels/squash-224")


def repeat_half_a_header(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:64] + content[:64] + content[128:])


def change_header(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:128].replace(old, new) + content[128:])


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "shard-00001.npy").unlink(),
        lambda folder: os.truncate(folder / "shard-00002.npy", 100),
        lambda folder: os.truncate(folder / "shard-00002.npy", 0),
        lambda folder: repeat_half_a_header(folder / "shard-00000.npy"),
        lambda folder: change_header(folder / "shard-00000.npy", b"{", b"("),
        lambda folder: np.save(folder / "shard-00000.npy", np.zeros((2, SIZE, SIZE, 3), np.uint8)),
        lambda folder: np.save(folder / "shard-00000.npy", np.zeros((3, SIZE, SIZE, 3), np.float32)),
        lambda folder: np.save(folder / "shard-00000.npy", np.array([{}]), allow_pickle=True),
        lambda folder: (folder / "manifest.json").write_text("{"),
        lambda folder: (folder / "manifest.json").write_bytes(b"\xff\xfe"),
        lambda folder: write(folder, {"shards": [{}]}),
        lambda folder: write(folder, {"image_size_px": 64}),
    ],
)
def test_damaged_images_error_says_what_to_delete(folder: Path, damage: Callable[[Path], Any]) -> None:
    damage(folder)
    with pytest.raises(CliprpnError, match="delete") as caught:
        open_pixels(folder)
    assert caught.value.code == "data_invalid" and str(folder) in caught.value.message


def test_a_missing_size_error_says_how_to_prepare_it(tmp_path: Path) -> None:
    with pytest.raises(CliprpnError, match="npx cliprpn prepare") as caught:
        read_manifest(tmp_path / "squash-64" / "manifest.json")
    assert caught.value.code == "data_invalid" and "squash-64" in caught.value.message


@pytest.mark.parametrize("rows", [[0, 1], [1, None], [0, 99]])
def test_images_of_another_dataset_are_rejected(folder: Path, tmp_path: Path, rows: list[int | None]) -> None:
    pixels = pixels_folder(tmp_path / "set", SIZE, "squash")
    shutil.copytree(folder, pixels)
    names = open_pixels(folder).file_names
    mine = pa.table({"file_name": names[:2], "pixel_row": [0, 1]})
    assert open_pixels_for(mine, tmp_path / "set", SIZE, "squash").file_names == names
    other = pa.table({"file_name": [names[0], names[2]], "pixel_row": rows})
    with pytest.raises(CliprpnError, match="prepare the dataset again") as caught:
        open_pixels_for(other, tmp_path / "set", SIZE, "squash")
    assert caught.value.code == "data_invalid"
