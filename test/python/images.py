"""Makes small images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cliprpn.data.images import MAX_PIXELS, ImageFile


def noise(height: int, width: int) -> Tensor:
    """[3, height, width], uint8."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, height, width), dtype=np.uint8)
    return torch.from_numpy(pixels)


def write_image(path: Path, seed: int, width: int = 40, height: int = 30, upright: bool = False) -> ImageFile:
    """Writes an image of noise; the same seed and size give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return ImageFile(path, upright, MAX_PIXELS)
