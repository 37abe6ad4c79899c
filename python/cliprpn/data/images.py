"""Cuts boxes out of pictures, for CLIP to look at."""

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

# Below the size from which Pillow itself warns of decompression bombs.
MAX_PIXELS = 80_000_000
# Only what Pillow decodes by itself: no format that calls another program, such as EPS.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF")


def load_crop(
    path: Path, box_xyxy: Sequence[float], size_px: int, upright: bool = False, max_pixels: int = MAX_PIXELS
) -> Tensor:
    """A box of a picture: every pixel that it touches, at least one, squashed by CLIP's own filter.

    The filter is bicubic, antialiased.

    Args:
        box_xyxy: pixels, inside the picture.
        max_pixels: a picture with more is refused.
        upright: whether the box lies in the picture with its rotation flag (EXIF) applied.

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
        if crop.mode.startswith("I;16"):  # Pillow would cut 16 bits at 255: nearly everything white.
            crop = Image.fromarray((np.asarray(crop) >> 8).astype(np.uint8))
        squashed = crop.convert("RGB").resize((size_px, size_px), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(squashed)).permute(2, 0, 1)


@contextmanager
def _opened(path: Path, max_pixels: int) -> Iterator[Image.Image]:
    """The picture, not decoded yet; whatever a broken file makes Pillow raise becomes data_invalid."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise CliprpnError(
                    "data_invalid",
                    f"{path}: expected at most {max_pixels:,} pixels, found {image.width} x {image.height}",
                )
            yield image
    except (OSError, SyntaxError, ValueError, EOFError, LookupError, struct.error, zlib.error) as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected a picture ({', '.join(FORMATS)}), found a broken one: {error}"
        ) from error
    except Image.DecompressionBombError as error:
        raise CliprpnError("data_invalid", f"{path}: {error}") from error
