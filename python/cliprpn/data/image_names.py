"""Names of image files in annotations, which may write the same image in several ways."""

from __future__ import annotations

import re
from functools import lru_cache

# `COCO_train2014_000000000009.jpg`, `000000000009.jpg`, and RefCOCO's own file_name, which ends in `_<ann_id>.jpg`.
COCO_NAME = re.compile(
    r"(?:^|[/\\])(?:COCO_(?:train|val|test)20[0-9]{2}_)?([0-9]{12})(?:_[0-9]+)?(?:\.[A-Za-z]+)?$"
)
_REFCOCO_NAME = re.compile(r"(COCO_(?:train|val|test)20[0-9]{2}_[0-9]{12})_[0-9]+(\.[A-Za-z]+)$")


@lru_cache(maxsize=4096)  # Rows of an image are asked for several times, mostly one after the other.
def image_identity(name: str) -> str:
    """Equal for names of the same image: `./a.jpg` and `a.jpg`, and RefCOCO's names of the objects of an image.

    Several rows of an image must not count as several images: intervals over images would be too narrow, and the
    image could be in two splits. Unicode forms of a name are left to the look-up, which sees if each has a file.
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part != "."]
    return _REFCOCO_NAME.sub(r"\1\2", "/".join(parts))


def coco_number(name: str) -> int | None:
    """The number of a COCO image by its file name; None if it is no such name."""
    match = COCO_NAME.search(name)
    return None if match is None else int(match[1])
