"""The boxes of matched rows in pixels of the original images, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cliprpn.answers.answer_row import AnswerRow
from cliprpn.answers.coordinates.coordinates import coordinates_text, to_original
from cliprpn.answers.fit.check_fit import check_fit
from cliprpn.answers.fit.readings import fitting_readings
from cliprpn.answers.matching.ground_truth import agreeing_readings
from cliprpn.box_arrays import Values
from cliprpn.contract.generated import Coordinates
from cliprpn.data.checks import shorten
from cliprpn.errors import CliprpnError

# Sizes that differ by more than this are those of another image.
SIZE_TOLERANCE_PX, SIZE_TOLERANCE = 2.0, 0.02


@dataclass
class Answers:
    """The answers to the expressions of a split.

    Attributes:
        rows: [S], the row of each expression; None without one.
        sizes: [S, 2], width and height of the image of each expression, pixels.
        image_ids: [S].
        truth: [S, 4], of the dataset, xyxy, pixels; None where it must not be looked at.
        notes, warnings: lines are appended.
    """

    rows: list[AnswerRow | None]
    sizes: Values
    image_ids: Sequence[int]
    truth: Values | None
    notes: list[str]
    warnings: list[str]

    @property
    def frames(self) -> Values:
        """Width and height that the columns of each row name: [S, 2]; NaN without them."""
        unknown = (np.nan, np.nan)
        frames = [unknown if row is None or row.frame_wh is None else row.frame_wh for row in self.rows]
        return np.array(frames, dtype=np.float64).reshape(-1, 2)


def to_boxes(answers: Answers, said: Coordinates, force: bool, path: Path) -> Values:
    """The boxes, xyxy, clipped to their images, empty without an answer: [S, 4].

    Args:
        said: coordinates of rows without certain ones of their own.
        force: whether a file is read although other coordinates fit better.

    Raises:
        CliprpnError: bad_input, if the boxes do not fit the coordinates; data_invalid, if a row lacks its frame.
    """
    boxes, frames = np.zeros((len(answers.rows), 4)), answers.frames
    num_own, groups = 0, _by_coordinates(answers.rows, said)
    num_boxes = sum(len(at) for _, at, _ in groups)
    for notation, at, is_own in groups:
        rows = [row for i in at if (row := answers.rows[i]) is not None]
        values = np.array([row.box for row in rows], dtype=np.float64)
        sizes, row_frames = answers.sizes[at], frames[at]
        images = [answers.image_ids[i] for i in at]
        coordinates = notation
        _require_frames(coordinates, row_frames, rows, path)
        fit = check_fit(values, coordinates, sizes, row_frames, images)
        if fit.is_certain and is_own and check_fit(values, said, sizes, row_frames, images).message is None:
            # Models write their tokens around other coordinates, too.
            coordinates = said
            answers.warnings.append(f"{fit.message}; they are read as {coordinates_text(said)}")
        elif fit.message is not None:
            message = (
                f"{fit.message}. See {rows[fit.row].where}: {shorten(values[fit.row].round(4).tolist())}"
            )
            if fit.is_certain and not force and len(at) > num_boxes / 2:
                raise CliprpnError(
                    "bad_input", f"{path}: {message}. If they are right, add --force-coordinates"
                )
            answers.warnings.append(message)
        boxes[at] = to_original(values, coordinates, sizes, row_frames)
        num_own += len(at) if coordinates != said else 0
        _compare_sizes(coordinates, rows, sizes, row_frames, answers.warnings)
    if num_own:
        answers.notes.append(
            f"{num_own:,} boxes are in the notation of a model, whose coordinates are certain; they are not read as "
            f"{coordinates_text(said)}"
        )
    boxes = np.where(np.isfinite(boxes), boxes, 0)
    return np.minimum(np.maximum(boxes, 0), np.tile(answers.sizes, 2))


def certain_coordinates(parts: Sequence[Answers], path: Path) -> Coordinates:
    """The coordinates of a file that does not say them, if each of its rows does.

    Raises:
        CliprpnError: bad_input, if a row does not; data_invalid, if there is no box.
    """
    first: Coordinates | None = None
    for part in parts:
        known = [(row, i) for i, row in enumerate(part.rows) if row is not None and row.box is not None]
        unsaid = [(row, i) for row, i in known if row.coordinates is None]
        if unsaid:
            raise _not_said(part, [row for row, _ in unsaid], [i for _, i in unsaid], path)
        if known and first is None:
            first = known[0][0].coordinates
    if first is None:
        raise CliprpnError("data_invalid", f"{path}: expected predicted boxes, found none that can be read")
    return first


def _not_said(part: Answers, rows: Sequence[AnswerRow], at: Sequence[int], path: Path) -> CliprpnError:
    boxes = np.array([row.box for row in rows], dtype=np.float64)
    likely = fitting_readings(boxes, part.sizes[list(at)])
    hint = f"{', '.join(likely[:4])} would fit" if likely else "no usual reading fits"
    if part.truth is not None:
        agreeing = agreeing_readings(part.rows, part.truth, part.sizes, part.frames)
        if agreeing:
            hint += f", and the ground truth of the file is that of the dataset as {agreeing[0]}"
    return CliprpnError(
        "bad_input",
        f"{path}: {rows[0].where}: expected the coordinates of the boxes: say what the four numbers mean with "
        "--coordinates, such as xyxy (pixels), xywh, xyxy_norm (0 to 1), xyxy_1000 (0 to 1000) or xyxy@640x480 "
        f"(pixels of a resized image); {hint}. The first box is {shorten(list(rows[0].box or ()))}",
    )


def _by_coordinates(
    rows: Sequence[AnswerRow | None], said: Coordinates
) -> list[tuple[Coordinates, list[int], bool]]:
    """Positions of the rows with a box, by their coordinates, and whether those are of the rows."""
    groups: dict[str, tuple[Coordinates, list[int], bool]] = {}
    for i, row in enumerate(rows):
        if row is None or row.box is None:
            continue
        key = "" if row.coordinates is None else coordinates_text(row.coordinates)
        groups.setdefault(key, (row.coordinates or said, [], row.coordinates is not None))[1].append(i)
    return list(groups.values())


def _require_frames(coordinates: Coordinates, frames: Values, rows: Sequence[AnswerRow], path: Path) -> None:
    if coordinates.frame.kind != "columns":
        return
    missing = np.isnan(frames).any(axis=1)
    if missing.any():
        raise CliprpnError(
            "data_invalid",
            f"{path}: {rows[int(np.argmax(missing))].where}: expected width and height of the image that the "
            "model saw, found none; name the columns with --columns width=...,height=...",
        )


def _compare_sizes(
    coordinates: Coordinates, rows: Sequence[AnswerRow], sizes: Values, frames: Values, warnings: list[str]
) -> None:
    """Warns if rows name the sizes of other images than the original ones, in whose pixels the boxes are said to be."""
    if coordinates.frame.kind != "original" or "_" in coordinates.box_format:
        return
    # Columns `width` and `height` may be those of the box.
    is_known = ~np.isnan(frames).any(axis=1) & np.array(
        [row.box is not None and row.frame_wh != row.box[2:] for row in rows]
    )
    difference = np.abs(frames - sizes) > np.maximum(SIZE_TOLERANCE_PX, SIZE_TOLERANCE * sizes)
    differs = is_known & difference.any(axis=1)
    if not is_known.any() or differs.sum() <= 0.5 * is_known.sum():
        return
    k = int(np.argmax(differs))
    named, original = (f"{width:g} x {height:g}" for width, height in (frames[k].tolist(), sizes[k].tolist()))
    is_turned = (frames[differs] == sizes[differs][:, ::-1]).all()
    hint = (
        "the model saw images turned by 90 degrees"
        if is_turned
        else f"if the boxes are in pixels of those, use --coordinates {coordinates.box_format}@columns"
    )
    warnings.append(
        f"{differs.sum():,} rows name images of another size than the dataset's, such as {rows[k].where}: {named} for "
        f"{original}; {hint}"
    )
