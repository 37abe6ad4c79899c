"""Decodes pictures and brings them to CLIP's size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from cliprpn.errors import CliprpnError

# Part of the features' key: change it whenever the same file would give other pixels.
PREPROCESSING_VERSION = "pil-squash-bicubic-1"
MAX_PIXELS = 100_000_000


def load_squashed(path: Path, size_px: int) -> Tensor:
    """A picture squashed to a square, as the original does it, by CLIP's own bicubic filter.

    Rotation flags (EXIF) are not applied: COCO's boxes are in the stored frame.

    Returns:
        [3, size_px, size_px], uint8, RGB.

    Raises:
        CliprpnError: data_invalid, naming the file.
    """
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise CliprpnError(
                    "data_invalid",
                    f"{path}: {image.width} x {image.height} pixels, more than {MAX_PIXELS:,}",
                )
            squashed = image.convert("RGB").resize((size_px, size_px), Image.Resampling.BICUBIC)
            return torch.from_numpy(np.array(squashed)).permute(2, 0, 1)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise CliprpnError("data_invalid", f"{path}: expected a picture: {error}") from error
    except Image.DecompressionBombError as error:
        raise CliprpnError("data_invalid", f"{path}: {error}") from error
