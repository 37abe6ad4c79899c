"""The expressions of a split by everything that a row of a file may name them by."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import TypeVar

from cliprpn.answers.answer_row import AnswerRow
from cliprpn.data.image_names import coco_number
from cliprpn.data.index import DatasetIndex

K = TypeVar("K")
PUNCTUATION = re.compile(r"[^\w\s]+")


class SplitKeys:
    """
    Attributes:
        rows: [S], rows of the index's sentences.
        sent_ids: [S].
        texts: [S], the expressions.
        image_ids: [S], of the image of each expression.
        image_files: [S], its file name.
    """

    def __init__(self, index: DatasetIndex, split: str) -> None:
        self.rows = index.split(split)
        table = index.sentences.take(self.rows)
        self.sent_ids: list[int] = table["sent_id"].to_pylist()
        self.texts: list[str] = table["sentence"].to_pylist()
        self.by_sent_id = {sent_id: i for i, sent_id in enumerate(self.sent_ids)}
        images = index.images.take(index.image_rows[self.rows])
        self.image_ids: list[int] = images["image_id"].to_pylist()
        self.image_files: list[str] = images["file_name"].to_pylist()
        self.names = ImageNames(sorted(set(zip(self.image_ids, self.image_files, strict=True))))

    # Most files name expressions by sent_id, and need none of these.

    @cached_property
    def _exact(self) -> dict[tuple[int, str], list[int]]:
        return _positions(zip(self.image_ids, self.texts, strict=True))

    @cached_property
    def _normalized(self) -> dict[tuple[int, str], list[int]]:
        return _positions(zip(self.image_ids, map(normalize, self.texts), strict=True))

    @cached_property
    def _by_text(self) -> dict[str, list[int]]:
        return _positions(map(normalize, self.texts))

    @cached_property
    def _of_image(self) -> dict[int, list[int]]:
        return _positions(self.image_ids)

    def by_text(self, row: AnswerRow) -> tuple[str, list[int]]:
        """The expressions that a row names by image and text, and the key: text or normalized."""
        if row.expression is None:
            return "text", []
        if row.image is None:
            # Without an image, only a text that occurs once tells which expression it is.
            found = self._by_text.get(normalize(row.expression), [])
            return "normalized", found if len(found) == 1 else []
        image_ids = self.names.images_of(row.image)
        exact = [rows for image_id in image_ids if (rows := self._exact.get((image_id, row.expression)))]
        if exact:
            return "text", exact[0] if len(exact) == 1 else []
        return "normalized", self.normalized(image_ids, normalize(row.expression))

    def of_image(self, image: int | str | None) -> list[int]:
        """All expressions of the images that a row may mean."""
        image_ids = frozenset() if image is None else self.names.images_of(image)
        return sorted(i for image_id in image_ids for i in self._of_image.get(image_id, []))

    def normalized(self, image_ids: frozenset[int], text: str) -> list[int]:
        """The expressions of one of the images with this normalized text; none if several images have it."""
        if text == "":
            return []
        found = [rows for image_id in image_ids if (rows := self._normalized.get((image_id, text)))]
        return found[0] if len(found) == 1 else []

    def inside(self, image_ids: frozenset[int], text: str) -> str | None:
        """The longest normalized expression of these images that a normalized text has inside."""
        texts = {normalize(self.texts[i]) for image_id in image_ids for i in self._of_image.get(image_id, [])}
        found = [each for each in texts if each and f" {each} " in f" {text} "]
        return max(found, key=lambda each: (len(each), each), default=None)


def _positions(keys: Iterable[K]) -> dict[K, list[int]]:
    """Where each key occurs."""
    positions: dict[K, list[int]] = {}
    for i, key in enumerate(keys):
        positions.setdefault(key, []).append(i)
    return positions


class ImageNames:
    """Images by id, path, name, stem and COCO number.

    Attributes:
        prefer_names: whether a number that is the id of an image and the name of another is the name.
    """

    def __init__(self, images: list[tuple[int, str]]) -> None:
        self.prefer_names = False
        self._known: dict[str, frozenset[int]] = {}
        self._ids = {image_id for image_id, _ in images}
        self._paths: dict[str, set[int]] = defaultdict(set)
        self._numbers: dict[int, set[int]] = defaultdict(set)
        self._parts: dict[int, tuple[str, ...]] = {}
        for image_id, name in images:
            path = _path(name)
            self._parts[image_id] = path.parts
            for key in {path.name, path.stem}:
                self._paths[key].add(image_id)
            number = int(path.stem) if _is_number(path.stem) else coco_number(name)
            if number is not None:
                self._numbers[number].add(image_id)
        self._ambiguous = {
            number for number, named in self._numbers.items() if number in self._ids and named != {number}
        }

    def images_of(self, image: int | str) -> frozenset[int]:
        """The ids of the images that a row may mean; several if names are ambiguous."""
        return self._images_of(image, self.prefer_names)

    def conflicts(self, image: int | str) -> bool:
        """Whether it is the id of an image and the name of another."""
        if not self._ambiguous:
            return False
        return (isinstance(image, int) or _is_number(image)) and int(image) in self._ambiguous

    def _images_of(self, image: int | str, prefer_names: bool) -> frozenset[int]:
        if isinstance(image, str) and not _is_number(image):
            if image not in self._known:
                self._known[image] = self._of_path(image)
            return self._known[image]
        number = int(image)
        if number in self._numbers and (prefer_names or number not in self._ids):
            return frozenset(self._numbers[number])
        return frozenset((number,) if number in self._ids else ())

    def _of_path(self, name: str) -> frozenset[int]:
        path = _path(name)
        found = self._paths.get(path.name) or self._paths.get(path.stem) or set()
        if len(found) > 1:
            # Images of the same name in several folders: the one whose folders agree best.
            shared = {image_id: _num_shared(self._parts[image_id], path.parts) for image_id in found}
            found = {image_id for image_id, num in shared.items() if num == max(shared.values())}
        if found:
            return frozenset(found)
        number = coco_number(name)
        if number is None:
            return frozenset()
        return frozenset(self._numbers.get(number) or {number} & self._ids)


@lru_cache(200_000)
def normalize(text: str) -> str:
    """A text without regard to case, spaces, punctuation and forms of letters."""
    return " ".join(PUNCTUATION.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split())


@lru_cache(200_000)
def _path(name: str) -> PurePosixPath:
    return PurePosixPath(name.strip().replace("\\", "/").rstrip("/"))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _num_shared(parts: tuple[str, ...], others: tuple[str, ...]) -> int:
    """Folders and name that two paths share at their ends; without the name, as the stem may be given."""
    num = 0
    for part, other in zip(reversed(parts[:-1]), reversed(others[:-1]), strict=False):
        if part != other:
            break
        num += 1
    return num
