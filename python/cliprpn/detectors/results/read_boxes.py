"""Boxes of a file in pixels of the dataset's images, after a check of their format.

The annotated objects tell which format is meant: only the right one finds many of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cliprpn.data.checks import shorten
from cliprpn.data.problems import Problems
from cliprpn.detectors.results.box_forms import FORMATS, BoxForm, Order, to_xyxy
from cliprpn.detectors.results.overlaps import SAME_OBJECT_IOU, Objects, best_overlaps
from cliprpn.errors import CliprpnError

# A format is not the right one if another finds this many times as many annotated objects, and at least MIN_FOUND.
TIMES_BETTER, MIN_FOUND, MIN_OBJECTS = 2, 0.3, 8
NEARLY_ALL = 0.95
# Boxes of a file, or of its images, may extend past the edge by this fraction of the image.
EDGE_TOLERANCE = 0.1
SAMPLE = 20_000
USUAL_ORDERS: list[Order] = ["xyxy", "xywh", "cxcywh", "yxyx"]


@dataclass(frozen=True)
class Fit:
    """How well boxes fit a format.

    Attributes:
        valid: fraction of boxes that have an area and lie inside of their image.
        found: fraction of annotated objects that a box overlaps with IoU of at least SAME_OBJECT_IOU.
        num_objects: number of objects that were compared.
    """

    valid: float
    found: float
    num_objects: int


def read_boxes(
    table: np.ndarray,
    forms: list[BoxForm],
    frames: list[tuple[float, float]],
    sizes: np.ndarray,
    objects: Objects,
    box_format: str | None,
    file: Path,
    place_of: Callable[[int], str],
) -> tuple[np.ndarray, list[str]]:
    """
    Args:
        table: of ROW_DTYPE; `image` is the image's row in the dataset.
        forms: form of a box by `form`.
        frames: size of the image that was given to the detector, by `frame`.
        sizes: [I, 2], width and height of each image, pixels.
        box_format: the format that a person names; None to read what is usual for such a file.
        place_of: the place in the file of a detection, by its row.

    Returns:
        [N, 4], xyxy, pixels; notes.

    Raises:
        CliprpnError: data_invalid, if boxes have a negative size, or fit another format better.
    """
    limits = sizes[table["image"]]  # [N, 2]
    limits, notes = _with_frames(table, frames, limits, file)
    boxes = np.zeros((len(table), 4))
    for number, form in enumerate(forms):
        rows = np.flatnonzero(table["form"] == number)
        if len(rows) == 0:
            continue
        chosen = _with_format(form, box_format)
        if not chosen.known_scale:
            fits = _fits(table[rows], chosen, limits[rows], sizes[table["image"][rows]], objects)
            chosen, more = _checked(chosen, fits, table["box"][rows], file)
            notes += more
        _check_sizes(table, rows, chosen, file, place_of)
        boxes[rows] = to_xyxy(table["box"][rows], chosen, limits[rows])
    scale = sizes[table["image"]] / limits
    boxes *= np.tile(scale, 2)
    return boxes, [
        *notes,
        *_note_on_edges(boxes, sizes[table["image"]]),
        *_note_on_overlap(table, boxes, objects),
    ]


def _with_format(form: BoxForm, box_format: str | None) -> BoxForm:
    """What a person says counts, except against tokens and names that say it in the file."""
    if box_format is None or form.known_scale:
        return form
    named = FORMATS[box_format]
    return replace(named, order=form.order) if form.known_order else named


def _candidates(form: BoxForm) -> list[BoxForm]:
    """All forms that boxes may have, the given one first."""
    same_order = [each for each in FORMATS.values() if each.order == form.order or not form.known_order]
    return [form, *(each for each in same_order if (each.order, each.full) != (form.order, form.full))]


def _fits(
    table: np.ndarray, form: BoxForm, limits: np.ndarray, sizes: np.ndarray, objects: Objects
) -> dict[BoxForm, Fit]:
    part = slice(None) if len(table) <= SAMPLE else np.linspace(0, len(table) - 1, SAMPLE).astype(int)
    fits = {}
    for each in _candidates(form):
        xyxy = to_xyxy(table["box"], each, limits)
        overlaps = best_overlaps(table["image"], xyxy * np.tile(sizes / limits, 2), objects)
        found = float((overlaps >= SAME_OBJECT_IOU).mean()) if len(overlaps) else 0.0
        fits[each] = Fit(_valid(table["box"][part], xyxy[part], each, limits[part]), found, len(overlaps))
    return fits


def _valid(boxes: np.ndarray, xyxy: np.ndarray, form: BoxForm, limits: np.ndarray) -> float:
    """Fraction of boxes that have an area and lie inside of their image."""
    if len(boxes) == 0:
        return 1.0
    margin = EDGE_TOLERANCE * limits + 1
    fit = (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)
    fit &= (xyxy[:, :2] >= -margin).all(axis=1) & (xyxy[:, 2:] <= limits + margin).all(axis=1)
    if form.full is None:  # Normalized coordinates are valid pixels, but too small to be meant so.
        fit &= (np.abs(boxes) > 1.5).any(axis=1)
    return float(fit.mean())


def _checked(
    form: BoxForm, fits: dict[BoxForm, Fit], boxes: np.ndarray, file: Path
) -> tuple[BoxForm, list[str]]:
    """The form to read, with a note if it was inferred.

    Raises:
        CliprpnError: data_invalid, if another form fits better, or if an unsure one cannot be told.
    """
    if form.unsure:
        return _inferred(form, fits, file)
    given = fits[form]
    best = _best_other(form, fits, float(np.abs(boxes).max()))
    fit = fits[best]
    is_clear = fit.num_objects >= MIN_OBJECTS and fit.found >= MIN_FOUND
    if is_clear and fit.found > TIMES_BETTER * given.found:
        raise _wrong_format(form, given, best, fit, file)
    if given.valid < 0.5 and fit.valid >= NEARLY_ALL:
        raise _wrong_format(form, given, best, fit, file)
    return form, []


def _best_other(form: BoxForm, fits: dict[BoxForm, Fit], highest: float) -> BoxForm:
    """The form that finds the most objects; without any, the most usual one that nearly all boxes fit."""
    usual_scale = 1 if highest <= 1.5 else None
    others = [each for each in fits if each is not form]
    return max(
        others,
        key=lambda each: (
            fits[each].found,
            fits[each].valid >= NEARLY_ALL,
            each.full == usual_scale,
            # xyxy before center and size.
            -USUAL_ORDERS.index(each.order),
        ),
    )


def _inferred(form: BoxForm, fits: dict[BoxForm, Fit], file: Path) -> tuple[BoxForm, list[str]]:
    """Whether a language model wrote pixels, 0 to 1 or 0 to 1000."""
    ranked = sorted(
        (each for each in fits if each.order == "xyxy"), key=lambda each: fits[each].found, reverse=True
    )
    best, second = ranked[:2]
    is_clear = fits[best].num_objects >= MIN_OBJECTS and fits[best].found >= MIN_FOUND
    reason = (
        f"{fits[best].found:.0%} of {fits[best].num_objects} annotated objects overlap a box read as {best.name}, "
        f"{fits[second].found:.0%} one read as {second.name}"
    )
    if not (is_clear and fits[best].found > TIMES_BETTER * fits[second].found):
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected to know whether its boxes are pixels (xyxy) or 0 to 1000 (xyxy_1000), as language "
            f"models write both; {reason}. Pass --box-format xyxy or xyxy_1000 (`box_format` in an experiment); if "
            "they are pixels of a resized image, write its size beside them as image_width and image_height",
        )
    return best, [f"its boxes are read as {best.name}: {reason}"]


def _wrong_format(form: BoxForm, given: Fit, best: BoxForm, fit: Fit, file: Path) -> CliprpnError:
    overlap = (
        f"; of {fit.num_objects} annotated objects, {given.found:.0%} overlap a box read as {form.name}, "
        f"{fit.found:.0%} one read as {best.name}"
        if fit.num_objects
        else ""
    )
    return CliprpnError(
        "data_invalid",
        f"{file}: expected boxes as {form.name}, found {1 - given.valid:.0%} that are not valid as such, while "
        f"{fit.valid:.0%} are valid as {best.name}{overlap}: if {best.name} is their format, pass "
        f"--box-format {best.name} (`box_format` in an experiment)",
    )


def _check_sizes(
    table: np.ndarray, rows: np.ndarray, form: BoxForm, file: Path, place_of: Callable[[int], str]
) -> None:
    if form.order not in ("xywh", "cxcywh"):
        return
    negative = rows[(table["box"][rows, 2:] < 0).any(axis=1)]
    problems = Problems(file, "the detections")
    for row in negative:
        problems.add(
            f"{place_of(row)}: expected bbox (four finite numbers, {form.name}, no negative size), found "
            f"{shorten(table['box'][row].tolist())}"
        )
    problems.raise_if_any()


def _with_frames(
    table: np.ndarray, frames: list[tuple[float, float]], limits: np.ndarray, file: Path
) -> tuple[np.ndarray, list[str]]:
    """The size of the image that each box is about, with a note where it is not that of the dataset's.

    Raises:
        CliprpnError: data_invalid, if width and height are exchanged.
    """
    if not frames:
        return limits, []
    given = np.array([*frames, (0.0, 0.0)])[table["frame"]]
    differs = (given[:, 0] > 0) & (np.abs(given - limits) > 1).any(axis=1)
    if not differs.any():
        return limits, []
    example = int(np.flatnonzero(differs)[0])
    width, height = limits[example]
    sizes = f"{given[example, 0]:g}x{given[example, 1]:g} px, the dataset's {width:g}x{height:g} px"
    turned = differs & (np.abs(given[:, ::-1] - limits) <= 1).all(axis=1)
    if turned.any():
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected boxes in the frame of the dataset's images; for {turned.sum():,} boxes the file's image "
            f"is turned by 90 degrees: {sizes}. Detect objects in images turned as in the dataset",
        )
    note = f"{differs.sum():,} boxes are of images of another size, and are scaled to the dataset's: {sizes}"
    return np.where(differs[:, None], given, limits), [note]


def _note_on_edges(boxes: np.ndarray, limits: np.ndarray) -> list[str]:
    margin = EDGE_TOLERANCE * limits + 1
    past = ((boxes[:, 2:] > limits + margin) | (boxes[:, :2] < -margin)).any(axis=1)
    if len(boxes) == 0 or past.mean() < 0.05:
        return []
    return [
        f"{past.mean():.0%} of its boxes extend past their image by more than {EDGE_TOLERANCE:.0%} of it, and are "
        "clipped: are all in the same format?"
    ]


def _note_on_overlap(table: np.ndarray, boxes: np.ndarray, objects: Objects) -> list[str]:
    overlaps = best_overlaps(table["image"], boxes, objects)
    found = float((overlaps >= SAME_OBJECT_IOU).mean()) if len(overlaps) else 1.0
    if len(overlaps) < 30 or found >= 0.1:
        return []
    return [
        f"its boxes overlap only {found:.1%} of {len(overlaps):,} annotated objects with IoU of at least "
        f"{SAME_OBJECT_IOU}: are they of these images, in their pixels?"
    ]
