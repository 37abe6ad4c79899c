"""Records of images, objects and sentences as the annotations give them, before any image is read.

`where` is the place in the user's file that messages name, such as `rows.jsonl:17`: of an image, its first mention.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

# Four numbers in the source's format.
Box = tuple[float, float, float, float]
BoxFormat = Literal["xywh", "xyxy", "cxcywh_norm", "xywh_norm", "xyxy_norm", "xywh_1000", "xyxy_1000"]
SPLITS = ("train", "val", "test", "testA", "testB")


@dataclass(frozen=True)
class ImageRecord:
    """An image, with its size in pixels if the annotations give one."""

    image_id: int
    file_name: str
    width: int | None
    height: int | None
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class ObjectRecord:
    """An annotated object, with or without a sentence; its box is in the source's format."""

    ann_id: int
    image_id: int
    category: str | None
    box: Box
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class SentenceRecord:
    """A referring expression, with its split if the annotations give one."""

    sent_id: int
    ref_id: int
    ann_id: int
    image_id: int
    split: str | None
    sentence: str
    stratum: str | None = None
    pair_id: int | None = None
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Annotations:
    """All records of a source, each kind in the source's order.

    Attributes:
        images: images with at least one sentence, in order of first mention.
        objects: all objects of those images, by ann_id.
        notes: oddities of the source that were accepted, one line each.
        warnings: what may make results wrong and cannot be known from the files, one line each.
        num_left_out: sentences that were left out since they are invalid.
    """

    box_format: BoxFormat
    images: list[ImageRecord]
    objects: dict[int, ObjectRecord]
    sentences: list[SentenceRecord]
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    num_left_out: int = 0
