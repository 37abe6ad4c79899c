"""One row of a person's file, checked by itself."""

from __future__ import annotations

from dataclasses import dataclass

from cliprpn.data.annotations import Box


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence with its box and image; without a sentence, an object that nobody refers to.

    Attributes:
        where: file and line, such as `data.jsonl:17`.
        box: as given, in the source's format.
    """

    where: str
    image: str
    sentence: str | None
    box: Box
    split: str | None = None
    image_id: int | None = None
    ann_id: int | None = None
    ref_id: int | None = None
    sent_id: int | None = None
    width: int | None = None
    height: int | None = None
    category: str | None = None
