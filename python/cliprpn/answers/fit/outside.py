"""Boxes that are none as said, or lie outside their images."""

from __future__ import annotations

import numpy as np

from cliprpn.answers.coordinates.coordinates import ORDERS, as_corners, coordinates_text
from cliprpn.answers.fit.box_table import BoxTable, are_inside
from cliprpn.answers.fit.fit import MAX_FIT_AS_SAID, MIN_BOXES_WITHOUT_LIKELY, MIN_FIT_AS_LIKELY, Fit
from cliprpn.answers.fit.hints import ask, ask_frame
from cliprpn.answers.fit.other_frame import other_frame
from cliprpn.answers.fit.padded import with_padded
from cliprpn.answers.fit.readings import NORM_LIMIT, other_readings
from cliprpn.box_arrays import Values
from cliprpn.contract.generated import Coordinates, OriginalFrame

# Of the side of an image.
FAR_IN_PADDING = 0.05


def outside(table: BoxTable) -> Fit | None:
    """Boxes that are none as said, or lie outside their images."""
    share, num_outside, first = table.inside.mean(), int((~table.inside).sum()), int(np.argmin(table.inside))
    if share > MAX_FIT_AS_SAID or num_outside < 3:
        return None
    what = (
        f"{num_outside:,} of {table.num:,} boxes are no boxes inside their images as "
        f"{coordinates_text(table.said)}"
    )
    fits = {name: fit for name, fit in other_readings(table) if fit >= MIN_FIT_AS_LIKELY and fit > share}
    likely = [name for name in fits if _explains(table, name)]
    if likely:
        names = with_padded(likely, table.boxes, table.sizes)
        return Fit(f"{what}: {ask(names)}", table.is_enough(table.min_boxes_for(likely[0])), first)
    frame = other_frame(table)
    if frame is not None:
        return Fit(f"{what}: {ask_frame(frame, table)}", True, first)
    # Boxes of some models are not clipped, and stick out in any reading.
    better = {name: fit for name, fit in other_readings(table) if fit >= max(0.6, share + 0.3)}
    better = {name: fit for name, fit in better.items() if _explains(table, name)}
    if share < 0.5 and better:
        best = max(better, key=lambda name: better[name])
        return Fit(
            f"{what}, {1 - better[best]:.0%} as {best}: {ask(with_padded([best], table.boxes, table.sizes))}",
            table.is_enough(MIN_BOXES_WITHOUT_LIKELY),
            first,
        )
    if share < 0.5:
        resized = f"are they of resized images? Name the size, such as --coordinates {table.order}@1024x1024"
        return Fit(f"{what}: {resized}", table.is_enough(MIN_BOXES_WITHOUT_LIKELY), first)
    return Fit(f"{what}; they are clipped to their images", False, first)


def _explains(table: BoxTable, name: str) -> bool:
    """Whether a reading in larger units explains the boxes outside, rather than a model whose boxes stick out a little.

    In units that are larger than those said, some boxes lie beyond the middle between the two right or bottom edges.
    """
    if table.said.frame.kind == "padded":
        # Nearly every box fits in the square with its padding; not most of those that are clipped to no image.
        gaps = np.concatenate([table.corners[:, :2], table.sizes - table.corners[:, 2:]], axis=1)
        is_far = (gaps < -FAR_IN_PADDING * np.tile(table.sizes, 2)).any(axis=1)
        return int(is_far.sum()) >= max(3, 0.15 * table.num)
    order, _, unit = name.partition("_")
    full = table.full_as(name)
    is_larger = (full > table.full * 1.02).all(axis=1)
    if unit == table.unit or is_larger.mean() < 0.5:
        return True
    if order != table.order:
        # Nearly every box fits a large enough unit in another order; most boxes do not fit the wrong one.
        return bool(table.inside.mean() < 0.5)
    far = (as_corners(table.boxes, order)[:, 2:] > (table.full + full) / 2).any(axis=1)
    return int(far.sum()) >= max(3, 0.03 * table.num)


def within_one(boxes: Values, coordinates: Coordinates) -> Fit | None:
    """Normalized coordinates as pixels, or from 0 to 1000."""
    if coordinates.box_format.endswith("_norm"):
        return None
    within = (np.abs(boxes) <= NORM_LIMIT).all(axis=1)
    if within.mean() < 0.5:
        return None
    order = coordinates.box_format.partition("_")[0]
    unit = np.ones((int(within.sum()), 2))
    # Padding stays as it was said; a frame in pixels does not fit normalized coordinates.
    frame = coordinates.frame if coordinates.frame.kind == "padded" else OriginalFrame(kind="original")
    texts = {
        each: coordinates_text(Coordinates.model_validate({"box_format": f"{each}_norm", "frame": frame}))
        for each in sorted(ORDERS, key=lambda name: name != order)
    }
    names = [
        text
        for each, text in texts.items()
        if are_inside(as_corners(boxes[within], each), unit, NORM_LIMIT - 1).mean() >= MIN_FIT_AS_LIKELY
    ]
    what = f"{within.sum():,} of {len(boxes):,} boxes have no number above 1"
    return Fit(f"{what}: {ask(names or [texts[order]])}", True, int(np.argmax(within)))
