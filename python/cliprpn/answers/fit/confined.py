"""Boxes that fit, but would also be boxes in other coordinates."""

from __future__ import annotations

import numpy as np

from cliprpn.answers.coordinates.coordinates import ORDERS, as_corners, coordinates_text, to_original
from cliprpn.answers.fit.box_table import BoxTable, are_inside
from cliprpn.answers.fit.fit import CERTAIN, Fit
from cliprpn.answers.fit.hints import ask
from cliprpn.box_arrays import paired_iou

# A few boxes may fit in two orders.
MIN_BOXES_IN_ANY_ORDER = 30
# Boxes of a reading come this close to the right and the bottom edge of their images.
MIN_REACH = 0.85
# No box reaches further: they are likely those of smaller images.
MAX_REACH_OF_SMALLER = 0.9


def confined(table: BoxTable) -> Fit | None:
    """Boxes that fit, but all lie in a part of their images that is the whole of a smaller unit."""
    names = [table.order] if table.unit == "1000" or (table.unit == "" and not table.is_original) else []
    # The order as said comes first.
    names = sorted(ORDERS, key=lambda name: name != table.order) if names else []
    if table.unit == "" and (table.sizes > 1010).any():
        names.append(f"{table.order}_1000")
    for name in names:
        corners = table.corners_as(name)
        if not are_inside(corners, table.sizes).all():
            continue
        # How unlikely it is that no box lies beyond, if boxes are anywhere in the images.
        by_chance = -float(np.log(np.minimum(table.full_as(name) / table.full, 1))[table.distinct].sum())
        if by_chance < CERTAIN:
            continue
        reach = (corners[:, 2:] / table.sizes).max(axis=0).min()
        what = f"all {table.num:,} boxes also lie inside their images as {name}"
        return Fit(
            f"{what}, which is unlikely by chance: {ask([name])}",
            table.num_distinct >= table.min_boxes_for(name) and reach >= MIN_REACH,
        )
    own = as_corners(table.boxes, table.order)[:, 2:]
    if table.unit == "" and own.max() <= 101 and (own.max(axis=0) >= 85).all() and (table.sizes > 110).any():
        return Fit(
            f"no number of {table.num:,} boxes is above {own.max():g}: are they percent? Multiply them by "
            f"10 and use --coordinates {table.order}_1000",
            table.num_distinct >= 20,
        )
    reach = (table.corners[:, 2:] / table.sizes).max(axis=0)
    # How unlikely it is that no box extends further, if boxes are anywhere.
    by_chance = -float(np.log(max(reach.max(), 1e-3))) * table.num_distinct
    is_unlikely = reach.max() < MAX_REACH_OF_SMALLER and by_chance >= CERTAIN
    if table.num >= 20 and (is_unlikely or reach.max() < 0.7):
        return Fit(
            f"no box reaches beyond {reach.max():.0%} of its image: are they of smaller, resized images? Name their "
            f"size, such as --coordinates {table.order}@448x448",
        )
    return None


def in_any_order(table: BoxTable) -> Fit | None:
    """Boxes that also fit in another order of their numbers, in which they are other boxes."""
    suffix = table.said.box_format.removeprefix(table.order)
    for order in ORDERS:
        other = table.said.model_copy(update={"box_format": order + suffix})
        corners = to_original(table.boxes, other, table.sizes, table.row_frames)
        if (
            order == table.order
            or table.num_distinct < MIN_BOXES_IN_ANY_ORDER
            or not are_inside(corners, table.sizes).all()
        ):
            continue
        if paired_iou(corners, table.corners).mean() < 0.9:
            return Fit(
                f"all {table.num:,} boxes lie inside their images as {coordinates_text(table.said)} and as "
                f"{coordinates_text(other)}: wrong coordinates would not show",
            )
    return None
