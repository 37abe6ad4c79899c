"""What each record of a file says, by its format."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cliprpn.answers.answer_row import AnswerFormat, AnswerRow, Box
from cliprpn.answers.files.records import Placed
from cliprpn.answers.rows.best_scored import best_rows
from cliprpn.answers.rows.format_keys import KEYS, Keys
from cliprpn.answers.rows.lmms_eval import lmms_eval_samples
from cliprpn.answers.rows.published import READ_PUBLISHED
from cliprpn.answers.rows.row_box import box_of_fields
from cliprpn.answers.rows.row_fields import Given, RowFields, given_paths
from cliprpn.answers.rows.row_values import id_of, size_of, text_of
from cliprpn.answers.text.answer_text import box_in_text
from cliprpn.answers.text.box_values import box_of
from cliprpn.contract.generated import Coordinates
from cliprpn.data.checks import Record

REF_TAG = re.compile(r"<(?:ref|\|object_ref_start\|)>\s*([^<]{1,500}?)\s*<(?:/ref|\|object_ref_end\|)>")


def read_rows(
    name: AnswerFormat, records: Sequence[Placed], columns: Mapping[str, str]
) -> tuple[list[AnswerRow], Coordinates | None, list[str]]:
    """The answers, the coordinates that the format says, and notes on what was decided.

    Args:
        columns: name of a column by field, see `row_fields.FIELD_NAMES`.

    Raises:
        CliprpnError: bad_input, if there is no such field; data_invalid, if a record lacks what its format has.
    """
    keys, given = KEYS[name], given_paths(columns)
    if name == "lmms_eval":
        records = lmms_eval_samples(records)
    rows = [_row(where, record, keys, given) for where, record in records]
    if name in READ_PUBLISHED and not {"box", "text"} & set(given):
        rows = [READ_PUBLISHED[name](row, record) for row, (_, record) in zip(rows, records, strict=True)]
    best = best_rows(rows)
    notes: list[str] = []
    if len(best) < len(rows):
        notes.append(
            f"{len(rows):,} rows have scores and are {len(best):,} answers: the one with the highest score counts"
        )
    num_several = sum(row.num_boxes > 1 for row in best)
    if num_several:
        notes.append(f"{num_several:,} answers have several boxes: the first counts")
    return best, keys.coordinates, notes


def _row(where: str, record: Record, keys: Keys, given: Given) -> AnswerRow:
    row = RowFields(where, record, keys, given)
    found, score, text = box_of_fields(row)
    expression = text_of(row.value("expression"))
    tagged = None if expression is None else REF_TAG.search(expression)
    gt_box = _gt_box(row.value("gt"))
    hw = row.value("hw")
    size = (
        (hw[1], hw[0]) if isinstance(hw, list) and len(hw) == 2 else (row.value("width"), row.value("height"))
    )
    return AnswerRow(
        where=where,
        sent_id=id_of(row.value("sent_id")),
        image=id_of(row.value("image")),
        expression=expression if tagged is None else tagged[1],
        box=None if found is None else found.box,
        text=text,
        score=score,
        gt_box=gt_box,
        gt_coordinates=keys.gt_coordinates if gt_box is not None else None,
        coordinates=None if found is None else found.coordinates,
        frame_wh=size_of(*size),
        split=text_of(row.value("split")),
        unparsed=text is not None,
        num_boxes=1 if found is None else found.num_boxes,
    )


def _gt_box(value: Any) -> Box | None:
    if isinstance(value, str):
        found = box_in_text(value)
        return None if found is None else found.box
    if isinstance(value, list) and value and isinstance(value[0], list):
        value = value[0]
    return box_of(value)
