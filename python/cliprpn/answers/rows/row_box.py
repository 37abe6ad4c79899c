"""The box of a row, in a field of its own or in the text of a model."""

from __future__ import annotations

from typing import Any

from cliprpn.answers.answer_row import MAX_TEXT_CHARS
from cliprpn.answers.rows.best_scored import best_of_row
from cliprpn.answers.rows.row_fields import RowFields
from cliprpn.answers.text.answer_json import GEMINI_KEY, box_in_json
from cliprpn.answers.text.answer_text import box_in_text
from cliprpn.answers.text.box_values import TextBox, box_of
from cliprpn.data.checks import shorten


def box_of_fields(row: RowFields) -> tuple[TextBox | None, float | None, str | None]:
    """The box, its score, and what the row has in place of a box; all None if it has no answer."""
    value, text = row.value("box"), row.value("text")
    gemini = row.value("gemini_box") if value is None and "box" not in row.given else None
    value, score = best_of_row(value if gemini is None else gemini, row.value("score"))
    value = value if gemini is None else {GEMINI_KEY: value}
    if "box" in row.given and "text" not in row.given:
        text = None
    found = _box(value)
    if found is None and (isinstance(text, str) or value is None) and not _is_text(value):
        value = text
        found = _box(value)
    return found, score, None if found is not None or value is None else _shown(value)


def _box(value: Any) -> TextBox | None:
    """The first box of a value."""
    box = box_of(value)
    if box is not None:
        return TextBox(box, None, 1)
    if isinstance(value, str):
        return box_in_text(value)
    if isinstance(value, dict):
        return box_in_json(value)
    if isinstance(value, list | tuple) and value:
        # Without scores, the first.
        found = _box(value[0]) if isinstance(value[0], str | dict | list | tuple) else None
        return None if found is None else found._replace(num_boxes=max(found.num_boxes, len(value)))
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _shown(value: Any) -> str:
    return value[:MAX_TEXT_CHARS] if isinstance(value, str) else shorten(value)
