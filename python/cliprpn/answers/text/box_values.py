"""Four numbers of a box, of whatever type a file has them in."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from cliprpn.answers.answer_row import Box
from cliprpn.contract.generated import Coordinates
from cliprpn.data.checks import MAX_COORDINATE_PX

# As Python, NumPy and PyTorch write them: 12, 12.5, 12., .5, 1.2e+01.
NUMBER = r"([-+]?(?:\d{1,7}(?:\.\d{0,17})?|\.\d{1,17})(?:[eE][-+]?\d{1,2})?)"
_SEPARATOR = r"(?:\s{0,20}[,;]\s{0,20}|\s{1,20})"
# One bracket: `[[..], [..]]` has several.
BRACKETED = rf"[\[(]\s{{0,20}}{_SEPARATOR.join([NUMBER] * 4)}\s{{0,20}},?\s{{0,20}}[\])]"
# Numbers of NumPy and PyTorch in a list, such as np.float64(12.5).
SCALAR = re.compile(
    rf"\b(?:np\.|numpy\.|torch\.)?(?:tensor|float\d{{0,2}}|int\d{{0,2}})\(\s{{0,5}}{NUMBER}[^()]{{0,60}}\)"
)


class TextBox(NamedTuple):
    """A box, its coordinates if the notation is certain, and how many boxes there are."""

    box: Box
    coordinates: Coordinates | None
    num_boxes: int


def box_of(value: Any) -> Box | None:
    """Four finite numbers of a usual size; None for anything else. One list around them is taken off."""
    if not isinstance(value, (list, tuple)):
        return None
    if len(value) == 1 and isinstance(value[0], (list, tuple)):
        value = value[0]
    if len(value) != 4:
        return None
    a, b, c, d = map(_number, value)
    if a is None or b is None or c is None or d is None:
        return None
    return (a, b, c, d)


def _number(value: Any) -> float | None:
    """A finite number of a usual size."""
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, float) and (isinstance(value, bool) or not isinstance(value, int)):
        return None
    return float(value) if abs(value) <= MAX_COORDINATE_PX else None  # A NaN is not below.
