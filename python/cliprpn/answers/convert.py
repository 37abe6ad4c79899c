"""A file of answers as predictions of each split it answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.answers.answers_report import answers_report
from cliprpn.answers.coordinates.to_boxes import certain_coordinates, to_boxes
from cliprpn.answers.matching.ground_truth import check_ground_truth
from cliprpn.answers.rows.read_file import read_answer_file
from cliprpn.answers.split_answers import SplitAnswers, check_strangers, match_split
from cliprpn.box_arrays import Values, area, paired_intersection, paired_iou
from cliprpn.contract.generated import (
    Coordinates,
    ReadAnswersParams,
    ReadAnswersResult,
)
from cliprpn.data.index import open_dataset
from cliprpn.data.predictions import PredictionColumns, predictions_file, write_predictions
from cliprpn.errors import CliprpnError


def convert_answers(params: ReadAnswersParams) -> ReadAnswersResult:
    """Reads a file, matches its rows with each target and writes its predictions.

    Raises:
        CliprpnError: not_found, bad_input, data_invalid, no_space; nothing is written then.
    """
    path = Path(params.file)
    file = read_answer_file(path, params.reading)
    coordinates = params.reading.coordinates or file.coordinates
    parts: list[SplitAnswers] = []
    for target in params.targets:
        index = open_dataset(Path(target.dataset.root), target.dataset.id)
        parts.append(match_split(file, index, target, coordinates, params.reading))
    check_strangers(parts, file, path)
    if coordinates is None:
        coordinates = certain_coordinates([part.answers for part in parts], path)
    for part in parts:
        _convert(part, coordinates, params.reading.force_coordinates, path)
    for part in parts:
        Path(part.target.out_dir).mkdir(parents=True, exist_ok=True)
        output = predictions_file(Path(part.target.out_dir), part.target.split)
        write_predictions(output, part.index, part.keys.rows, part.columns)
    return ReadAnswersResult(reports=[answers_report(part, file, coordinates, path) for part in parts])


def _convert(part: SplitAnswers, said: Coordinates, force: bool, path: Path) -> None:
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
