"""The keys under which detectors write images, boxes, scores and classes. Case, `_` and `-` do not matter."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

# Earlier keys take precedence.
NAME_KEYS = (
    *("filename", "imagename", "imagepath", "imgpath", "imagefile", "imgname", "imagefilename", "filepath"),
    *("image", "img", "images", "path", "file"),
)
ID_KEYS = ("imageid", "imgid")
# `id` is an image only where detections lie below it.
GROUP_ID_KEYS = (*ID_KEYS, "id")
BOX_KEYS = (
    *(
        "bbox",
        "box",
        "bbox2d",
        "box2d",
        "bboxxyxy",
        "boxxyxy",
        "xyxy",
        "xyxyn",
        "bboxxywh",
        "boxxywh",
        "xywh",
    ),
    *("xywhn", "boundingbox", "rect", "predbox", "predbbox", "predictedbox", "predictedbbox"),
)
BOXES_KEYS = (
    *("boxes", "bboxes", "predboxes", "predbboxes", "detectionboxes", "boxesxyxy", "bboxesxyxy", "xyxy"),
    "xyxyn",
)
SCORE_KEYS = ("score", "confidence", "conf", "prob", "probability", "detectionscore", "logit")
SCORES_KEYS = (
    *("scores", "confidences", "confidence", "conf", "probs", "predscores", "detectionscores", "logits"),
    "score",
)
# Class names; the other class keys may have a name or an id.
WORD_KEYS = ("categoryname", "classname", "labelname", "textlabel", "phrase", "name")
CLASS_KEYS = ("label", "category", "class", "categoryid", "classid", "labelid", "cls")
WORDS_KEYS = (
    *("textlabels", "labelnames", "classnames", "categorynames", "phrases", "bboxeslabels"),
    *("detectionclassentities", "detectionclassnames", "names"),
)
CLASSES_KEYS = (
    "labels",
    "classes",
    "categories",
    "predclasses",
    "detectionclasses",
    "classids",
    "cls",
    "classid",
    *("category", "categoryid", "label", "class"),
)
# Lists of the detections of an image, or of a whole file; what a model predicts before annotations.
LIST_KEYS = (
    *("predictions", "preds", "detections", "dets", "results", "outputs", "output", "result", "prediction"),
    *(
        "parsedanswer",
        "annotations",
        "objects",
        "instances",
        "proposals",
        "samples",
        "data",
        "rows",
        "items",
        "boxes",
    ),
    "bboxes",
)
# Texts that language models have written.
TEXT_KEYS = (
    *("response", "answer", "output", "outputs", "prediction", "pred", "generatedtext", "modeloutput"),
    *("modelresponse", "result", "completion", "rawoutput", "rawresponse", "text", "content", "caption"),
)
FORMAT_KEYS = ("boxformat", "bboxformat", "boxmode", "bboxmode")
WIDTH_KEYS = ("width", "imgwidth", "imagewidth", "w")
HEIGHT_KEYS = ("height", "imgheight", "imageheight", "h")

_LISTS, _BOXES = frozenset(LIST_KEYS), frozenset((*BOXES_KEYS, "bbox", "box"))

Fields = dict[str, Any]


def may_have_lists(fields: Fields) -> tuple[bool, bool]:
    """Whether any key may have a list of detections, and a list of boxes: most objects of a file have neither."""
    return not _LISTS.isdisjoint(fields), not _BOXES.isdisjoint(fields)


def normalized(item: dict[str, Any]) -> Fields:
    """The fields by their keys in lower case without `_` and `-`; the first of two that become the same."""
    fields: Fields = {}
    for key, value in item.items():
        fields.setdefault(_normalize(key), value)
    return fields


def first(fields: Fields, keys: tuple[str, ...]) -> Any:
    """The value of the first key that has one; None if there is none."""
    return next((fields[key] for key in keys if fields.get(key) is not None), None)


@lru_cache(4096)
def _normalize(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(" ", "")
