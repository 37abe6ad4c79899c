"""Images per second of extraction, beside plain loops that do one thing at a time: reading, computing, writing.

`python -m bench.extraction [--images FOLDER] [--pairs N] [--num-images N]` prints JSON. Without a folder of images,
JPEG files are drawn. Both sides alternate and must store the same bytes. Two rows simulate a device: a network with
maps of RN50's size takes the time of `DEVICE_IMAGES_PER_S`, in which it leaves the processor to the other stages.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from prepared import write_pixels
from torch import Tensor

from cliprpn.data.image_keys import image_keys
from cliprpn.data.images import MAX_PIXELS, ImageFile, load_image
from cliprpn.data.pixels import Pixels, open_pixels
from cliprpn.data.views.augmentation import Augmentation, augment_pixels
from cliprpn.features.image_features import IMAGES_PER_BLOCK_AT_224, extract_maps
from cliprpn.memory import keep_freed_memory
from cliprpn.models.backbone import ClipBackbone
from cliprpn.models.folding import fold_batch_norm
from cliprpn.ranking.embedding_store import EMBEDDING_COLUMNS, VIEW_BATCH, get_box_embeddings
from cliprpn.ranking.views import render_views
from cliprpn.run_context import RunContext
from cliprpn.storage.array_store import StoreWriter
from cliprpn.storage.keyed_store import KeyedStore
from cliprpn.storage.weights_files import load_backbone

SIZE_PX, BOXES_PER_IMAGE = 224, 3
PER_SHARD = 64_000_000 // (3 * SIZE_PX**2)
DEVICE_IMAGES_PER_S, IMAGES_ON_DEVICE = 400, 8
NUM_DRAWN = 128
# A view whose rendering has all steps.
VIEW = Augmentation(SIZE_PX, True, (20, 10, 200, 210), 1.1, 0.9, 1.2, 0.02, 0.8)
CPU = torch.device("cpu")


@dataclass
class Stages:
    """Seconds of each stage of a plain loop."""

    seconds: dict[str, float] = field(default_factory=lambda: {"read": 0.0, "compute": 0.0, "write": 0.0})

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Adds the time of the block."""
        started = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - started

    def shares(self) -> dict[str, float]:
        """Fractions of the whole."""
        whole = sum(self.seconds.values())
        return {stage: seconds / whole for stage, seconds in self.seconds.items()}


# Extracts into a folder; returns a digest of what it stored.
Pipeline = Callable[[Path], str]
Loop = Callable[[Path, Stages], str]


