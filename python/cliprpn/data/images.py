"""Decodes images."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from cliprpn.data.index import DatasetIndex, read_facts
from cliprpn.errors import CliprpnError
from cliprpn.pipeline.read_ahead import read_ahead

# Default limit; Pillow warns of decompression bombs above 89 million pixels.
MAX_PIXELS = 80_000_000
# Only formats that Pillow decodes itself, none that runs another program, such as EPS.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF")
MAX_DECODING_THREADS = 8
DECODED_AHEAD = 16


@dataclass(frozen=True)
class ImageFile:
    """An image file and how to decode it.

    Attributes:
        upright: whether to apply its rotation flag (EXIF).
        max_pixels: larger images are rejected.
    """

    path: Path
    upright: bool
    max_pixels: int


def image_files(index: DatasetIndex, image_rows: Iterable[int]) -> list[ImageFile]:
    """The files of a dataset's images, to be decoded with the orientation that its boxes have.

    Raises:
        CliprpnError: data_invalid, if the dataset has no images.
    """
    if index.images_dir is None:
        raise CliprpnError("data_invalid", f"{index.root}: expected a dataset with images, found one without")
    max_pixels = read_facts(index.root).max_pixels
    names, upright = (index.images[key].to_pylist() for key in ("file_name", "upright"))
    return [ImageFile(index.images_dir / names[row], upright[row], max_pixels) for row in image_rows]


def load_image(file: ImageFile) -> Tensor:
    """Decodes an image.

    Returns:
        [3, H, W], uint8, RGB.

    Raises:
        CliprpnError: data_invalid, naming the file.
    """
    with _open_image(file.path, file.max_pixels) as stored:
        image = ImageOps.exif_transpose(stored) if file.upright else stored
        pixels = np.array(_to_8_bits(image).convert("RGB"))
        return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def load_images(files: Iterable[ImageFile]) -> Generator[Tensor, None, None]:
    """Yields the images in order, and decodes the next ones in the background.

    Raises:
        CliprpnError: data_invalid, naming the file, when its turn comes.
    """
    return read_ahead(load_image, files, min(MAX_DECODING_THREADS, os.cpu_count() or 1), DECODED_AHEAD)


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scales 16-bit values to 8 bits; Pillow would clip them to 255 and return a nearly white image."""
    if not image.mode.startswith("I;16"):
        return image
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


@contextmanager
def _open_image(path: Path, max_pixels: int) -> Iterator[Image.Image]:
    """The image, not decoded yet.

    Raises:
        CliprpnError: data_invalid, for any error that Pillow raises within the context for a broken file.
    """
    # Pillow's limit applies to the whole process; a dataset's may be higher.
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
        raise CliprpnError("data_invalid", f"{path}: expected an image, found no file") from error
    except (OSError, SyntaxError, ValueError, EOFError, LookupError, struct.error, zlib.error) as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected an image ({', '.join(FORMATS)}), found a broken one: {error}"
        ) from error
    except Image.DecompressionBombError as error:
        raise CliprpnError("data_invalid", f"{path}: {error}") from error
