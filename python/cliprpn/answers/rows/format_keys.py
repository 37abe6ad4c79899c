"""The names of the fields of each published format of answers, and what its boxes mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cliprpn.answers.answer_row import AnswerFormat
from cliprpn.answers.coordinates.coordinates import coordinates_of
from cliprpn.contract.generated import Coordinates


@dataclass(frozen=True, eq=False)
class Keys:
    """Normalized keys of each field in a format, the first that a row has counts; four keys are the sides of a box.

    Attributes:
        gemini_box: y first, from 0 to 1000.
        hw: of a list of height and width.
        coordinates: of the boxes; None if the format does not say.
        gt_coordinates: of the ground truth; None if they are those of the boxes.
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
    gemini_box: Sequence[str] = ("box2d",)
    hw: Sequence[str] = ()
    coordinates: Coordinates | None = None
    gt_coordinates: Coordinates | None = None


_PIXELS_XYXY = coordinates_of("xyxy")
KEYS: dict[AnswerFormat, Keys] = {
    "table": Keys(),
    # COCO results are in xywh by definition.
    "coco": Keys(coordinates=coordinates_of("xywh")),
    "mdetr": Keys(sent_id=("sentid", "key"), box=("boxes", "bbox"), coordinates=_PIXELS_XYXY),
    # Its model gives normalized centers and sizes.
    "transvg": Keys(sent_id=("sentid",)),
    "lmms_eval": Keys(
        expression=("expression", "answer", "question"),
        box=("pred",),
        text=("pred",),
        gt=("bbox",),
        # Its prompt asks for coordinates from 0 to 1.
        coordinates=coordinates_of("xyxy_norm"),
        gt_coordinates=coordinates_of("xyxy_norm"),
        sent_id=("sentid",),
    ),
    "vlmevalkit": Keys(
        box=(),
        text=("prediction",),
        gt=(("bboxx1", "bboxy1", "bboxx2", "bboxy2"), "answer"),
        sent_id=("sentid",),
        expression=("expression", "question"),
    ),
    "internvl": Keys(box=(), text=("answer",), gt=("gtbbox",), gt_coordinates=_PIXELS_XYXY, hw=("hw",)),
    "qwen": Keys(box=(), text=("answer",), gt=("gtbbox",), gt_coordinates=_PIXELS_XYXY, hw=("hw",)),
    "vlm_r1": Keys(
        box=("extractedanswer",),
        text=("modeloutput", "extractedanswer"),
        gt=("groundtruth", "solution"),
        # Even where the answers are in pixels of the image that the model saw.
        gt_coordinates=_PIXELS_XYXY,
    ),
}
