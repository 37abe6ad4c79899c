"""Whether predicted boxes fit the coordinates that were said, and which others would fit.

It is judged by the boxes and the sizes of their images alone, never by hits: that would be a look at the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cliprpn.answers.fit.box_table import BoxTable, first_rows
from cliprpn.answers.fit.confined import confined, in_any_order
from cliprpn.answers.fit.fit import Fit
from cliprpn.answers.fit.mixed_units import mixed_units
from cliprpn.answers.fit.other_frame import of_another_frame
from cliprpn.answers.fit.outside import outside, within_one
from cliprpn.answers.fit.padded import padded
from cliprpn.box_arrays import Values
from cliprpn.contract.generated import Coordinates


def check_fit(
    boxes: Values, coordinates: Coordinates, sizes: Values, row_frames: Values, images: Sequence[int]
) -> Fit:
    """Whether the boxes fit these coordinates.

    Equal boxes of an image count once. A file is refused by its distinct boxes only, as a model that gives the same
    box for all images says nothing about coordinates.

    Args:
        boxes: [N, 4], of rows without coordinates of their own.
        sizes: [N, 2], of the original images.
        row_frames: [N, 2], see `coordinates.frame_sizes`.
        images: [N], ids.
    """
    if len(boxes) == 0:
        return Fit(None)
    tiny = within_one(boxes, coordinates)
    if tiny is not None:
        return tiny
    ids = np.asarray(images, dtype=np.float64)
    rows = first_rows(np.concatenate([boxes, ids[:, None]], axis=1))
    table = BoxTable(boxes[rows], coordinates, sizes[rows], row_frames[rows], ids[rows])
    checks = (padded, outside, of_another_frame, confined, mixed_units, in_any_order)
    fit = next((fit for check in checks if (fit := check(table)) is not None), Fit(None))
    return replace(fit, row=int(rows[fit.row]))
