"""What boxes say about their coordinates."""

from __future__ import annotations

from dataclasses import dataclass

# Of the boxes: in their images as said, and as another reading has them, for that to be the likely one.
MAX_FIT_AS_SAID, MIN_FIT_AS_LIKELY = 0.9, 0.97
# Distinct boxes, for a file to be refused: by another reading that fits, and if none is known to fit.
MIN_BOXES, MIN_BOXES_WITHOUT_LIKELY = 5, 10
# Log-likelihood of "all boxes lie in this part of their images by chance": 9 is 1 in 8,000.
CERTAIN = 9.0


@dataclass(frozen=True)
class Fit:
    """What the boxes say about their coordinates.

    Attributes:
        message: None if they fit; otherwise why not, and the reading that would fit.
        is_certain: whether the file should be refused; otherwise it is a warning.
        row: the first box that shows it.
    """

    message: str | None
    is_certain: bool = False
    row: int = 0
