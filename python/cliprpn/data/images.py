"""Decodes images, whole or a box of them, and knows them by their content."""

from __future__ import annotations

import hashlib
import math
import os
import struct
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from cliprpn.data.index import DatasetIndex, read_facts
from cliprpn.errors import CliprpnError

# Below the size from which Pillow itself warns of decompression bombs.
MAX_PIXELS = 80_000_000
# Only what Pillow decodes by itself: no format that calls another program, such as EPS.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF")
# Hashes of files that are remembered: more than the images of RefCOCOg.
MAX_HASHES = 100_000
MAX_THREADS = 8
DECODED_AHEAD = 16


@dataclass(frozen=True)
class ImageFile:
    """An image and how it is looked at.

    Attributes:
        upright: whether its rotation flag (EXIF) is applied.
        max_pixels: with more it is refused.
    """

    path: Path
    upright: bool
    max_pixels: int


def image_files(index: DatasetIndex, image_rows: Iterable[int]) -> list[ImageFile]:
    """The files of a data set's images, in the frame that its boxes lie in.

    Raises:
        CliprpnError: data_invalid, where the data set has no images.
    """
    if index.images_dir is None:
        raise CliprpnError(
            "data_invalid", f"{index.root}: expected a data set with images, found one without"
        )
    max_pixels = read_facts(index.root).max_pixels
    names, upright = (index.images[key].to_pylist() for key in ("file_name", "upright"))
    return [ImageFile(index.images_dir / names[row], upright[row], max_pixels) for row in image_rows]


def load_image(file: ImageFile) -> Tensor:
    """
    Returns:
        [3, H, W], uint8, RGB.

    Raises:
        CliprpnError: data_invalid, naming the file.
    """
    with _opened(file.path, file.max_pixels) as stored:
        image = ImageOps.exif_transpose(stored) if file.upright else stored
        pixels = np.array(_eight_bits(image).convert("RGB"))
        return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def load_images(files: Iterable[ImageFile]) -> Iterator[Tensor]:
    """Each image, in their order; the next ones are decoded while the caller looks at one.

    Raises:
        CliprpnError: data_invalid, naming the file, in its turn.
    """
    left = iter(files)
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        ahead = deque(pool.submit(load_image, file) for file in islice(left, DECODED_AHEAD))
        try:
            while ahead:
                picture = ahead.popleft().result()
                ahead.extend(pool.submit(load_image, file) for file in islice(left, 1))
                yield picture
        finally:
            for each in ahead:
                each.cancel()


def image_keys(files: Iterable[ImageFile]) -> list[str]:
    """The key of each image.

    Raises:
        CliprpnError: data_invalid, where a file is missing.
    """
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        return list(pool.map(image_key, files))


def image_key(file: ImageFile) -> str:
    """Names what `load_image` gives, wherever the file lies: of the same image it is the same in two data sets.

    Raises:
        CliprpnError: data_invalid, where there is no such file.
    """
    try:
        digest = file_sha256(file.path)
    except OSError as error:
        raise _unreadable(file.path, error) from error
    return f"{digest}-upright" if file.upright else digest


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, read once per process and state of the file.

    Raises:
        OSError.
    """
    found = path.stat()
    return _file_hash(path, found.st_size, found.st_mtime_ns)


@lru_cache(MAX_HASHES)
def _file_hash(path: Path, size: int, mtime_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_crop(
    path: Path, box_xyxy: Sequence[float], size_px: int, upright: bool = False, max_pixels: int = MAX_PIXELS
) -> Tensor:
    """A box of an image: every pixel that it touches, at least one, squashed by CLIP's own filter.

    The filter is bicubic, antialiased.

    Args:
        box_xyxy: pixels, inside the image.
        max_pixels: an image with more is refused.
        upright: whether the box lies in the image with its rotation flag (EXIF) applied.

    Returns:
        [3, size_px, size_px], uint8, RGB.

    Raises:
        CliprpnError: data_invalid, naming the file.
    """
    with _opened(path, max_pixels) as stored:
        image = ImageOps.exif_transpose(stored) if upright else stored
        left, top = (
            min(math.floor(side), edge - 1) for side, edge in zip(box_xyxy[:2], image.size, strict=True)
        )
        right, bottom = (math.ceil(side) for side in box_xyxy[2:])
        crop = image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
        squashed = _eight_bits(crop).convert("RGB").resize((size_px, size_px), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(squashed)).permute(2, 0, 1)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pillow would cut 16 bits at 255: nearly everything white."""
    if not image.mode.startswith("I;16"):
        return image
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


@contextmanager
def _opened(path: Path, max_pixels: int) -> Iterator[Image.Image]:
    """The image, not decoded yet; whatever a broken file makes Pillow raise becomes data_invalid."""
    # Pillow's own limit is of the process; a data set's may be above it.
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, max_pixels)
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise CliprpnError(
                    "data_invalid",
                    f"{path}: expected at most {max_pixels:,} pixels, found {image.width} x {image.height}",
                )
            yield image
    except FileNotFoundError as error:
        raise _unreadable(path, error) from error
    except (OSError, SyntaxError, ValueError, EOFError, LookupError, struct.error, zlib.error) as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected an image ({', '.join(FORMATS)}), found a broken one: {error}"
        ) from error
    except Image.DecompressionBombError as error:
        raise CliprpnError("data_invalid", f"{path}: {error}") from error


def _unreadable(path: Path, error: OSError) -> CliprpnError:
    if isinstance(error, FileNotFoundError):
        return CliprpnError("data_invalid", f"{path}: expected an image, found no file")
    return CliprpnError(
        "data_invalid", f"{path}: expected an image, found a file that cannot be read: {error}"
    )
