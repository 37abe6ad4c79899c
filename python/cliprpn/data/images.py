"""Decodes pictures and brings them to CLIP's size."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from cliprpn.errors import CliprpnError

# Part of the features' key: change it whenever the same file would give other pixels.
PREPROCESSING_VERSION = "pil-squash-bicubic-2"
# Below the size from which Pillow itself warns of decompression bombs.
MAX_PIXELS = 80_000_000
# Only what Pillow decodes by itself: no format that calls another program, such as EPS.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")


def load_squashed(path: Path, size_px: int) -> Tensor:
    """A picture squashed to a square by CLIP's own filter (bicubic, antialiased).

    OpenAI's preprocessing keeps the shape and cuts out the centre; here the whole picture is squashed, as
    the original ClipRPN does, since an object may lie anywhere. The backbone normalises by its own mean
    and deviation. Rotation flags (EXIF) are not applied: COCO's boxes are in the stored frame.

    Returns:
        [3, size_px, size_px], uint8, RGB.

    Raises:
        CliprpnError: data_invalid, naming the file.
    """
    with _opened(path) as image:
        return _squashed(image, size_px)


def load_upright(path: Path, size_px: int) -> tuple[Tensor, tuple[int, int]]:
    """As `load_squashed`, but the right way up: a photo's rotation flag (EXIF) is applied first.

    For a person's own photo, of which no boxes exist yet. Returns the pixels, and width and height upright.

    Raises:
        CliprpnError: data_invalid, naming the file.
    """
    with _opened(path) as image:
        upright = ImageOps.exif_transpose(image)
        return _squashed(upright, size_px), upright.size


def _squashed(image: Image.Image, size_px: int) -> Tensor:
    if image.mode.startswith("I;16"):  # Pillow would cut 16 bits at 255: nearly everything white.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    squashed = image.convert("RGB").resize((size_px, size_px), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(squashed)).permute(2, 0, 1)


def load_crop(path: Path, box_xyxy: Sequence[float], size_px: int) -> Tensor:
    """As `load_squashed`, of a box of the picture only: every pixel that it touches, at least one.

    Args:
        box_xyxy: pixels of the stored frame, inside the picture.

    Raises:
        CliprpnError: data_invalid, naming the file.
    """
    with _opened(path) as image:
        left, top = (
            min(math.floor(side), edge - 1) for side, edge in zip(box_xyxy[:2], image.size, strict=True)
        )
        right, bottom = (math.ceil(side) for side in box_xyxy[2:])
        return _squashed(image.crop((left, top, max(right, left + 1), max(bottom, top + 1))), size_px)


def read_size(path: Path) -> tuple[int, int]:
    """Width and height in the stored frame, in pixels, from the header alone.

    Raises:
        CliprpnError: data_invalid, naming the file.
    """
    with _opened(path) as image:
        return image.size


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The picture, not decoded yet; whatever a broken file makes Pillow raise becomes data_invalid."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise CliprpnError(
                    "data_invalid",
                    f"{path}: expected at most {MAX_PIXELS:,} pixels, found {image.width} x {image.height}",
                )
            yield image
    except (OSError, SyntaxError, ValueError, EOFError, LookupError, struct.error, zlib.error) as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected a picture ({', '.join(FORMATS)}), found a broken one: {error}"
        ) from error
    except Image.DecompressionBombError as error:
        raise CliprpnError("data_invalid", f"{path}: {error}") from error
