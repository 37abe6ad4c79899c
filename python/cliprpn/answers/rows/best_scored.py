"""Of several boxes with scores for one expression, the one with the highest score."""

from __future__ import annotations

from typing import Any

from cliprpn.answers.answer_row import AnswerRow
from cliprpn.answers.rows.row_values import number_of


def best_of_row(boxes: Any, scores: Any) -> tuple[Any, float | None]:
    """The box with the highest score of a row with several, as MDETR writes them unsorted; and its score."""
    if not isinstance(boxes, list) or not isinstance(scores, list) or len(boxes) != len(scores) or not boxes:
        return boxes, number_of(scores)
    known = [(score, -i) for i, each in enumerate(scores) if (score := number_of(each)) is not None]
    if not known or not isinstance(boxes[0], list | tuple):
        return boxes, number_of(scores)
    score, position = max(known)
    return boxes[-position], score


def best_rows(rows: list[AnswerRow]) -> list[AnswerRow]:
    """Of several rows for one expression whose boxes all have scores, the one with the highest score."""
    by_key: dict[object, list[AnswerRow]] = {}
    for position, row in enumerate(rows):
        key = row.sent_id if row.sent_id is not None else (row.image, row.expression)
        by_key.setdefault(position if key == (None, None) else (key,), []).append(row)
    return [row for group in by_key.values() for row in _best(group)]


def _best(group: list[AnswerRow]) -> list[AnswerRow]:
    with_box = [row for row in group if row.box is not None]
    scores = [row.score for row in with_box if row.score is not None]
    if len(group) == 1 or not scores or len(scores) < len(with_box):
        return group
    return [with_box[scores.index(max(scores))]]
