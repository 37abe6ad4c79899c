"""A file of answers as predictions of each split it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cliprpn.answers.answer_row import AnswerFile, AnswerRow
from cliprpn.answers.coordinates import Values, check_fit, not_said, to_original
from cliprpn.answers.match_rows import Matched, SplitKeys, match_positions, match_rows
from cliprpn.answers.read_file import read_answer_file
from cliprpn.box_arrays import area, paired_intersection, paired_iou
from cliprpn.contract.generated import (
    AnswerExample,
    AnswerReading,
    AnswersReport,
    AnswerTarget,
    Coordinates,
    ReadAnswersParams,
    ReadAnswersResult,
)
from cliprpn.data.checks import shorten
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.predictions import PredictionColumns, predictions_file, write_predictions
from cliprpn.errors import CliprpnError

# A file that answers fewer expressions than this part of a split is not one of this split.
MIN_MATCHED = 0.5
SAME_BOX_IOU = 0.9
MAX_OTHER_GROUND_TRUTH, MANY_OTHER_GROUND_TRUTH = 0.5, 0.05
MIN_GROUND_TRUTH = 5
MAX_EXAMPLES = 3


def convert_answers(params: ReadAnswersParams) -> ReadAnswersResult:
    """Reads a file, matches its rows with each target and writes its predictions.

    Raises:
        CliprpnError: not_found, bad_input, data_invalid, no_space; nothing is written then.
    """
    path = Path(params.file)
    file = read_answer_file(path, params.reading)
    coordinates = params.reading.coordinates or file.coordinates
    parts: list[_Part] = []
    for target in params.targets:
        index = open_dataset(Path(target.dataset.root), target.dataset.id)
        parts.append(_match(file, index, target, path))
    _check_strangers(parts, file, path)
    if coordinates is None:
        coordinates = _certain_coordinates([(part.rows, part.sizes) for part in parts], path)
    for part in parts:
        _convert(part, coordinates, params.reading.force_coordinates, file, path)
    for part in parts:
        Path(part.target.out_dir).mkdir(parents=True, exist_ok=True)
        output = predictions_file(Path(part.target.out_dir), part.target.split)
        write_predictions(output, part.index, part.keys.rows, part.columns)
    return ReadAnswersResult(reports=[_report(part, file, coordinates, path) for part in parts])


@dataclass
class _Part:
    """The answers to one split.

    Attributes:
        rows: [S], the row of each expression; None without one.
        sizes: [S, 2], width and height of the image of each expression.
        columns: of the predictions, see `data/predictions.py`.
        num_gt: rows with a ground truth of their own, and those whose it is another than the dataset's.
    """

    target: AnswerTarget
    index: DatasetIndex
    keys: SplitKeys
    matched: Matched
    rows: list[AnswerRow | None]
    sizes: Values
    columns: PredictionColumns
    other_gt: list[int]
    num_gt: int = 0

    @property
    def name(self) -> str:
        return f"{self.target.dataset.name}:{self.target.split}"


def _match(file: AnswerFile, index: DatasetIndex, target: AnswerTarget, path: Path) -> _Part:
    keys = SplitKeys(index, target.split)
    if len(keys.rows) == 0:
        raise CliprpnError(
            "bad_input",
            f"{target.dataset.name}: expected a split with expressions, found none in {target.split}",
        )
    matched = match_positions(file.rows, keys) or match_rows(file.rows, keys, target.split, path.name)
    rows = [file.rows[i] if i >= 0 else None for i in matched.answers.tolist()]
    sizes = index.image_sizes(keys.rows).astype(np.float64)
    if np.isnan(sizes).any():
        raise CliprpnError(
            "data_invalid",
            f"{index.root}: expected the size of every image, found none of some; prepare {target.dataset.name} with "
            "its images, or with width and height in each row",
        )
    return _Part(target, index, keys, matched, rows, sizes, {}, [])


def _check_strangers(parts: Sequence[_Part], file: AnswerFile, path: Path) -> None:
    """Rows are strangers only if they match none of the targets.

    Raises:
        CliprpnError: data_invalid, if a target has hardly any answers.
    """
    strangers = set.intersection(*(set(part.matched.strangers) for part in parts))
    for part in parts:
        part.matched.strangers = sorted(strangers)
        num = int((part.matched.answers >= 0).sum())
        total = len(part.keys.rows)
        if num >= MIN_MATCHED * total:
            continue
        row = file.rows[min(strangers, default=0)]
        key = f"sent_id {shorten(row.sent_id)}" if row.sent_id is not None else "no sent_id"
        split = f", split {shorten(row.split)}" if row.split is not None else ""
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected answers to the {total:,} expressions of {part.name}, found answers to {num:,}; "
            f"{len(strangers):,} of {len(file.rows):,} rows match none. {row.where} has {key}, image "
            f"{shorten(row.image)}, expression {shorten(row.expression)}{split}; {part.name} has, for example, sent_id "
            f"{part.keys.sent_ids[0]}, image {part.keys.images[0][1]} (id {part.keys.images[0][0]}), expression "
            f"{shorten(part.keys.texts[0])}",
        )


def _certain_coordinates(
    parts: Sequence[tuple[Sequence[AnswerRow | None], Values]], path: Path
) -> Coordinates:
    """The coordinates of a file that does not say them, if each of its rows does.

    Args:
        parts: rows, and the sizes of their images.

    Raises:
        CliprpnError: bad_input, if a row does not; data_invalid, if there is no box.
    """
    first: Coordinates | None = None
    for rows, sizes in parts:
        known = [(row, i) for i, row in enumerate(rows) if row is not None and row.box is not None]
        unsaid = [(row, i) for row, i in known if row.coordinates is None]
        if unsaid:
            boxes = np.array([row.box for row, _ in unsaid], dtype=np.float64)
            raise not_said(boxes, sizes[[i for _, i in unsaid]], f"{path}: {unsaid[0][0].where}")
        if known and first is None:
            first = known[0][0].coordinates
    if first is None:
        raise CliprpnError("data_invalid", f"{path}: expected predicted boxes, found none that can be read")
    return first


def read_boxes(path: Path, reading: AnswerReading, index: DatasetIndex, ids: Sequence[str]) -> Values:
    """The boxes of answers to questions with ids of their own: [N, 4], xyxy, clipped; empty without an answer.

    Args:
        index: whose sentences are the questions.
        ids: [N], of the questions, as `sent_id`.

    Raises:
        CliprpnError: not_found, bad_input, data_invalid.
    """
    file = read_answer_file(path, reading)
    by_id: dict[object, AnswerRow] = {}
    for row in file.rows:
        by_id.setdefault(row.sent_id, row)
    rows = [by_id.get(key) for key in ids]
    num = sum(row is not None for row in rows)
    if num < MIN_MATCHED * len(ids):
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected answers to {len(ids):,} questions by sent_id, such as {ids[0]!r}, found {num:,}; was "
            "the file of questions made from the same split, with the same --seed?",
        )
    sizes = index.image_sizes(np.arange(len(ids))).astype(np.float64)
    said = reading.coordinates or file.coordinates
    said = said or _certain_coordinates([(rows, sizes)], path)
    warnings: list[str] = []
    boxes, _ = _to_boxes(rows, sizes, said, reading.force_coordinates, path, warnings)
    return boxes


def _convert(part: _Part, said: Coordinates, force: bool, file: AnswerFile, path: Path) -> None:
    """Fills in the columns of the predictions.

    Raises:
        CliprpnError: bad_input, if the boxes or the ground truth do not fit the coordinates.
    """
    boxes, frames = _to_boxes(part.rows, part.sizes, said, force, path, part.matched.warnings)
    _check_ground_truth(part, said, frames, force, path)
    part.columns = _columns(boxes, part.index.gt_boxes[part.keys.rows].astype(np.float64))
    scores = [row.score if row is not None else None for row in part.rows]
    if any(score is not None for score in scores):
        known = [score for score in scores if score is not None]
        part.columns["objectness"] = np.array(
            [min(known) if s is None else s for s in scores], dtype=np.float64
        )


def _to_boxes(
    all_rows: Sequence[AnswerRow | None],
    sizes: Values,
    said: Coordinates,
    force: bool,
    path: Path,
    warnings: list[str],
) -> tuple[Values, Values]:
    """The boxes, xyxy, clipped to their images, empty without an answer: [S, 4]; and the frames of the rows: [S, 2].

    Raises:
        CliprpnError: bad_input, if the boxes do not fit the coordinates; data_invalid, if a row lacks its frame.
    """
    frames = np.full((len(all_rows), 2), np.nan)
    boxes = np.zeros((len(all_rows), 4))
    for group, chosen in _by_coordinates(all_rows, said):
        at = np.array(chosen)
        rows = [row for i in chosen if (row := all_rows[i]) is not None]
        frames[at] = [row.frame_wh or (np.nan, np.nan) for row in rows]
        _check_frames(group, frames[at], rows, path)
        values = np.array([row.box for row in rows], dtype=np.float64)
        boxes[at] = to_original(values, group, sizes[at], frames[at])
        if group == said:
            _check(rows, values, group, sizes[at], frames[at], force, path, warnings)
    boxes = np.where(np.isfinite(boxes), boxes, 0)
    return np.minimum(np.maximum(boxes, 0), np.tile(sizes, 2)), frames


def _by_coordinates(
    rows: Sequence[AnswerRow | None], said: Coordinates
) -> list[tuple[Coordinates, list[int]]]:
    """Positions of the rows with a box, by their coordinates."""
    groups: list[tuple[Coordinates, list[int]]] = []
    for i, row in enumerate(rows):
        if row is None or row.box is None:
            continue
        own = row.coordinates or said
        known = next((chosen for group, chosen in groups if group == own), None)
        if known is None:
            groups.append((own, [i]))
        else:
            known.append(i)
    return groups


def _check_frames(coordinates: Coordinates, frames: Values, rows: Sequence[AnswerRow], path: Path) -> None:
    if coordinates.frame.kind != "columns":
        return
    missing = np.isnan(frames).any(axis=1)
    if missing.any():
        raise CliprpnError(
            "data_invalid",
            f"{path}: {rows[int(np.argmax(missing))].where}: expected width and height of the image that the "
            "model saw, found none; name the columns with --columns width=...,height=...",
        )


def _check(
    rows: Sequence[AnswerRow],
    values: Values,
    said: Coordinates,
    sizes: Values,
    frames: Values,
    force: bool,
    path: Path,
    warnings: list[str],
) -> None:
    fit = check_fit(values, said, sizes, frames)
    if fit.message is None:
        return
    row = rows[fit.row]
    message = f"{fit.message}. See {row.where}: {shorten(list(row.box or ()))}"
    if fit.is_certain and not force:
        raise CliprpnError("bad_input", f"{path}: {message}. If they are right, add --force-coordinates")
    warnings.append(message)


def _check_ground_truth(part: _Part, said: Coordinates, frames: Values, force: bool, path: Path) -> None:
    """Compares the ground truth of the file with that of the dataset.

    Raises:
        CliprpnError: bad_input, if most of it is another.
    """
    at = [i for i, row in enumerate(part.rows) if row is not None and row.gt_box is not None]
    if not at:
        return
    rows = [row for i in at if (row := part.rows[i]) is not None]
    values = np.array([row.gt_box for row in rows], dtype=np.float64)
    truth = part.index.gt_boxes[part.keys.rows[at]].astype(np.float64)
    coordinates = rows[0].gt_coordinates or said
    ious = paired_iou(to_original(values, coordinates, part.sizes[at], frames[at]), truth)
    other = ious < SAME_BOX_IOU
    part.num_gt, part.other_gt = len(at), [at[i] for i in np.flatnonzero(other).tolist()]
    by_position = part.matched.num_by["position"] > 0
    if other.mean() <= (0.01 if by_position else MANY_OTHER_GROUND_TRUTH):
        return
    first = rows[int(np.argmax(other))]
    what = (
        f"the ground truth of {other.sum():,} of {len(at):,} rows is another than that of {part.name}, such as "
        f"{first.where}: {shorten(list(first.gt_box or ()))}"
    )
    if not by_position and (other.mean() <= MAX_OTHER_GROUND_TRUTH or len(at) < MIN_GROUND_TRUTH or force):
        part.matched.warnings.append(what)
        return
    hint = "are these answers to another dataset, or rows in another order?"
    for name in ("xyxy", "xywh", "xyxy_norm", "xywh_norm", "xyxy_1000", "xywh_1000", "cxcywh_norm"):
        reading = Coordinates.model_validate({"box_format": name, "frame": {"kind": "original"}})
        agreeing = paired_iou(to_original(values, reading, part.sizes[at], frames[at]), truth) >= SAME_BOX_IOU
        if agreeing.mean() >= 0.95:
            hint = f"read as {name} it is the same: use --coordinates {name}"
            break
    raise CliprpnError("bad_input", f"{path}: {what}: {hint}")


def _columns(boxes: Values, truth: Values) -> PredictionColumns:
    """As `inference.predict.prediction_columns`, for one box of each expression."""
    intersection = paired_intersection(boxes, truth)
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = ((center >= truth[:, :2]) & (center <= truth[:, 2:])).all(axis=1) & (area(boxes) > 0)
    return {
        "pred_box_xyxy": boxes,
        "iou": paired_iou(boxes, truth),
        "intersection": intersection,
        "union": area(boxes) + area(truth) - intersection,
        "pointing": inside,
    }


def _example(kind: Any, where: str, text: str) -> AnswerExample:
    return AnswerExample(kind=kind, where=_printable(where), text=_printable(text))


def _printable(text: str) -> str:
    """A text without control characters and halves of surrogates, which cannot be written."""
    return "".join(char if char.isprintable() else " " for char in text)


def _report(part: _Part, file: AnswerFile, coordinates: Coordinates, path: Path) -> AnswersReport:
    missing = [i for i, row in enumerate(part.rows) if row is None]
    unparsed = [i for i, row in enumerate(part.rows) if row is not None and row.box is None]
    matched = part.matched
    rows = file.rows
    examples = [
        *(
            _example("missing", f"sent_id {part.keys.sent_ids[i]}", part.keys.texts[i])
            for i in missing[:MAX_EXAMPLES]
        ),
        *(
            _example("unparsed", row.where, row.text or "no box")
            for i in unparsed[:MAX_EXAMPLES]
            if (row := part.rows[i]) is not None
        ),
        *(
            _example("duplicate", rows[i].where, shorten(rows[i].expression))
            for i in matched.duplicates[:MAX_EXAMPLES]
        ),
        *(
            _example("stranger", rows[i].where, shorten(rows[i].expression))
            for i in matched.strangers[:MAX_EXAMPLES]
        ),
        *(
            _example("other_ground_truth", row.where, shorten(list(row.gt_box or ())))
            for i in part.other_gt[:MAX_EXAMPLES]
            if (row := part.rows[i]) is not None
        ),
    ]
    return AnswersReport(
        file=str(path),
        sha256=file.sha256,
        format=file.format,
        coordinates=coordinates,
        num_rows=len(rows),
        num_expressions=len(part.rows),
        num_answered=len(part.rows) - len(missing) - len(unparsed),
        num_missing=len(missing),
        num_unparsed=len(unparsed),
        num_duplicates=len(matched.duplicates),
        num_strangers=len(matched.strangers),
        num_by_sent_id=matched.num_by["sent_id"],
        num_by_text=matched.num_by["text"],
        num_by_normalized_text=matched.num_by["normalized"],
        num_ground_truth=part.num_gt,
        num_other_ground_truth=len(part.other_gt),
        has_scores="objectness" in part.columns,
        notes=[*file.notes, *matched.notes],
        warnings=matched.warnings,
        examples=examples,
    )
