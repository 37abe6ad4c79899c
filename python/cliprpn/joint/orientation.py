"""The frame of the boxes of images with an EXIF orientation, if datasets agree on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PIL import Image

from cliprpn.errors import CliprpnError

EXIF_ORIENTATION = 0x0112


def common_orientation(files: Sequence[tuple[Path, bool]]) -> Literal["stored", "upright"]:
    """Whether boxes are in the frame of the stored pixels, or in the upright one.

    Args:
        files: images, and whether an EXIF orientation was applied to them.

    Raises:
        CliprpnError: data_invalid, if some images are in the one and some in the other.
    """
    turned = next((path for path, is_upright in files if is_upright), None)
    if turned is None:
        return "stored"
    stored = next((path for path, is_upright in files if not is_upright and _has_orientation(path)), None)
    if stored is not None:
        raise CliprpnError(
            "data_invalid",
            f"train_on: expected boxes of rotated images in the same frame in all datasets, found {turned} upright and "
            f"{stored} as stored; prepare the datasets with the same --orientation",
        )
    return "upright"


def _has_orientation(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return 2 <= int(image.getexif().get(EXIF_ORIENTATION, 1)) <= 8
    except (OSError, ValueError, SyntaxError):
        return False  # The preparation reports broken images.
