"""Writes small image files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cliprpn.data.images import MAX_PIXELS, ImageFile


def write_image(path: Path, seed: int, width: int = 40, height: int = 30, upright: bool = False) -> ImageFile:
    """Writes an image of noise; the same seed and size give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return ImageFile(path, upright, MAX_PIXELS)