def main(argv: list[str]) -> None:
    """Measures and prints."""
    args = _arguments(argv)
    keep_freed_memory()
    backbone = load_backbone("cliprpn-tiny", "shipped").to(memory_format=torch.channels_last)
    folded = load_backbone("cliprpn-tiny", "shipped")
    fold_batch_norm(folded)
    folded = folded.to(memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = sorted(args.images.iterdir()) if args.images else _draw(folder / "images")
        files = [files[row % len(files)] for row in range(args.num_images)]
        names = [f"{row:06d}.jpg" for row in range(len(files))]
        write_pixels(files, names, folder / "pixels", SIZE_PX, per_shard=PER_SHARD)
        pixels = open_pixels(folder / "pixels")
        read, render, num = _read_images(pixels), _render_images(pixels), len(files)
        num_on_device = IMAGES_ON_DEVICE * num  # More, because there is little to do for each.
        sides = {
            "maps": (num, *_maps(num, backbone, read)),
            "views": (num, *_maps(num, backbone, render)),
            "crops": (len(set(files)), *_crops(files, folded)),
            "maps_on_device": (num_on_device, *_maps(num_on_device, _OnDevice(), read)),
            "views_on_device": (num, *_maps(num, _OnDevice(), render)),
        }
        rows = {what: _compare(folder, *side, args.pairs) for what, side in sides.items()}
    print(json.dumps({"rows": rows}))


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.extraction")
    parser.add_argument("--images", type=Path, default=None)
    parser.add_argument("--num-images", type=int, default=256)
    parser.add_argument("--pairs", type=int, default=3)
    return parser.parse_args(argv)


def _compare(folder: Path, num_images: int, pipeline: Pipeline, loop: Loop, pairs: int) -> dict[str, Any]:
    """Medians of both sides, which alternate, after a run of each that is not timed."""
    times: dict[str, list[float]] = {"pipeline": [], "loop": []}
    digests = set()
    stages = Stages()
    for run in range(pairs + 1):
        for name in times:
            with tempfile.TemporaryDirectory(dir=folder) as out:
                shares = Stages()
                started = time.perf_counter()
                digests.add(
                    pipeline(Path(out) / "store") if name == "pipeline" else loop(Path(out) / "store", shares)
                )
                if run == 0:
                    continue
                times[name].append(time.perf_counter() - started)
                for stage, seconds in shares.seconds.items():
                    stages.seconds[stage] += seconds
    if len(digests) != 1:
        raise SystemExit("expected the same bytes from both sides, found others")
    ratios = [
        loop_s / pipeline_s for loop_s, pipeline_s in zip(times["loop"], times["pipeline"], strict=True)
    ]
    return {
        "num_images": num_images,
        "images_per_s": num_images / statistics.median(times["pipeline"]),
        "loop_images_per_s": num_images / statistics.median(times["loop"]),
        "ratio": statistics.median(ratios),
        "ratios": sorted(ratios),
        "loop_shares": stages.shares(),
    }


# Reads images start to end: [b, 3, S, S], uint8.
Read = Callable[[int, int], Tensor]


def _maps(num_images: int, backbone: ClipBackbone, read: Read) -> tuple[Pipeline, Loop]:
    row_shape = (backbone.map_channels, SIZE_PX // 32, SIZE_PX // 32)

    def pipeline(folder: Path) -> str:
        extract_maps(
            folder,
            lambda start, end: (read(start, end), {}),
            num_images,
            SIZE_PX,
            backbone,
            {},
            _context(),
        )
        return _digest((folder / "maps.npy").read_bytes())

    def loop(folder: Path, stages: Stages) -> str:
        with StoreWriter(folder, {"maps": (row_shape, np.float16)}, {}) as store:
            for start in range(0, num_images, IMAGES_PER_BLOCK_AT_224):
                with stages.timed("read"):
                    images = read(start, min(start + IMAGES_PER_BLOCK_AT_224, num_images))
                with stages.timed("compute"):
                    maps = backbone.feature_map(images.float() / 255).half().numpy()
                with stages.timed("write"):
                    store.append(len(maps), {"maps": maps})
            with stages.timed("write"):
                store.finish()
        return _digest((folder / "maps.npy").read_bytes())

    return pipeline, loop


def _read_images(pixels: Pixels) -> Read:
    return lambda start, end: pixels.batch(np.arange(start, end) % len(pixels.file_names))


def _render_images(pixels: Pixels) -> Read:
    return lambda start, end: torch.stack(
        [augment_pixels(image, VIEW) for image in pixels.batch(np.arange(start, end))]
    )


def _crops(paths: list[Path], backbone: ClipBackbone) -> tuple[Pipeline, Loop]:
    files = [ImageFile(path, True, MAX_PIXELS) for path in dict.fromkeys(paths)]
    wanted = [(file, _boxes(file.path)) for file in files]

    def encode(views: Tensor) -> Tensor:
        return backbone.encode_image(views.contiguous(memory_format=torch.channels_last))

    def pipeline(folder: Path) -> str:
        embeddings = get_box_embeddings(
            wanted,
            "crop",
            folder / "a.sqlite",
            backbone.pooled_dim,
            lambda image, boxes: render_views(image, boxes, "crop", SIZE_PX),
            lambda: encode,
            _context(),
        )
        return _digest(torch.cat(embeddings).half().numpy().tobytes())

    def loop(folder: Path, stages: Stages) -> str:
        folder.mkdir()
        stored: list[bytes] = []
        waiting: list[Tensor] = []

        def flush(views: Tensor, store: KeyedStore) -> None:
            with stages.timed("compute"):
                embeddings = encode(views).half().numpy()
            with stages.timed("write"):
                for embedding in embeddings:
                    store.put(f"{len(stored)}", [(embedding.tobytes(),)])
                    stored.append(embedding.tobytes())

        with stages.timed("read"):
            image_keys(files)
        with KeyedStore(folder / "a.sqlite", EMBEDDING_COLUMNS) as store:
            for file, boxes in wanted:
                with stages.timed("read"):
                    image = load_image(file)
                with stages.timed("compute"):
                    waiting.append(render_views(image, boxes, "crop", SIZE_PX))
                if sum(map(len, waiting)) >= VIEW_BATCH:
                    views = torch.cat(waiting)
                    flush(views[:VIEW_BATCH], store)
                    waiting = [views[VIEW_BATCH:]]
            flush(torch.cat(waiting), store)
            with stages.timed("write"):
                store.commit()
        return _digest(b"".join(stored))

    return pipeline, loop


def _boxes(path: Path) -> Tensor:
    """Boxes of different sizes in the image."""
    with Image.open(path) as image:
        width, height = image.size
    corners = torch.tensor([[0.1, 0.1, 0.5, 0.6], [0.3, 0.2, 0.9, 0.9], [0.0, 0.4, 0.4, 1.0]])
    size = torch.tensor([width, height, width, height])
    return (corners[:BOXES_PER_IMAGE] * size).floor()


class _OnDevice(ClipBackbone):
    """Stands for a network on a device: it waits, and returns the same maps for all images."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.map_channels = 2048
        self._maps = torch.rand(IMAGES_PER_BLOCK_AT_224, self.map_channels, SIZE_PX // 32, SIZE_PX // 32)

    def feature_map(self, pixels: Tensor) -> Tensor:
        time.sleep(len(pixels) / DEVICE_IMAGES_PER_S)
        return self._maps[: len(pixels)]


def _draw(folder: Path) -> list[Path]:
    """JPEG files of 640 x 480 pixels, about as large as those of COCO."""
    folder.mkdir()
    random = np.random.default_rng(0)
    files = []
    for row in range(NUM_DRAWN):
        noise = Image.fromarray(random.integers(0, 256, (120, 160, 3), dtype=np.uint8))
        files.append(folder / f"{row:06d}.jpg")
        noise.resize((640, 480), Image.Resampling.BICUBIC).save(files[-1], quality=90)
    return files


def _context() -> RunContext:
    return RunContext(CPU, Path("unused"), lambda event: None, lambda: False)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])
