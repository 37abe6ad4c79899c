"""The format of a file of answers, by the fields of its rows."""

from __future__ import annotations

from collections.abc import Sequence

from cliprpn.answers.answer_row import AnswerFormat
from cliprpn.answers.files.records import Placed
from cliprpn.detectors.results.keys import normalized

# Rows whose texts tell a format.
MAX_TRIED = 100


def recognize(records: Sequence[Placed]) -> AnswerFormat:
    """The format of a file, by the fields of its first record."""
    record = records[0][1]
    fields = normalized(record)
    if any(isinstance(value, dict) and "pred" in value and "bbox" in value for value in record.values()):
        return "lmms_eval"
    if {"answer", "gtbbox", "hw"} <= set(fields):
        # InternVL writes lists in its tags, Qwen pairs.
        is_list = any("[[" in str(each.get("answer")) for _, each in records[:MAX_TRIED])
        return "internvl" if is_list else "qwen"
    if {"groundtruth", "extractedanswer"} <= set(fields):
        return "vlm_r1"
    if {"index", "prediction", "answer"} <= set(fields):
        return "vlmevalkit"
    if "key" in fields and {"boxes", "scores"} <= set(fields):
        return "mdetr"
    if {"imageid", "bbox", "score"} <= set(fields) and "categoryid" in fields:
        return "coco"
    return "table"
