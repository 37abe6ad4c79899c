"""The ground truth that a file of answers has, and whether it is that of the dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from cliprpn.answers.answer_row import AnswerRow
from cliprpn.answers.coordinates.coordinates import (
    ORDERS,
    SUFFIXES,
    coordinates_of,
    coordinates_text,
    to_original,
)
from cliprpn.answers.fit.padded import LENGTHS
from cliprpn.box_arrays import Values, paired_iou
from cliprpn.contract.generated import Coordinates

SAME_BOX_IOU = 0.9
MAX_OTHER, MANY_OTHER = 0.5, 0.05
# Rows without any key are matched by their order only if nearly all of their ground truth agrees.
MAX_OTHER_BY_POSITION = 0.01
MIN_ROWS = 5


@dataclass(frozen=True)
class GroundTruth:
    """
    Attributes:
        num: rows with a ground truth of their own, whose coordinates are known.
        other: positions of the rows whose ground truth is another than that of the dataset.
        message: None if enough of it is the same.
        is_certain: whether the file should be refused; otherwise the message is a warning.
    """

    num: int = 0
    other: list[int] = field(default_factory=list)
    message: str | None = None
    is_certain: bool = False


def check_ground_truth(
    rows: Sequence[AnswerRow | None],
    said: Coordinates,
    truth: Values,
    sizes: Values,
    frames: Values,
    name: str,
    by_position: bool,
) -> GroundTruth:
    """
    Args:
        rows: [S], the row of each expression.
        said: coordinates of ground truth that has none of its own.
        truth: [S, 4], of the dataset, xyxy, pixels.
        sizes: [S, 2], of the images.
        frames: [S, 2], of the columns of each row.
        name: of the dataset and split.
        by_position: whether rows were matched by their order.
    """
    at = [i for i, row in enumerate(rows) if row is not None and row.gt_box is not None]
    if not at:
        return GroundTruth()
    with_truth = [row for i in at if (row := rows[i]) is not None]
    ious = np.zeros(len(at))
    for coordinates, chosen in _by_coordinates(with_truth, said):
        boxes = np.array([with_truth[k].gt_box for k in chosen], dtype=np.float64)
        where = np.array(at)[chosen]
        ious[chosen] = paired_iou(to_original(boxes, coordinates, sizes[where], frames[where]), truth[where])
    other = ~(ious >= SAME_BOX_IOU)
    share, positions = other.mean(), [at[k] for k in np.flatnonzero(other).tolist()]
    if share <= (MAX_OTHER_BY_POSITION if by_position else MANY_OTHER):
        return GroundTruth(len(at), positions)
    first = with_truth[int(np.argmax(other))]
    what = (
        f"the ground truth of {other.sum():,} of {len(at):,} rows is another than that of {name}, such as "
        f"{first.where}: {list(first.gt_box or ())}"
    )
    agreeing = agreeing_readings(rows, truth, sizes, frames)
    if agreeing and first.gt_coordinates is None:
        hint = f"read as {agreeing[0]} it is the same: use --coordinates {agreeing[0]}"
    else:
        hint = "are these answers to another dataset, or rows in another order?"
    is_certain = by_position or (share > MAX_OTHER and len(at) >= MIN_ROWS)
    return GroundTruth(len(at), positions, f"{what}: {hint}", is_certain)


def agreeing_readings(
    rows: Sequence[AnswerRow | None], truth: Values, sizes: Values, frames: Values
) -> list[str]:
    """Readings of the ground truth without coordinates of its own in which it is that of the dataset.

    For the arguments, see `check_ground_truth`.
    """
    at = [
        i
        for i, row in enumerate(rows)
        if row is not None and row.gt_box is not None and row.gt_coordinates is None
    ]
    if len(at) < MIN_ROWS:
        return []
    values = np.array([row.gt_box for i in at if (row := rows[i]) is not None], dtype=np.float64)
    agreeing: list[str] = []
    for reading in _readings(not np.isnan(frames[at]).any()):
        # Padded squares have many sizes, which are tried only if nothing else agrees.
        if reading.frame.kind == "padded" and agreeing:
            break
        ious = paired_iou(to_original(values, reading, sizes[at], frames[at]), truth[at])
        if (ious >= SAME_BOX_IOU).mean() >= 1 - MANY_OTHER:
            agreeing.append(coordinates_text(reading))
    return agreeing


def _readings(has_frames: bool) -> Iterator[Coordinates]:
    for suffix in SUFFIXES:
        yield from (coordinates_of(order + suffix) for order in ORDERS)
    frames: list[tuple[str, dict[str, object]]] = [("", {"kind": "columns"})] if has_frames else []
    for align in ("center", "top_left"):
        square = {"kind": "padded", "align": align}
        frames += [(suffix, {**square, "length": None}) for suffix in SUFFIXES]
        frames += [("", {**square, "length": length}) for length in LENGTHS]
    for suffix, frame in frames:
        for order in ORDERS:
            yield Coordinates.model_validate({"box_format": order + suffix, "frame": frame})


def _by_coordinates(rows: Sequence[AnswerRow], said: Coordinates) -> list[tuple[Coordinates, list[int]]]:
    groups: dict[str, tuple[Coordinates, list[int]]] = {}
    for k, row in enumerate(rows):
        coordinates = row.gt_coordinates or said
        groups.setdefault(coordinates_text(coordinates), (coordinates, []))[1].append(k)
    return list(groups.values())
