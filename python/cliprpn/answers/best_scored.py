"""Of several boxes with scores for one expression, the one with the highest score."""

from __future__ import annotations

from typing import Any

from cliprpn.answers.answer_row import AnswerRow
from cliprpn.answers.row_values import number_of


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
    """Of several rows for one expression that all have scores, the one with the highest score."""
    best: dict[object, AnswerRow] = {}
    for row in rows:
        key = row.sent_id if row.sent_id is not None else (row.image, row.expression)
        if row.score is None or row.box is None or key in (None, (None, None)):
            return rows
        kept = best.get(key)
        if kept is None or (kept.score or 0) < row.score:
            best[key] = row
    return list(best.values())
