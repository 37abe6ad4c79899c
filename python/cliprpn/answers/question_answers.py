"""The boxes of answers to questions with ids of their own, such as expressions that an audit changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cliprpn.answers.answer_row import AnswerRow
from cliprpn.answers.read_file import read_answer_file
from cliprpn.answers.split_answers import MIN_MATCHED
from cliprpn.answers.to_boxes import Answers, certain_coordinates, to_boxes
from cliprpn.box_arrays import Values
from cliprpn.contract.generated import AnswerReading
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError


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
    image_ids = index.sentences["image_id"].to_pylist()[: len(ids)]
    answers = Answers(rows, sizes, image_ids, None, [], [])
    said = reading.coordinates or file.coordinates or certain_coordinates([answers], path)
    return to_boxes(answers, said, reading.force_coordinates, path)
