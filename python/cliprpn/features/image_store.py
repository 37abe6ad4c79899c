"""Feature maps of a data set's pictures, made block by block."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cliprpn.data.images import load_squashed
from cliprpn.data.index import DatasetIndex
from cliprpn.durable import check_space
from cliprpn.errors import CliprpnError
from cliprpn.features.half import to_half
from cliprpn.features.store import StoreWriter
from cliprpn.models.backbone import ClipBackbone

# Pictures of 224 px in one pass; fewer of a larger size, so that memory stays the same.
BLOCK_AT_224 = 64
BLOCKS_AHEAD = 3
STRIDE_PX = 32


def extract_maps(
    folder: Path,
    index: DatasetIndex,
    backbone: ClipBackbone,
    image_size_px: int,
    device: torch.device,
    facts: dict[str, object],
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> None:
    """Fills the store `maps` [num_images, C, h, w], float16. The caller holds the lock.

    Blocks start at the same pictures whether or not a run was killed, so that the bytes are the same too.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, weights_mismatch.
    """
    num_images = index.images.num_rows
    cells = image_size_px // STRIDE_PX
    row_shape = (backbone.map_channels, cells, cells)
    size = max(1, BLOCK_AT_224 * 224**2 // image_size_px**2)
    backbone = backbone.to(device)
    if device.type == "cpu":  # 1.7 times faster there.
        backbone = backbone.to(memory_format=torch.channels_last)
    with StoreWriter(folder, {"maps": (row_shape, np.float16)}, facts) as store, _full_precision(device):
        check_space(folder, (num_images - store.done) * int(np.prod(row_shape)) * 2)
        on_progress(store.done, num_images)
        blocks = [
            range(start, min(start + size, num_images)) for start in range(store.done, num_images, size)
        ]
        for rows, pixels in zip(blocks, _decoded(index, blocks, image_size_px, device), strict=True):
            maps = backbone.feature_map(pixels.to(device).float() / 255)  # [b, C, h, w]
            what = f"the maps of pictures {rows[0] + 1} to {rows[-1] + 1}"
            store.append(len(rows), {"maps": to_half(maps, what)})
            on_progress(store.done, num_images)
            if should_stop():
                store.commit()
                raise CliprpnError("interrupted", "stopped while extracting features")
        store.finish()


def _decoded(
    index: DatasetIndex, blocks: list[range], image_size_px: int, device: torch.device
) -> Iterator[Tensor]:
    """Each block's pictures, [b, 3, H, W] uint8, a few blocks decoded ahead by threads of their own."""
    waiting: deque[list[Future[Tensor]]] = deque()
    # On a CPU, the network needs the cores; beside a GPU they have nothing else to do.
    num_threads = min(16, os.cpu_count() or 1) if device.type != "cpu" else 2
    pool = ThreadPoolExecutor(num_threads)
    try:
        for position in range(len(blocks)):
            for rows in blocks[position + len(waiting) : position + BLOCKS_AHEAD]:
                paths = (index.image_path(row) for row in rows)
                waiting.append([pool.submit(load_squashed, path, image_size_px) for path in paths])
            yield torch.stack([future.result() for future in waiting.popleft()])
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    """No TF32 in CUDA's convolutions: its 10 bits would be all that float16 keeps."""
    if device.type != "cuda":
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False):
        yield
