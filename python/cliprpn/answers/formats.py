"""What the fields of each published format of answers mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cliprpn.answers.answer_row import AnswerFormat, AnswerRow, Box
from cliprpn.answers.answer_text import box_in_text, box_of, coordinates_of
from cliprpn.answers.published import READ_PUBLISHED
from cliprpn.answers.records import Placed
from cliprpn.contract.generated import Coordinates
from cliprpn.data.checks import Record, shorten
from cliprpn.detectors.results.keys import Fields, normalized
from cliprpn.errors import CliprpnError

Read = tuple[list[AnswerRow], Coordinates | None, list[str]]
MAX_TEXT_CHARS = 300
# Rows whose texts tell a format.
MAX_TRIED = 100
# What people can name with --columns.
FIELD_NAMES = ("sent_id", "image", "expression", "box", "text", "score", "gt", "split", "width", "height")
# In place of a column's name, for a field that is not to be read.
NO_COLUMN = "-"
REF_TAG = re.compile(r"<(?:ref|\|object_ref_start\|)>\s*([^<]{1,500}?)\s*<(?:/ref|\|object_ref_end\|)>")


@dataclass(frozen=True, eq=False)
class _Keys:
    """Normalized keys of each field in a format, the first that a row has counts; four keys are the sides of a box.

    Attributes:
        coordinates: of the boxes; None if the format does not say.
        gt_coordinates: of the ground truth; None if they are those of the boxes.
        hw: key of a list of height and width.
    """

    sent_id: Sequence[str] = ("sentid", "sentenceid", "questionid")
    image: Sequence[str] = (
        *("imageid", "imgid", "filename", "imagename", "imagefile", "imagepath", "imgpath", "image", "img"),
        "file",
    )
    expression: Sequence[str] = (
        *(
            "expression",
            "referringexpression",
            "refexp",
            "sentence",
            "sent",
            "caption",
            "phrase",
            "query",
            "question",
        ),
        "problem",
    )
    box: Sequence[str | tuple[str, ...]] = (
        *(("predx1", "predy1", "predx2", "predy2"), ("predxmin", "predymin", "predxmax", "predymax")),
        *(("predx", "predy", "predw", "predh"), ("predx", "predy", "predwidth", "predheight")),
        *(
            "predbox",
            "predbbox",
            "predictedbox",
            "predictedbbox",
            "boxpred",
            "bboxpred",
            "bbox2d",
            "bbox",
            "box",
        ),
        *("boxes", "bboxes", ("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax")),
    )
    text: Sequence[str] = (
        *(
            "prediction",
            "pred",
            "response",
            "answer",
            "output",
            "generatedtext",
            "modeloutput",
            "modelresponse",
        ),
        *("completion", "rawoutput", "rawresponse", "text", "value"),
    )
    score: Sequence[str] = (
        "score",
        "scores",
        "confidence",
        "conf",
        "prob",
        "probability",
        "predscore",
        "logit",
    )
    gt: Sequence[str | tuple[str, ...]] = (
        *(("gtx1", "gty1", "gtx2", "gty2"), ("gtxmin", "gtymin", "gtxmax", "gtymax")),
        *("gtbox", "gtbbox", "groundtruth", "groundtruthbox", "targetbox", "boxgt", "bboxgt"),
    )
    split: Sequence[str] = ("split",)
    width: Sequence[str] = ("resizedwidth", "inputwidth", "width", "imagewidth", "imgwidth")
    height: Sequence[str] = ("resizedheight", "inputheight", "height", "imageheight", "imgheight")
    coordinates: Coordinates | None = None
    gt_coordinates: Coordinates | None = None
    hw: str | None = None


_PIXELS_XYXY = coordinates_of("xyxy")
_KEYS: dict[AnswerFormat, _Keys] = {
    "table": _Keys(),
    # COCO results are in xywh by definition.
    "coco": _Keys(coordinates=coordinates_of("xywh")),
    "mdetr": _Keys(sent_id=("sentid", "key"), box=("boxes", "bbox"), coordinates=_PIXELS_XYXY),
    # Its model gives normalized centers and sizes.
    "transvg": _Keys(sent_id=("sentid",)),
    "lmms_eval": _Keys(
        expression=("expression", "answer", "question"),
        box=("pred",),
        text=("pred",),
        gt=("bbox",),
        # Its prompt asks for coordinates from 0 to 1.
        coordinates=coordinates_of("xyxy_norm"),
        gt_coordinates=coordinates_of("xyxy_norm"),
        sent_id=("sentid",),
    ),
    "vlmevalkit": _Keys(
        box=(),
        text=("prediction",),
        gt=(("bboxx1", "bboxy1", "bboxx2", "bboxy2"), "answer"),
        sent_id=("sentid",),
        expression=("expression", "question"),
    ),
    "internvl": _Keys(box=(), text=("answer",), gt=("gtbbox",), gt_coordinates=_PIXELS_XYXY, hw="hw"),
    "qwen": _Keys(box=(), text=("answer",), gt=("gtbbox",), gt_coordinates=_PIXELS_XYXY, hw="hw"),
    "vlm_r1": _Keys(
        box=("extractedanswer",),
        text=("modeloutput", "extractedanswer"),
        gt=("groundtruth", "solution"),
        # Even where the answers are in pixels of the image that the model saw.
        gt_coordinates=_PIXELS_XYXY,
    ),
}


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


def _read(records: Sequence[Placed], columns: Mapping[str, str], name: AnswerFormat) -> Read:
    keys, given = _KEYS[name], _given(columns)
    rows = [_row(where, record, keys, given) for where, record in records]
    if name in READ_PUBLISHED and not {"box", "text"} & set(given):
        rows = [READ_PUBLISHED[name](row, record) for row, (_, record) in zip(rows, records, strict=True)]
    best = _best(rows)
    notes = (
        [
            f"{len(rows):,} rows have scores and are {len(best):,} answers: the one with the highest score counts"
        ]
        if len(best) < len(rows)
        else []
    )
    return best, keys.coordinates, notes


def _given(columns: Mapping[str, str]) -> dict[str, list[list[str]]]:
    """Paths of the columns that a person named, by field."""
    for name in columns:
        if name not in FIELD_NAMES:
            raise CliprpnError(
                "bad_input", f"--columns {name}: expected one of the fields {', '.join(FIELD_NAMES)}"
            )
    return {name: [part.strip().split(".") for part in value.split("+")] for name, value in columns.items()}


def _row(where: str, record: Record, keys: _Keys, given: Mapping[str, list[list[str]]]) -> AnswerRow:
    fields = normalized(record)
    present = _present(keys, frozenset(fields))

    def value(field: str) -> Any:
        if field not in given:
            return _first(fields, present[field])
        if given[field] == [[NO_COLUMN]]:
            return None
        values = [_at(record, path, where) for path in given[field]]
        return values[0] if len(values) == 1 else values

    boxes, score = _with_best_score(value("box"), value("score"))
    box, coordinates, text, unparsed = _box(boxes, "text" in given or "box" not in given, value("text"))
    expression = _text(value("expression"))
    tagged = None if expression is None else REF_TAG.search(expression)
    gt_box = _gt_box(value("gt"))
    wh = fields.get(keys.hw) if keys.hw is not None else None
    size = (wh[1], wh[0]) if isinstance(wh, list) and len(wh) == 2 else (value("width"), value("height"))
    return AnswerRow(
        where=where,
        sent_id=_id(value("sent_id")),
        image=_id(value("image")),
        expression=expression if tagged is None else tagged[1],
        box=box,
        text=text,
        score=score,
        gt_box=gt_box,
        gt_coordinates=keys.gt_coordinates if gt_box is not None else None,
        coordinates=coordinates,
        frame_wh=_size(*size),
        split=_text(value("split")),
        unparsed=unparsed,
    )


def _with_best_score(boxes: Any, scores: Any) -> tuple[Any, float | None]:
    """The box with the highest score of a row with several, as MDETR writes them unsorted; and its score."""
    if not isinstance(boxes, list) or not isinstance(scores, list) or len(boxes) != len(scores) or not boxes:
        return boxes, box_score(scores)
    known = [(score, -i) for i, each in enumerate(scores) if (score := box_score(each)) is not None]
    if not known or not isinstance(boxes[0], list | tuple):
        return boxes, box_score(scores)
    score, position = max(known)
    return boxes[-position], score


def _box(value: Any, may_be_text: bool, text: Any) -> tuple[Box | None, Coordinates | None, str | None, bool]:
    """The box of a row, its own coordinates, the text without a box, and whether an answer has none."""
    if isinstance(value, list) and value and isinstance(value[0], list | tuple) and len(value) > 1:
        value = value[0]  # Without scores, the first.
    box = box_of(value)
    if box is not None:
        return box, None, None, False
    if isinstance(value, str) and value.strip():
        text = value
    elif value is not None and not (may_be_text and isinstance(text, str)):
        return None, None, shorten(value), True
    if isinstance(text, list | tuple | dict):
        box = box_of(text)
        if box is not None:
            return box, None, None, False
        is_texts = isinstance(text, list | tuple) and len(text) > 0 and isinstance(text[0], str)
        text = text[0] if is_texts else str(text)[:MAX_TEXT_CHARS]
    if not isinstance(text, str):
        return None, None, None, False
    found = box_in_text(text)
    if found is None:
        return None, None, text[:MAX_TEXT_CHARS], True
    return found.box, found.coordinates, None, False


def box_score(value: Any) -> float | None:
    """The score of the best box, as a number."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        return None
    return float(value)


