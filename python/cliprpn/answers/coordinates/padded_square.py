"""A square into which an image is resized and padded, as TransVG, LLaVA and letterboxes of detectors do."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cliprpn.box_arrays import Values
from cliprpn.contract.generated import PaddedFrame


class PaddedSquare(NamedTuple):
    """
    Attributes:
        sides: [N, 1], pixels of the square.
        scales: [N, 1], pixels of the square for a pixel of the original image.
        resized: [N, 2], width and height of the image in the square, whole pixels.
        offsets: [N, 2], padding to the left and at the top, whole pixels.
    """

    sides: Values
    scales: Values
    resized: Values
    offsets: Values


def padded_square(frame: PaddedFrame, sizes: Values) -> PaddedSquare:
    """
    The longer side of the image fills the square. Padding is rounded as TransVG's `datasets/transforms.py`, LLaVA's
    `expand2square` and ultralytics' `LetterBox` do: an odd pixel of it goes to the right or below.

    Args:
        sizes: [N, 2], width and height of the original images.
    """
    longer = sizes.max(axis=1, keepdims=True)
    sides = longer if frame.length is None else np.full_like(longer, frame.length)
    scales = sides / longer
    resized = np.round(sizes * scales)
    offsets = np.round((sides - resized) / 2 - 0.1) if frame.align == "center" else np.zeros_like(resized)
    return PaddedSquare(sides, scales, resized, offsets)
