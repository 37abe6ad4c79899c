"""Which coordinates of the original image have boxes inside their images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cliprpn.answers.coordinates.coordinates import ORDERS, SUFFIXES, coordinates_of, to_original
from cliprpn.answers.fit.box_table import BoxTable, are_inside
from cliprpn.answers.fit.fit import MIN_FIT_AS_LIKELY
from cliprpn.answers.fit.padded import with_padded
from cliprpn.box_arrays import Values

# Normalized coordinates that were rounded extend past 1 by a little.
NORM_LIMIT = 1.01


def fitting_readings(boxes: Values, sizes: Values) -> list[str]:
    """The readings in which nearly all boxes lie inside their images, the best first."""
    likely = [(name, fit) for name, fit in _readings(boxes, sizes) if fit >= MIN_FIT_AS_LIKELY]
    return with_padded([name for name, _ in sorted(likely, key=lambda item: -item[1])], boxes, sizes)


def other_readings(table: BoxTable) -> Iterator[tuple[str, float]]:
    """The part of the boxes that lie inside their images, for every other reading that is plausible."""
    for name, fit in _readings(table.boxes, table.sizes):
        if name != table.said.box_format or not table.is_original:
            yield name, fit


def _readings(boxes: Values, sizes: Values) -> Iterator[tuple[str, float]]:
    within = (np.abs(boxes) <= NORM_LIMIT).all(axis=1).mean()
    for suffix in SUFFIXES:
        # Normalized boxes are none in pixels, and boxes in pixels are not normalized.
        if (suffix == "_norm" and within < 0.97) or (suffix != "_norm" and within > 0.5):
            continue
        for order in ORDERS:
            corners = to_original(boxes, coordinates_of(order + suffix), sizes, sizes)
            yield order + suffix, float(are_inside(corners, sizes).mean())