def _gt_box(value: Any) -> Box | None:
    if isinstance(value, str):
        found = box_in_text(value)
        return None if found is None else found.box
    if isinstance(value, list) and value and isinstance(value[0], list):
        value = value[0]
    return box_of(value)


@lru_cache(256)
def _present(keys: _Keys, names: frozenset[str]) -> dict[str, list[str | tuple[str, ...]]]:
    """The keys of each field that rows with these names have; most rows of a file have the same names."""
    return {
        field: [
            key
            for key in getattr(keys, field)
            if (key in names if isinstance(key, str) else names.issuperset(key))
        ]
        for field in FIELD_NAMES
    }


def _first(fields: Fields, keys: Sequence[str | tuple[str, ...]]) -> Any:
    """The value of the first key, or of the first four keys, that is not empty; the row has all of them."""
    for key in keys:
        if isinstance(key, str):
            if fields[key] not in (None, ""):
                return fields[key]
        else:
            sides = [fields[side] for side in key]
            return None if all(side in (None, "") for side in sides) else sides
    return None


def _at(record: Record, path: Sequence[str], where: str) -> Any:
    """The value at a path of keys, and of positions in lists."""
    value: Any = record
    for position, key in enumerate(path):
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and len(key) < 6 and int(key) < len(value):
            value = value[int(key)]
        elif position == 0:
            raise CliprpnError(
                "data_invalid",
                f"{where}: expected a field {key!r} (--columns), found {shorten(', '.join(map(str, record)))}",
            )
        else:
            return None
    return value


