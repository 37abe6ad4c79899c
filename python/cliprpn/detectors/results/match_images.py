"""Finds the dataset's image that a detection names by file name, stem or number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from cliprpn.detectors.results.values import ImageRef

# COCO's images have the same number in all of its releases: COCO_train2014_000000000009.jpg, 000000000009.jpg, and in
# RefCOCO COCO_train2014_000000000009_16.jpg.
COCO_NUMBER = re.compile(r"(?:COCO_\w+?_)?(\d{12})(?:_\d+)?", re.IGNORECASE)
MISSING, AMBIGUOUS = -1, -2


@dataclass(frozen=True)
class ImageNames:
    """The dataset's images by their names; AMBIGUOUS where several have the same.

    Attributes:
        by_name: by the name as the dataset has it, which is unique.
        by_key: by ends of its path, in lower case, and without the ending of the file.
        by_file_number: by the number that the name is, or COCO's number in it.
        by_id: by image_id.
    """

    by_name: dict[str, int]
    by_key: dict[str, int]
    by_file_number: dict[int, int]
    by_id: dict[int, int]

    def row_of_name(self, name: str) -> int:
        """Row of the image with this name: as written, then the longest end of its path, then its stem."""
        exact = self.by_name.get(_clean(name))
        if exact is not None:
            return exact
        for key in _keys_of(name):
            row = self.by_key.get(key)
            if row is not None:
                return row
        number = _coco_number(_stem(_clean(name)))
        return MISSING if number is None else self.by_file_number.get(number, MISSING)


def image_names(image_ids: Sequence[int], file_names: Sequence[str]) -> ImageNames:
    by_key: dict[str, int] = {}
    by_file_number: dict[int, int] = {}
    for row, name in enumerate(file_names):
        for key in set(_keys_of(name)):
            by_key[key] = AMBIGUOUS if by_key.get(key, row) != row else row
        number = _file_number(name)
        if number is not None:
            by_file_number[number] = AMBIGUOUS if by_file_number.get(number, row) != row else row
    by_name = {_clean(name): row for row, name in enumerate(file_names)}
    return ImageNames(
        by_name, by_key, by_file_number, {image_id: row for row, image_id in enumerate(image_ids)}
    )


def match_images(refs: Iterable[ImageRef], names: ImageNames, file_images: dict[int, str]) -> list[list[int]]:
    """Row of the dataset's image for each reference: MISSING, AMBIGUOUS or a row.

    A number may be the dataset's image_id or the number in a file's name. All numbers of a file are read in the same
    way, by which more images are found.

    Args:
        file_images: file names that the file of detections gives its own image ids.

    Returns:
        one list, or two that match as many images, of which the first reads numbers as image_id.
    """
    refs = list(refs)
    rows = []
    for name, number in refs:
        name = name or (None if number is None else file_images.get(number))
        rows.append(MISSING if name is None else names.row_of_name(name))
    open_rows = [
        i
        for i, (row, (_, number)) in enumerate(zip(rows, refs, strict=True))
        if row == MISSING and number is not None
    ]
    readings = []
    for by_number in (names.by_id, names.by_file_number):
        found = list(rows)
        for i in open_rows:
            found[i] = by_number.get(refs[i][1] or 0, MISSING)
        readings.append(found)
    by_id, by_name = (sum(found[i] >= 0 for i in open_rows) for found in readings)
    if readings[0] == readings[1] or by_id > by_name:
        return readings[:1]
    return readings[1:] if by_name > by_id else readings


def _keys_of(name: str) -> list[str]:
    """The names under which a path is found, from exact to the stem alone, without regard to case."""
    path = _clean(name)
    parts = path.split("/")
    ends = ["/".join(parts[i:]) for i in range(len(parts))]
    folded = [end.lower() for end in ends]
    return list(dict.fromkeys([*ends, *folded, *(_stem(end) for end in folded)]))


def _clean(name: str) -> str:
    """Forward slashes, no `./`, no URL, no percent-encoding, composed characters."""
    path = unicodedata.normalize("NFC", name).replace("\\", "/")
    if "://" in path:
        path = path.split("://", 1)[1].split("?", 1)[0]
    path = unquote(path) if "%" in path else path
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _stem(path: str) -> str:
    """Without the ending of a file; `video.001` keeps what is no ending of an image."""
    return re.sub(r"\.(jpe?g|png|bmp|webp|tiff?|gif|avif|jfif)$", "", path, flags=re.IGNORECASE)


def _file_number(name: str) -> int | None:
    """The number that a file's name is, or COCO's number in it."""
    stem = _stem(_clean(name)).split("/")[-1]
    if stem.isascii() and stem.isdigit() and len(stem) < 19:
        return int(stem)
    return _coco_number(stem)


def _coco_number(path: str) -> int | None:
    match = COCO_NUMBER.fullmatch(path.split("/")[-1])
    return None if match is None else int(match[1])
