"""Images per second of extraction: decoding, reading prepared images, the network, and all up to the store."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image
from prepared import write_pixels
from safetensors.torch import save_file

from bench.gpu.device import make_context, peak_memory, reset_peak_memory, wait_for
from bench.gpu.features import Size
from bench.gpu.row import Row
from bench.gpu.training import NUM_THREADS
from cliprpn.data.images import MAX_PIXELS, ImageFile, load_images
from cliprpn.data.pixels import Pixels, open_pixels
from cliprpn.features.image_features import extract_maps
from cliprpn.models.backbone import ClipBackbone
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.weights_files import load_backbone

# Files that are read again and again: from the page cache, as the second half of a new dataset's would be.
NUM_FILES = 64
# RefCOCOg's images are at most 640 x 640.
WIDTH, HEIGHT = 640, 480


def measure_extraction(size: Size, requested: str, scratch: Path, limit_s: float) -> Iterator[Row]:
    """Each stage for as many images as its share of the limit allows.

    Raises:
        CliprpnError: device_unavailable, no_space, weights_*.
    """
    context = make_context(requested, scratch)
    seed_everything(0, NUM_THREADS)
    part_s = limit_s / 5
    files = made_images(scratch / "images")
    jpegs = [ImageFile(file, False, MAX_PIXELS) for file in files]

    def decode(count: int) -> None:
        for _ in load_images(jpegs[row % len(jpegs)] for row in range(count)):
            pass

    rate, num = repeat(decode, size, part_s)
    note = f"{num} JPEGs of {WIDTH} x {HEIGHT} with Pillow on {os.cpu_count()} cores, not resized"
    yield Row("extraction", "decoding images", {"images_per_s": rate}, [note])

    pixels = open_made_pixels(files, scratch / "pixels", size.image_size_px)
    block = size.few_images

    def read(count: int) -> None:
        for start in range(0, count, block):
            read_block(pixels, start, min(start + block, count))

    rate, num = repeat(read, size, min(part_s, 2.0))
    yield Row(
        "extraction", "reading prepared images", {"images_per_s": rate}, [f"{num} images, blocks of {block}"]
    )

    started = time.monotonic()
    backbone = load_made_backbone(size, scratch)
    loading_s = time.monotonic() - started
    yield from _network_rows(backbone, pixels, part_s, loading_s, size, context)


def _network_rows(
    backbone: ClipBackbone, pixels: Pixels, part_s: float, loading_s: float, size: Size, context: RunContext
) -> Iterator[Row]:
    device, block = context.device, size.few_images
    stores = 0

    def extract(count: int) -> None:
        nonlocal stores
        stores += 1
        extract_maps(
            context.cache_dir / f"maps-{stores}",
            lambda start, end: (read_block(pixels, start, end), {}),
            count,
            size.image_size_px,
            backbone,
            {},
            context,
        )

    reset_peak_memory(device)
    rate, num = repeat(
        extract, size, part_s
    )  # Leaves the network on the device, in the memory format of extraction.
    notes = [f"{num} images, {size.backbone} with random weights, float32 without TF32"]
    memory = peak_memory(device)

    inputs = read_block(pixels, 0, block).to(device).float() / 255

    def compute(count: int) -> None:
        for _ in range(0, count, block):
            backbone.feature_map(inputs)
        wait_for(device)

    alone, num_alone = repeat(compute, size, part_s)
    figures = {"images_per_s": alone, "loading_s": loading_s}
    yield Row("extraction", "the network alone", figures, [f"{num_alone} images, blocks of {block}"])
    figures = {"images_per_s": rate, "share_of_network": rate / alone, **memory}
    yield Row("extraction", "prepared images to the store", figures, notes)


def repeat(work: Callable[[int], object], size: Size, limit_s: float) -> tuple[float, int]:
    """Items per second, and their number: as many as the limit allows, judged by a few after a warm-up."""
    few = size.few_images
    work(few)
    started = time.monotonic()
    work(few)
    few_s = time.monotonic() - started
    num = int(min(size.most_images, max(few, 0.5 * limit_s / max(few_s, 1e-6) * few)))
    num -= num % few
    started = time.monotonic()
    work(num)
    return num / (time.monotonic() - started), num


def read_block(pixels: Pixels, start: int, end: int) -> torch.Tensor:
    """Images start to end, as a trial reads them."""
    return pixels.batch(np.arange(start, end) % len(pixels.file_names))


def made_images(folder: Path) -> list[Path]:
    """JPEGs of smooth noise, which are as hard to decode as photos."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    files = []
    for number in range(NUM_FILES):
        files.append(folder / f"{number}.jpg")
        coarse = random.integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).save(files[-1], quality=90)
    return files


def open_made_pixels(files: list[Path], folder: Path, image_size_px: int) -> Pixels:
    """These images, prepared as the command line does, but by Pillow."""
    if not (folder / "manifest.json").is_file():
        write_pixels(files, [file.name for file in files], folder, image_size_px, per_shard=len(files))
    return open_pixels(folder)


def weights_file(size: Size, scratch: Path) -> str:
    """The value of `backbone.weights`: a file of CLIP RN50 with random weights, or `shipped` of cliprpn-tiny."""
    if size.backbone == "cliprpn-tiny":
        return "shipped"
    file = scratch / "random-rn50.safetensors"
    if not file.is_file():
        model = open_clip.create_model(size.backbone, pretrained=None)
        save_file({key: value.contiguous() for key, value in model.state_dict().items()}, file)
    return str(file)


def load_made_backbone(size: Size, scratch: Path) -> ClipBackbone:
    """CLIP from its file, as a trial loads it.

    Raises:
        CliprpnError: weights_*.
    """
    return load_backbone(size.backbone, weights_file(size, scratch))
