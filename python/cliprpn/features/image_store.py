"""Feature maps of a data set's pictures: one memory-mapped file, filled block by block."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch

from cliprpn.data.images import load_squashed
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError
from cliprpn.models.backbone import ClipBackbone

BLOCK = 64
MAX_FP16 = 65504.0


def open_maps(folder: Path) -> np.ndarray | None:
    """[num_images, C, h, w], float16, memory-mapped; None until all pictures are done."""
    facts = _read_progress(folder)
    if facts is None or facts.done < facts.shape[0]:
        return None
    return np.memmap(str(folder / "maps.f16"), dtype=np.dtype(np.float16), mode="r", shape=facts.shape)


def extract_maps(
    folder: Path,
    index: DatasetIndex,
    backbone: ClipBackbone,
    image_size_px: int,
    device: torch.device,
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> None:
    """Fills the store; goes on after what an earlier, killed run had finished.

    A block counts as done only once its bytes are on the disk. The caller holds the lock.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, out of fp16's range (internal).
    """
    num_images = index.images.num_rows
    cells = image_size_px // 32
    shape = (num_images, backbone.map_channels, cells, cells)
    facts = _read_progress(folder)
    done = facts.done if facts is not None and facts.shape == shape else 0
    if done == 0:
        _check_space(folder, int(np.prod(shape)) * 2)
    maps_file = folder / "maps.f16"
    mode: Literal["r+", "w+"] = "r+" if done > 0 and maps_file.is_file() else "w+"
    maps = np.memmap(str(maps_file), dtype=np.dtype(np.float16), mode=mode, shape=shape)
    backbone = backbone.to(device)
    with ThreadPoolExecutor(max_workers=4) as pool:
        starts = list(range(done, num_images, BLOCK))
        pending = {}

        def decode_ahead(position: int) -> None:
            for start in starts[position : position + 2]:
                if start not in pending:
                    rows = range(start, min(start + BLOCK, num_images))
                    pending[start] = [
                        pool.submit(load_squashed, index.image_path(row), image_size_px) for row in rows
                    ]

        for position, start in enumerate(starts):
            if should_stop():
                raise CliprpnError("interrupted", "stopped while extracting features")
            decode_ahead(position)
            pixels = torch.stack([future.result() for future in pending.pop(start)])
            block = backbone.feature_map(pixels.to(device).float() / 255).cpu()
            if block.abs().max() > MAX_FP16:
                raise CliprpnError("internal", "a feature is beyond float16's range")
            maps[start : start + len(block)] = block.half().numpy()
            maps.flush()
            _write_progress(folder, start + len(block), shape)
            on_progress(start + len(block), num_images)


class Progress(NamedTuple):
    """How many pictures are done, and the shape of all maps."""

    done: int
    shape: tuple[int, ...]


def _read_progress(folder: Path) -> Progress | None:
    path = folder / "maps.json"
    if not path.is_file() or not (folder / "maps.f16").is_file():
        return None
    facts = json.loads(path.read_text())
    return Progress(int(facts["done"]), tuple(facts["shape"]))


def _write_progress(folder: Path, done: int, shape: tuple[int, ...]) -> None:
    staging = folder / "maps.json.new"
    with staging.open("w") as file:
        json.dump({"done": done, "shape": shape}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(staging, folder / "maps.json")


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed * 1.05:
        raise CliprpnError(
            "no_space",
            f"{folder}: the features need {needed / 1e9:.2f} GB, {free / 1e9:.2f} GB are free; "
            "make room or set CLIPRPN_CACHE to another disk",
        )
