"""Boxes, and what they are in the coordinates that were said."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliprpn.answers.coordinates.coordinates import coordinates_of, full_sizes, to_original
from cliprpn.answers.fit.fit import MIN_BOXES
from cliprpn.box_arrays import Values
from cliprpn.contract.generated import Coordinates

# Boxes that a file with another unit and another order needs to be refused.
MIN_BOXES_OF_OTHER_KIND = 20
EDGE_PX, EDGE_PART = 2.0, 0.01


class BoxTable:
    """Boxes, and what they are as said.

    Attributes:
        order, unit: of the coordinates as said, such as xyxy and norm.
        corners: [N, 4], xyxy, pixels of the original images.
        inside: [N], whether each box has an area and lies in its image.
        distinct: rows whose four numbers no earlier row has.
    """

    def __init__(
        self, boxes: Values, said: Coordinates, sizes: Values, row_frames: Values, images: Values
    ) -> None:
        self.boxes, self.said, self.sizes, self.row_frames = boxes, said, sizes, row_frames
        self.num, self.images, self.distinct = len(boxes), images, first_rows(boxes)
        self.num_distinct = len(self.distinct)
        self.order, _, self.unit = said.box_format.partition("_")
        self.is_original = said.frame.kind == "original"
        self.full = full_sizes(said, sizes, row_frames)
        self.corners = to_original(boxes, said, sizes, row_frames)
        self.inside = are_inside(self.corners, sizes)

    def min_boxes_for(self, name: str) -> int:
        """How many boxes it takes to be sure of another reading."""
        order, _, unit = name.partition("_")
        return MIN_BOXES if order == self.order or unit == self.unit else MIN_BOXES_OF_OTHER_KIND

    def is_enough(self, min_boxes: int) -> bool:
        """Whether there are enough boxes to refuse a file; if none fits, it takes few."""
        return self.num_distinct >= min_boxes or (self.num >= MIN_BOXES and not self.inside.any())

    def corners_as(self, name: str) -> Values:
        return to_original(self.boxes, coordinates_of(name), self.sizes, self.row_frames)

    def full_as(self, name: str) -> Values:
        return full_sizes(coordinates_of(name), self.sizes, self.row_frames)


def first_rows(values: Values) -> NDArray[np.int64]:
    """The first row of each different one, in their order."""
    return np.sort(np.unique(values, axis=0, return_index=True)[1])


def are_inside(corners: Values, sizes: Values, edge: float = EDGE_PX) -> NDArray[np.bool_]:
    """Whether boxes have an area and lie inside their images, up to two pixels or a hundredth."""
    tolerance = np.tile(np.maximum(edge, EDGE_PART * sizes), 2)
    has_area = (corners[:, 2:] > corners[:, :2]).all(axis=1)
    with np.errstate(invalid="ignore"):
        limits = np.tile(sizes, 2) + tolerance
        return has_area & (corners >= -tolerance).all(axis=1) & (corners <= limits).all(axis=1)
