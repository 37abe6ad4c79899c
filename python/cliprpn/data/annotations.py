"""What a source says of images, objects and sentences, before any image has been looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Box = tuple[float, float, float, float]
SPLITS = ("train", "val", "test", "testA", "testB")
BoxFormat = Literal["xywh", "xyxy", "cxcywh_norm"]


@dataclass(frozen=True)
class ImageRecord:
    """An image; its size in pixels where the source tells it."""

    image_id: int
    file_name: str
    width: int | None
    height: int | None


@dataclass(frozen=True)
class ObjectRecord:
    """An object of an image, referred to or not; its box is as given, in the source's format."""

    ann_id: int
    image_id: int
    category: str | None
    box: Box


@dataclass(frozen=True)
class SentenceRecord:
    """A referring expression; its split where the source tells it."""

    sent_id: int
    ref_id: int
    ann_id: int
    image_id: int
    split: str | None
    sentence: str
    stratum: str | None = None
    pair_id: int | None = None


@dataclass(frozen=True)
class Annotations:
    """A source's records, each kind in the source's order.

    Attributes:
        images: those that are referred to, in order of first mention.
        objects: all objects of those images, by ann_id.
        notes: what is odd and was kept, a line each.
    """

    box_format: BoxFormat
    images: list[ImageRecord]
    objects: dict[int, ObjectRecord]
    sentences: list[SentenceRecord]
    notes: list[str] = field(default_factory=list)
