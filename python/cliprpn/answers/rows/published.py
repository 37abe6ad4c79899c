"""What published evaluation code means by a row, beyond its field names.

Each rule is that of the code that writes the file, named in its docstring; none of them looks at hits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from cliprpn.answers.answer_row import MAX_TEXT_CHARS, NO_ANSWER, AnswerFormat, AnswerRow
from cliprpn.answers.coordinates.coordinates import coordinates_of
from cliprpn.data.checks import Record

_PIXELS, _NORMALIZED, _THOUSAND = map(coordinates_of, ("xyxy", "xyxy_norm", "xyxy_1000"))
NUMBER = r"\s*\d{1,4}(?:\.\d{1,6})?\s*"
# Tokens such as `<box>` may have been left out when the answer was decoded.
INTERNVL_BOX = re.compile(rf"\[{NUMBER},{NUMBER},{NUMBER},{NUMBER}\]")
QWEN_BOX = re.compile(rf"\({NUMBER},{NUMBER}\),\({NUMBER},{NUMBER}\)")
# VLMEvalKit writes the dataset before the split, as in `RefCOCO+_testA`.
DATASET_SPLIT = re.compile(r".*[ _](train|val|test[AB]?)", re.IGNORECASE)
# Above it, VLMEvalKit takes its ground truth as 0 to 1000, not as normalized; its TSV may also have pixels.
MAX_NORMALIZED = 1.5


def read_vlm_r1(row: AnswerRow, record: Record) -> AnswerRow:
    """VLM-R1 (`test_rec_r1.py`) logs four zeros where an answer has no box, and scales the others to the original image
    where it logs both sizes."""
    text = record.get("model_output")
    if row.box == NO_ANSWER and isinstance(text, str):
        return replace(row, box=None, unparsed=True, text=text[:MAX_TEXT_CHARS])
    is_scaled = row.box is not None and "input_size" in record and "image_size" in record
    return replace(row, coordinates=_PIXELS) if is_scaled else row


def read_internvl(row: AnswerRow, record: Record) -> AnswerRow:
    """InternVL (`evaluate_grounding.py`) divides by 1000, unless the four numbers add up to less than 4."""
    answer = record.get("answer")
    if row.box is None or not isinstance(answer, str) or "{" in answer or not INTERNVL_BOX.search(answer):
        return row
    return replace(row, coordinates=_THOUSAND if sum(row.box) >= 4 else _NORMALIZED)


def read_qwen(row: AnswerRow, record: Record) -> AnswerRow:
    """Qwen-VL (`evaluate_grounding.py`) writes pairs from 0 to 999, mostly without its tokens."""
    answer = record.get("answer")
    if row.box is None or not isinstance(answer, str) or not QWEN_BOX.search(answer):
        return row
    x1, y1, x2, y2 = (number / 999 for number in row.box)
    return replace(row, box=(x1, y1, x2, y2), coordinates=_NORMALIZED)


def read_vlmevalkit(row: AnswerRow, record: Record) -> AnswerRow:
    """VLMEvalKit (`refcoco.py`) names a split by its dataset, and has the ground truth in pixels in four columns."""
    split = None if row.split is None else DATASET_SPLIT.fullmatch(row.split)
    if split is not None:
        row = replace(row, split=split[1])
    if row.gt_box is None:
        return row
    if "bbox_x1" in record:
        return replace(row, gt_coordinates=_PIXELS)
    # In `answer` it may be in pixels or from 0 to 1000, which the numbers alone do not tell.
    is_normalized = max(map(abs, row.gt_box)) <= MAX_NORMALIZED
    return replace(row, gt_coordinates=_NORMALIZED if is_normalized else None)


READ_PUBLISHED: dict[AnswerFormat, Callable[[AnswerRow, Record], AnswerRow]] = {
    "vlm_r1": read_vlm_r1,
    "internvl": read_internvl,
    "qwen": read_qwen,
    "vlmevalkit": read_vlmevalkit,
}
