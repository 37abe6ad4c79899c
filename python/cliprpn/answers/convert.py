"""A file of answers as predictions of each split it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cliprpn.answers.answer_row import AnswerFile, AnswerRow
from cliprpn.answers.coordinates import Values, to_original
from cliprpn.answers.ground_truth import SAME_BOX_IOU, GroundTruth, check_ground_truth
from cliprpn.answers.match_rows import Matched, match_positions, match_rows
from cliprpn.answers.read_file import read_answer_file
from cliprpn.answers.split_keys import SplitKeys
from cliprpn.answers.to_boxes import Answers, certain_coordinates, to_boxes
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
MAX_EXAMPLES = 3


def convert_answers(params: ReadAnswersParams) -> ReadAnswersResult:
    """Reads a file, matches its rows with each target and writes its predictions.

    Raises:
        CliprpnError: not_found, bad_input, data_invalid, no_space; nothing is written then.
    """
    path = Path(params.file)
    file = _without_empty_boxes(read_answer_file(path, params.reading))
    coordinates = params.reading.coordinates or file.coordinates
    parts: list[_Part] = []
    for target in params.targets:
        index = open_dataset(Path(target.dataset.root), target.dataset.id)
        parts.append(_match(file, index, target, coordinates, params.reading))
    _check_strangers(parts, file, path)
    if coordinates is None:
        coordinates = certain_coordinates([part.answers for part in parts], path)
    for part in parts:
        _convert(part, coordinates, params.reading.force_coordinates, path)
    for part in parts:
        Path(part.target.out_dir).mkdir(parents=True, exist_ok=True)
        output = predictions_file(Path(part.target.out_dir), part.target.split)
        write_predictions(output, part.index, part.keys.rows, part.columns)
    return ReadAnswersResult(reports=[_report(part, file, coordinates, path) for part in parts])


def _without_empty_boxes(file: AnswerFile) -> AnswerFile:
    """Four zeros are what programs write for an answer without a box, in any coordinates."""
    rows = [
        replace(row, box=None, unparsed=True, text="0, 0, 0, 0") if row.box == (0, 0, 0, 0) else row
        for row in file.rows
    ]
    return replace(file, rows=rows)


@dataclass
class _Part:
    """The answers to one split.

    Attributes:
        columns: of the predictions, see `data/predictions.py`.
    """

    target: AnswerTarget
    index: DatasetIndex
    keys: SplitKeys
    matched: Matched
    answers: Answers
    columns: PredictionColumns = field(default_factory=dict)
    ground_truth: GroundTruth = field(default_factory=GroundTruth)

    @property
    def name(self) -> str:
        return f"{self.target.dataset.name}:{self.target.split}"


def _match(
    file: AnswerFile,
    index: DatasetIndex,
    target: AnswerTarget,
    said: Coordinates | None,
    reading: AnswerReading,
) -> _Part:
    keys = SplitKeys(index, target.split)
    if len(keys.rows) == 0:
        raise CliprpnError(
            "bad_input",
            f"{target.dataset.name}: expected a split with expressions, found none in {target.split}",
        )
    sizes = index.image_sizes(keys.rows).astype(np.float64)
    if np.isnan(sizes).any():
        raise CliprpnError(
            "data_invalid",
            f"{index.root}: expected the size of every image, found none of some; prepare {target.dataset.name} with "
            "its images, or with width and height in each row",
        )
    truth = index.gt_boxes[keys.rows].astype(np.float64)

    def has_ground_truth(row: AnswerRow, i: int) -> bool:
        coordinates = row.gt_coordinates or said
        if row.gt_box is None or coordinates is None:
            return False
        frame = np.array([row.frame_wh or (np.nan, np.nan)])
        box = to_original(np.array([row.gt_box]), coordinates, sizes[i : i + 1], frame)
        return bool(paired_iou(box, truth[i : i + 1])[0] >= SAME_BOX_IOU)

    columns = reading.columns or {}
    are_images = "image" in columns or columns.get("sent_id") == "-"  # No column is.
    matched = match_positions(file.rows, keys) or match_rows(
        file.rows, keys, target.split, has_ground_truth, are_images
    )
    rows = [file.rows[i] if i >= 0 else None for i in matched.answers.tolist()]
    image_ids = [image_id for image_id, _ in keys.images]
    answers = Answers(rows, sizes, image_ids, truth, [*file.notes, *matched.notes], matched.warnings)
    return _Part(target, index, keys, matched, answers)


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
        raise CliprpnError("data_invalid", f"{path}: {_too_few(part, file, num, sorted(strangers))}")


def _too_few(part: _Part, file: AnswerFile, num: int, strangers: Sequence[int]) -> str:
    total, keys, num_by = len(part.keys.rows), part.keys, part.matched.num_by
    by = ", ".join(
        f"{num_by[how]:,} by {name}"
        for how, name in (
            ("sent_id", "sent_id"),
            ("text", "image and expression"),
            ("normalized", "normalized text"),
            ("image", "image"),
        )
        if num_by[how]
    )
    found = f"found answers to {num:,}{f' ({by})' if by else ''}"
    row = file.rows[strangers[0] if strangers else 0]
    named = [
        f"{name} {shorten(value)}"
        for name, value in (
            ("sent_id", row.sent_id),
            ("image", row.image),
            ("expression", row.expression),
            ("split", row.split),
        )
        if value is not None
    ]
    other = (
        f"{part.matched.num_other_split:,} rows name another split; " if part.matched.num_other_split else ""
    )
    advice = part.matched.advice or (
        "to evaluate a part of a split, list its ids with --only"
        if num > 0 and not strangers
        else "name the columns with --columns sent_id=..., or image=...,expression=..."
    )
    return (
        f"expected answers to the {total:,} expressions of {part.name}, {found}; {len(strangers):,} of "
        f"{len(file.rows):,} rows match none. {other}{row.where} has {', '.join(named) or 'no sent_id or expression'}; "
        f"{part.name} has, for example, sent_id {keys.sent_ids[0]}, image {keys.images[0][1]} (id "
        f"{keys.images[0][0]}), expression {shorten(keys.texts[0])}. {advice[0].upper()}{advice[1:]}"
    )


def read_boxes(path: Path, reading: AnswerReading, index: DatasetIndex, ids: Sequence[str]) -> Values:
    """The boxes of answers to questions with ids of their own: [N, 4], xyxy, clipped; empty without an answer.

    Args:
        index: whose sentences are the questions.
        ids: [N], of the questions, as `sent_id`.

    Raises:
        CliprpnError: not_found, bad_input, data_invalid.
    """
    file = _without_empty_boxes(read_answer_file(path, reading))
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
    image_ids = index.sentences["image_id"].to_pylist()[: len(ids)]
    answers = Answers(rows, sizes, image_ids, None, [], [])
    said = reading.coordinates or file.coordinates or certain_coordinates([answers], path)
    return to_boxes(answers, said, reading.force_coordinates, path)


def _convert(part: _Part, said: Coordinates, force: bool, path: Path) -> None:
    """Fills in the columns of the predictions.

    Raises:
        CliprpnError: bad_input, if the boxes or the ground truth do not fit the coordinates.
    """
    answers, truth = part.answers, part.index.gt_boxes[part.keys.rows].astype(np.float64)
    by_position = part.matched.num_by["position"] > 0
    # Before the boxes, as it is better evidence of their coordinates.
    part.ground_truth = check_ground_truth(
        answers.rows, said, truth, answers.sizes, answers.frames, part.name, by_position
    )
    message = part.ground_truth.message
    if message is not None:
        if part.ground_truth.is_certain and (by_position or not force):
            advice = "" if by_position else ". If it does not matter, add --force-coordinates"
            raise CliprpnError("bad_input", f"{path}: {message}{advice}")
        answers.warnings.append(message)
    part.columns = _columns(to_boxes(answers, said, force, path), truth)
    answered = [row for row in answers.rows if row is not None and row.box is not None]
    scores = [row.score for row in answered if row.score is not None]
    if answered and len(scores) == len(answered):
        # A missing answer has the lowest confidence.
        lowest = min(scores)
        part.columns["objectness"] = np.array(
            [lowest if row is None or row.score is None else row.score for row in answers.rows],
            dtype=np.float64,
        )
    elif scores:
        answers.notes.append(
            f"{len(answered) - len(scores):,} of {len(answered):,} answers have no score: scores are not used"
        )


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
    missing = [i for i, row in enumerate(part.answers.rows) if row is None]
    unparsed = [i for i, row in enumerate(part.answers.rows) if row is not None and row.box is None]
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
            if (row := part.answers.rows[i]) is not None
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
            for i in part.ground_truth.other[:MAX_EXAMPLES]
            if (row := part.answers.rows[i]) is not None
        ),
    ]
    return AnswersReport(
        file=str(path),
        sha256=file.sha256,
        format=file.format,
        coordinates=coordinates,
        num_rows=len(rows),
        num_expressions=len(part.answers.rows),
        num_answered=len(part.answers.rows) - len(missing) - len(unparsed),
        num_missing=len(missing),
        num_unparsed=len(unparsed),
        num_duplicates=len(matched.duplicates),
        num_strangers=len(matched.strangers),
        num_by_sent_id=matched.num_by["sent_id"],
        num_by_text=matched.num_by["text"],
        num_by_normalized_text=matched.num_by["normalized"],
        num_by_image=matched.num_by["image"],
        num_by_position=matched.num_by["position"],
        num_ground_truth=part.ground_truth.num,
        num_other_ground_truth=len(part.ground_truth.other),
        has_scores="objectness" in part.columns,
        notes=part.answers.notes,
        warnings=part.answers.warnings,
        examples=examples,
    )
