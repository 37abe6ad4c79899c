"""Boxes of images that were padded to squares: they lie in the images, not in the padding, and reach their edges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cliprpn.answers.coordinates.coordinates import (
    as_corners,
    coordinates_of,
    coordinates_text,
    full_sizes,
    to_original,
)
from cliprpn.answers.coordinates.padded_square import padded_square
from cliprpn.answers.fit.box_table import BoxTable, are_inside, first_rows
from cliprpn.answers.fit.fit import CERTAIN, MIN_BOXES_WITHOUT_LIKELY, MIN_FIT_AS_LIKELY, Fit
from cliprpn.box_arrays import Values
from cliprpn.contract.generated import Coordinates, PaddedFrame

# Usual sides of squares, pixels.
LENGTHS = (
    *(224, 256, 288, 320, 336, 384, 416, 448, 480, 512, 560, 576, 608, 640, 672, 768, 800, 896, 960, 1008),
    *(1024, 1152, 1280, 1344, 1536),
)
# Boxes come this close to each edge of the images in the squares, in parts of the image.
MAX_GAP = 0.05
EDGE = 0.01
# Photos cut objects off, so boxes end at their edges more often than close to them.
MIN_AT_EDGES = 5
MIN_SHARE_AT_EDGES = 0.03
NEAR_EDGE = 0.05
# An image whose padding is smaller than this part says nothing.
MAX_SHARED = 0.95
# Squares of similar sides that a message names.
MAX_READINGS = 3
ALIGNS: tuple[Literal["center"], Literal["top_left"]] = ("center", "top_left")


def padded(table: BoxTable) -> Fit | None:
    """Whether the boxes are of padded images, or of images padded in another way."""
    readings = _padded(table.boxes, table.said, table.sizes, table.row_frames)
    if not readings:
        return None
    is_certain = table.num_distinct >= MIN_BOXES_WITHOUT_LIKELY and _are_cut_off(table, readings[0])
    names = [coordinates_text(reading) for reading in readings]
    what = f"the boxes lie in a part of their images as {coordinates_text(table.said)}, and all of it as {names[0]}"
    options = " or ".join(f"--coordinates {name}" for name in names)
    return Fit(f"{what}: are the images padded to squares? Use {options}", is_certain)


def with_padded(names: Sequence[str], boxes: Values, sizes: Values) -> list[str]:
    """Readings in the original image, after the padded ones that the first of them is instead, if there are any."""
    unknown = np.full_like(sizes, np.nan)
    found = padded_readings(boxes, coordinates_of(names[0]), sizes, unknown) if names else []
    return [*found, *names]


def padded_readings(boxes: Values, said: Coordinates, sizes: Values, row_frames: Values) -> list[str]:
    """See `_padded`, as texts."""
    return [coordinates_text(reading) for reading in _padded(boxes, said, sizes, row_frames)]


def _padded(boxes: Values, said: Coordinates, sizes: Values, row_frames: Values) -> list[Coordinates]:
    """The padding that explains why no box lies in some part of its image as said; several if sides are similar.

    Args:
        boxes: [N, 4], in the order of `said`.
        sizes: [N, 2], of the original images.
        row_frames: [N, 2], see `coordinates.frame_sizes`.
    """
    if said.frame.kind not in ("original", "fixed", "padded", "long_side"):
        return []
    rows = first_rows(boxes)
    boxes, sizes, row_frames = boxes[rows], sizes[rows], row_frames[rows]
    said_edges = _edges(said, sizes, row_frames)
    touching_as_said = _touching(to_original(boxes, said, sizes, row_frames), sizes)
    found: list[tuple[int, float, Coordinates]] = []
    is_touched = False
    for reading in _other_readings(boxes, said):
        corners = to_original(boxes, reading, sizes, row_frames)
        is_inside = are_inside(corners, sizes)
        if is_inside.mean() < MIN_FIT_AS_LIKELY or (_gaps(corners, sizes).min(axis=0) > MAX_GAP).any():
            continue
        edges = _edges(reading, sizes, row_frames)
        shared = _shared_sides(said_edges, edges)
        # In images that are nearly square, padding changes nothing.
        differs = (shared < MAX_SHARED).any(axis=1)
        # How unlikely it is that each box lies in this part of what was said, if boxes are anywhere in it.
        by_chance = -float(np.log(shared[differs]).sum())
        if by_chance < CERTAIN or is_inside[differs].mean() < MIN_FIT_AS_LIKELY:
            continue
        touching, is_other_edge = _touching(corners, sizes), _differ(said_edges, edges)
        is_touched |= bool(touching[is_other_edge].sum() > touching_as_said[is_other_edge].sum())
        found.append((int(touching.sum()), float(is_inside.mean()), reading))
    if not is_touched:
        return []
    num, share, _ = max(found, key=lambda each: each[:2])
    # Those that may touch less by chance only, or have more boxes inside.
    similar = [
        (num_here, reading)
        for num_here, share_here, reading in found
        if num_here >= num - 2 * num**0.5 or (num_here >= num / 3 and share_here > share)
    ]
    return [reading for _, reading in sorted(similar, key=lambda each: -each[0])[:MAX_READINGS]]


def lie_in_padded(table: BoxTable, length: int) -> bool:
    """Whether the boxes lie in images that are centered in squares of this side, pixels."""
    frame = PaddedFrame(kind="padded", length=length, align="center")
    reading = Coordinates(box_format=table.said.box_format, frame=frame)
    corners = to_original(table.boxes, reading, table.sizes, table.row_frames)
    return bool(are_inside(corners, table.sizes).mean() >= MIN_FIT_AS_LIKELY)


def _are_cut_off(table: BoxTable, reading: Coordinates) -> bool:
    """Whether boxes end at those edges of their images that lie elsewhere as said, rather than close to them.

    Objects that keep away from the edges also lie in a part of their images.
    """
    gaps = _gaps(to_original(table.boxes, reading, table.sizes, table.row_frames), table.sizes)[
        table.distinct
    ]
    is_other_edge = _differ(
        _edges(table.said, table.sizes, table.row_frames), _edges(reading, table.sizes, table.row_frames)
    )[table.distinct]
    num_at = int((is_other_edge & (np.abs(gaps) <= EDGE)).sum())
    num_near = int((is_other_edge & (gaps > EDGE) & (gaps <= NEAR_EDGE)).sum())
    # Of evenly spread ends, a fifth of those up to NEAR_EDGE would lie at the edge.
    return num_at >= max(MIN_AT_EDGES, MIN_SHARE_AT_EDGES * len(gaps), num_near / 2)


def _other_readings(boxes: Values, said: Coordinates) -> Iterator[Coordinates]:
    """Padded squares, if they are in pixels those that are not too large or too small for the boxes."""
    order, _, unit = said.box_format.partition("_")
    names: list[tuple[str, int | None]] = [(said.box_format, None)]
    if unit == "":
        sides, far = np.array(LENGTHS), as_corners(boxes, order)[:, 2:].max(axis=1)
        is_likely = (sides >= 0.98 * np.quantile(far, MIN_FIT_AS_LIKELY)) & (sides <= 1.08 * far.max())
        names += [(order, length) for length in sides[is_likely].tolist()]
    for name, length in names:
        for align in ALIGNS:
            frame = PaddedFrame(kind="padded", length=length, align=align)
            reading = Coordinates.model_validate({"box_format": name, "frame": frame})
            # Pixels of an image that is padded to the right and below are those of the image.
            is_original = name == order and length is None and align == "top_left"
            if reading != said and not is_original:
                yield reading


def _shared_sides(said: tuple[Values, Values], other: tuple[Values, Values]) -> Values:
    """The part of the width and height of the image as said in which it also lies in another reading: [N, 2]."""
    (start, end), (first, last) = said, other
    return np.clip((np.minimum(end, last) - np.maximum(start, first)) / (end - start), 1e-3, 1)


def _differ(said: tuple[Values, Values], other: tuple[Values, Values]) -> NDArray[np.bool_]:
    """Whether each edge of an image lies elsewhere in another reading: [N, 4]."""
    sides = np.tile(said[1] - said[0], 2)
    return np.abs(np.concatenate(said, axis=1) - np.concatenate(other, axis=1)) > (1 - MAX_SHARED) / 2 * sides


def _edges(coordinates: Coordinates, sizes: Values, row_frames: Values) -> tuple[Values, Values]:
    """Where the image begins and ends in its coordinates: [N, 2] each."""
    full = full_sizes(coordinates, sizes, row_frames)
    if coordinates.frame.kind != "padded":
        return np.zeros_like(full), full
    square = padded_square(coordinates.frame, sizes)
    return full * square.offsets / (sizes * square.scales + square.offsets), full


def _gaps(corners: Values, sizes: Values) -> Values:
    """Between each box and the edges of its image, in parts of the image: [N, 4]."""
    return np.concatenate([corners[:, :2], sizes - corners[:, 2:]], axis=1) / np.tile(sizes, 2)


def _touching(corners: Values, sizes: Values) -> NDArray[np.bool_]:
    """Whether each side of a box lies at an edge of its image: [N, 4]."""
    return np.abs(_gaps(corners, sizes)) <= EDGE
