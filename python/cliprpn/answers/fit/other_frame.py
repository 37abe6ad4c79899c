"""Boxes of resized images that lie inside the originals: they end at the edges of the resized ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cliprpn.answers.fit.box_table import BoxTable
from cliprpn.answers.fit.fit import MIN_FIT_AS_LIKELY, Fit
from cliprpn.answers.fit.hints import ask_frame
from cliprpn.data.frames import Frame, find_frame


def of_another_frame(table: BoxTable) -> Fit | None:
    frame = other_frame(table)
    if frame is None:
        return None
    what = (
        f"the boxes end at the edges of {frame.name}, not of their images ({frame.num_touching} of {table.num:,} "
        f"boxes touch them, and {frame.num_touching_image} touch the edges of the images)"
    )
    return Fit(f"{what}: {ask_frame(frame, table)}", True, frame.rows[0])


def other_frame(table: BoxTable) -> Frame | None:
    if table.unit != "" or not table.is_original:
        return None
    has_area: NDArray[np.bool_] = np.logical_and.reduce(table.corners[:, 2:] > table.corners[:, :2], axis=1)
    if has_area.mean() < MIN_FIT_AS_LIKELY:
        return None
    rows = table.distinct[has_area[table.distinct]]
    frame = find_frame(table.corners[rows], table.sizes[rows], len(set(table.images.tolist())))
    return None if frame is None else replace(frame, rows=rows[frame.rows].tolist())
