"""One answer of a file, before it is matched with an expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from cliprpn.contract.generated import Coordinates

AnswerFormat = Literal[
    "table", "coco", "mdetr", "transvg", "lmms_eval", "vlmevalkit", "internvl", "qwen", "vlm_r1"
]
Box = tuple[float, float, float, float]
# What programs write for an answer without a box, in any coordinates.
NO_ANSWER: Box = (0.0, 0.0, 0.0, 0.0)
# Of a text that is shown.
MAX_TEXT_CHARS = 300


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What a row of the file says; None where it does not.

    Attributes:
        where: the place in the user's file, such as "qwen.jsonl:12".
        sent_id: of the dataset.
        image: an id or a file name.
        expression: as it was asked.
        box: four numbers in the coordinates of the row, or of the file.
        text: the model's text in which no box was found, shortened.
        score: of the box.
        gt_box: the ground truth that the file has.
        gt_coordinates: those of `gt_box`; None for those of `box`.
        coordinates: of `box`, if the row's notation is certain, such as the tokens of a model.
        frame_wh: width and height of the image that the model saw, pixels.
        split: that the row names.
        unparsed: True if there is an answer, but no box in it, or a box that is not four finite numbers.
        num_boxes: in the answer, of which `box` is the first.
    """

    where: str
    sent_id: int | str | None = None
    image: int | str | None = None
    expression: str | None = None
    box: Box | None = None
    text: str | None = None
    score: float | None = None
    gt_box: Box | None = None
    gt_coordinates: Coordinates | None = None
    coordinates: Coordinates | None = None
    frame_wh: tuple[float, float] | None = None
    split: str | None = None
    unparsed: bool = False
    num_boxes: int = 1


@dataclass(frozen=True)
class AnswerFile:
    """
    Attributes:
        format: that the file was recognized as.
        rows: in the order of the file.
        coordinates: of the boxes of rows without their own; None if the format does not say.
        notes: what was decided while reading, a line each.
        sha256: of the file.
    """

    format: AnswerFormat
    rows: Sequence[AnswerRow]
    coordinates: Coordinates | None
    sha256: str
    notes: list[str] = field(default_factory=list)
