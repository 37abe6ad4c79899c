"""Whether predicted boxes fit the coordinates that were said, and which others would fit.

It is judged by the boxes and the sizes of their images alone, never by hits: that would be a look at the answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cliprpn.answers.answer_text import coordinates_of
from cliprpn.answers.coordinates import (
    ORDERS,
    SUFFIXES,
    Values,
    as_corners,
    coordinates_text,
    full_sizes,
    to_original,
)
from cliprpn.box_arrays import paired_iou
from cliprpn.contract.generated import Coordinates
from cliprpn.data.frames import Frame, find_frame

# Of the boxes: in their images as said, and as another reading has them, for that to be the likely one.
MAX_FIT_AS_SAID, MIN_FIT_AS_LIKELY = 0.9, 0.97
# Distinct boxes, for a file to be refused: by another reading that fits, and if none is known to fit.
MIN_BOXES, MIN_BOXES_WITHOUT_LIKELY = 5, 10
# And by one with another unit and another order.
MIN_BOXES_OF_OTHER_KIND = 20
# A few boxes may fit in two orders.
MIN_BOXES_IN_ANY_ORDER = 30
# Log-likelihood of "all boxes lie in this part of their images by chance": 9 is 1 in 8,000.
CERTAIN = 9.0
# Boxes of a reading come this close to the right and the bottom edge of their images.
MIN_REACH = 0.85
EDGE_PX, EDGE_PART = 2.0, 0.01
# Normalized coordinates that were rounded extend past 1 by a little.
NORM_LIMIT = 1.01


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


FITS = Fit(None)


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
        return FITS
    tiny = _within_one(boxes, coordinates)
    if tiny is not None:
        return tiny
    ids = np.asarray(images, dtype=np.float64)
    rows = _first_rows(np.concatenate([boxes, ids[:, None]], axis=1))
    table = _Table(boxes[rows], coordinates, sizes[rows], row_frames[rows], ids[rows])
    fit = _outside(table) or _of_another_frame(table) or _confined(table) or _in_any_order(table) or FITS
    return replace(fit, row=int(rows[fit.row]))


def _first_rows(values: Values) -> NDArray[np.int64]:
    """The first row of each different one, in their order."""
    return np.sort(np.unique(values, axis=0, return_index=True)[1])


class _Table:
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
        self.num, self.images, self.distinct = len(boxes), images, _first_rows(boxes)
        self.num_distinct = len(self.distinct)
        self.order, _, self.unit = said.box_format.partition("_")
        self.is_original = said.frame.kind == "original"
        self.full = full_sizes(said, sizes, row_frames)
        self.corners = to_original(boxes, said, sizes, row_frames)
        self.inside = _inside(self.corners, sizes)

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


def _within_one(boxes: Values, coordinates: Coordinates) -> Fit | None:
    """Normalized coordinates as pixels, or from 0 to 1000."""
    if coordinates.box_format.endswith("_norm"):
        return None
    within = (np.abs(boxes) <= NORM_LIMIT).all(axis=1)
    if within.mean() < 0.5:
        return None
    order = coordinates.box_format.partition("_")[0]
    unit = np.ones((int(within.sum()), 2))
    names = [
        f"{each}_norm"
        for each in sorted(ORDERS, key=lambda name: name != order)
        if _inside(as_corners(boxes[within], each), unit, NORM_LIMIT - 1).mean() >= MIN_FIT_AS_LIKELY
    ]
    what = f"{within.sum():,} of {len(boxes):,} boxes have no number above 1"
    return Fit(f"{what}: {_ask(names or [f'{order}_norm'])}", True, int(np.argmax(within)))


def _outside(table: _Table) -> Fit | None:
    """Boxes that are none as said, or lie outside their images."""
    share, num_outside, first = table.inside.mean(), int((~table.inside).sum()), int(np.argmin(table.inside))
    if share > MAX_FIT_AS_SAID or num_outside < 3:
        return None
    what = (
        f"{num_outside:,} of {table.num:,} boxes are no boxes inside their images as "
        f"{coordinates_text(table.said)}"
    )
    fits = {name: fit for name, fit in _other_readings(table) if fit >= MIN_FIT_AS_LIKELY and fit > share}
    likely = [name for name in fits if _explains(table, name)]
    if likely:
        return Fit(f"{what}: {_ask(likely)}", table.is_enough(table.min_boxes_for(likely[0])), first)
    frame = _other_frame(table)
    if frame is not None:
        return Fit(f"{what}: {_ask_frame(frame, table.order)}", True, first)
    # Boxes of some models are not clipped, and stick out in any reading.
    better = {name: fit for name, fit in _other_readings(table) if fit >= max(0.6, share + 0.3)}
    better = {name: fit for name, fit in better.items() if _explains(table, name)}
    if share < 0.5 and better:
        best = max(better, key=lambda name: better[name])
        return Fit(
            f"{what}, {1 - better[best]:.0%} as {best}: {_ask([best])}",
            table.is_enough(MIN_BOXES_WITHOUT_LIKELY),
            first,
        )
    if share < 0.5:
        resized = f"are they of resized images? Name the size, such as --coordinates {table.order}@1024x1024"
        return Fit(f"{what}: {resized}", table.is_enough(MIN_BOXES_WITHOUT_LIKELY), first)
    return Fit(f"{what}; they are clipped to their images", False, first)


def _explains(table: _Table, name: str) -> bool:
    """Whether a reading in larger units explains the boxes outside, rather than a model whose boxes stick out a little.

    In units that are larger than those said, some boxes lie beyond the middle between the two right or bottom edges.
    """
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


def _of_another_frame(table: _Table) -> Fit | None:
    """Boxes of resized images that lie inside the originals: they end at the edges of the resized ones."""
    frame = _other_frame(table)
    if frame is None:
        return None
    what = (
        f"the boxes end at the edges of {frame.name}, not of their images ({frame.num_touching} of {table.num:,} "
        f"boxes touch them, and {frame.num_touching_image} touch the edges of the images)"
    )
    return Fit(f"{what}: {_ask_frame(frame, table.order)}", True, frame.rows[0])


def _confined(table: _Table) -> Fit | None:
    """Boxes that fit, but all lie in a part of their images that is the whole of a smaller unit."""
    names = [table.order] if table.unit == "1000" or (table.unit == "" and not table.is_original) else []
    # The order as said comes first.
    names = sorted(ORDERS, key=lambda name: name != table.order) if names else []
    if table.unit == "" and (table.sizes > 1010).any():
        names.append(f"{table.order}_1000")
    for name in names:
        corners = table.corners_as(name)
        if not _inside(corners, table.sizes).all():
            continue
        # How unlikely it is that no box lies beyond, if boxes are anywhere in the images.
        by_chance = -float(np.log(np.minimum(table.full_as(name) / table.full, 1))[table.distinct].sum())
        if by_chance < CERTAIN:
            continue
        reach = (corners[:, 2:] / table.sizes).max(axis=0).min()
        what = f"all {table.num:,} boxes also lie inside their images as {name}"
        return Fit(
            f"{what}, which is unlikely by chance: {_ask([name])}",
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
    if table.num >= 20 and reach.max() < 0.7:
        return Fit(
            f"no box reaches beyond {reach.max():.0%} of its image: are they of smaller, resized images? Name their "
            f"size, such as --coordinates {table.order}@448x448",
        )
    return None


def _in_any_order(table: _Table) -> Fit | None:
    """Boxes that also fit in another order of their numbers, in which they are other boxes."""
    suffix = table.said.box_format.removeprefix(table.order)
    for order in ORDERS:
        other = table.said.model_copy(update={"box_format": order + suffix})
        corners = to_original(table.boxes, other, table.sizes, table.row_frames)
        if (
            order == table.order
            or table.num_distinct < MIN_BOXES_IN_ANY_ORDER
            or not _inside(corners, table.sizes).all()
        ):
            continue
        if paired_iou(corners, table.corners).mean() < 0.9:
            return Fit(
                f"all {table.num:,} boxes lie inside their images as {coordinates_text(table.said)} and as "
                f"{coordinates_text(other)}: wrong coordinates would not show",
            )
    return None


def _other_frame(table: _Table) -> Frame | None:
    if table.unit != "" or not table.is_original:
        return None
    has_area: NDArray[np.bool_] = np.logical_and.reduce(table.corners[:, 2:] > table.corners[:, :2], axis=1)
    if has_area.mean() < MIN_FIT_AS_LIKELY:
        return None
    rows = table.distinct[has_area[table.distinct]]
    frame = find_frame(table.corners[rows], table.sizes[rows], len(set(table.images.tolist())))
    return None if frame is None else replace(frame, rows=rows[frame.rows].tolist())


def fitting_readings(boxes: Values, sizes: Values) -> list[str]:
    """The readings in which nearly all boxes lie inside their images, the best first."""
    likely = [(name, fit) for name, fit in _readings(boxes, sizes) if fit >= MIN_FIT_AS_LIKELY]
    return [name for name, _ in sorted(likely, key=lambda item: -item[1])]


def _other_readings(table: _Table) -> Iterator[tuple[str, float]]:
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
            yield order + suffix, float(_inside(corners, sizes).mean())


def _inside(corners: Values, sizes: Values, edge: float = EDGE_PX) -> NDArray[np.bool_]:
    """Whether boxes have an area and lie inside their images, up to two pixels or a hundredth."""
    tolerance = np.tile(np.maximum(edge, EDGE_PART * sizes), 2)
    has_area = (corners[:, 2:] > corners[:, :2]).all(axis=1)
    with np.errstate(invalid="ignore"):
        limits = np.tile(sizes, 2) + tolerance
        return has_area & (corners >= -tolerance).all(axis=1) & (corners <= limits).all(axis=1)


def _ask(names: list[str]) -> str:
    more = "" if len(names) == 1 else f" (or {', '.join(names[1:3])})"
    return f"are they {' or '.join(names[:3])}? Use --coordinates {names[0]}{more}"


def _ask_frame(frame: Frame, order: str) -> str:
    size = round(frame.size)
    options = {
        "square": f"{order}@{size}x{size}",
        "longer": f"{order}@long:{size}",
        "shorter": f"{order}@short:{size}",
        "qwen": f"{order}@smart:28:3136:1003520",
    }
    if frame.kind == "square" and size in (999, 1000):
        return _ask([f"{order}_1000"])
    if frame.kind not in options:
        return f"are they of {frame.name}? Name the size, such as --coordinates {order}@1024x1024"
    return f"are they of {frame.name}? Use --coordinates {options[frame.kind]}"