def _id(value: Any) -> int | str | None:
    """An id as a number if it is one, else as text; of a list of one, its entry."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        return int(text) if re.fullmatch(r"-?\d{1,18}", text) and text == str(int(text)) else text or None
    return value if isinstance(value, int) and abs(value) < 2**63 else None


def _text(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def _size(width: Any, height: Any) -> tuple[float, float] | None:
    sides = [box_score(side) for side in (width, height)]
    if sides[0] is None or sides[1] is None or not (0 < sides[0] < 1e6 and 0 < sides[1] < 1e6):
        return None
    return sides[0], sides[1]


def _best(rows: list[AnswerRow]) -> list[AnswerRow]:
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


def _read_lmms_eval(records: Sequence[Placed], columns: Mapping[str, str]) -> Read:
    """Sample logs: each metric of a row has the same dict with the prediction and the ground truth."""
    inner: list[Placed] = []
    for where, record in records:
        found = next(
            (
                value
                for value in record.values()
                if isinstance(value, dict) and "pred" in value and "bbox" in value
            ),
            None,
        )
        if found is None:
            raise CliprpnError(
                "data_invalid",
                f"{where}: expected a sample of lmms-eval, with `pred` and `bbox` in a metric; found "
                f"{shorten(', '.join(map(str, record)))}",
            )
        doc = record.get("doc")
        extra = {
            key: doc[key]
            for key in ("image_id", "file_name", "split")
            if isinstance(doc, dict) and key in doc
        }
        inner.append((where, {**extra, **found}))
    return _read(inner, columns, "lmms_eval")


def _reader(name: AnswerFormat) -> Callable[[Sequence[Placed], Mapping[str, str]], Read]:
    return lambda records, columns: _read(records, columns, name)


FORMATS: dict[str, Callable[[Sequence[Placed], Mapping[str, str]], Read]] = {
    **{name: _reader(name) for name in _KEYS if name != "lmms_eval"},
    "lmms_eval": _read_lmms_eval,
}
