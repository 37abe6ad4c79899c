"""Which expression of a split each row of a file answers."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath

import numpy as np

from cliprpn.answers.answer_row import AnswerRow
from cliprpn.data.checks import shorten
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError

# Of the rows with a sent_id and a text: those whose texts must agree with the expression of that sent_id.
MIN_SAME_TEXT = 0.5
COCO_NUMBER = re.compile(r"(\d{12})(?:_\d+)?(?:\.\w+)?$")
# `data.rows` knows more names, but loads torch.
SPLITS = {
    "validation": "val",
    "dev": "val",
    **{name.lower(): name for name in ("train", "val", "test", "testA", "testB")},
}
PUNCTUATION = re.compile(r"[^\w\s]+")


@dataclass
class Matched:
    """
    Attributes:
        answers: [S], position of the row of each expression of the split; -1 without one.
        duplicates: rows of an expression that had one before.
        strangers: rows that match no expression of the split.
        num_by: expressions by the key that matched them: sent_id, text, normalized, position.
        notes: a line each.
        warnings: a line each.
    """

    answers: np.ndarray
    duplicates: list[int] = field(default_factory=list)
    strangers: list[int] = field(default_factory=list)
    num_by: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class SplitKeys:
    """The expressions of a split by everything that a row may name them by.

    Attributes:
        rows: [S], rows of the index's sentences.
    """

    def __init__(self, index: DatasetIndex, split: str) -> None:
        self.rows = index.split(split)
        table = index.sentences.take(self.rows)
        self.sent_ids: list[int] = table["sent_id"].to_pylist()
        self.texts: list[str] = table["sentence"].to_pylist()
        self.by_sent_id = {sent_id: i for i, sent_id in enumerate(self.sent_ids)}
        files = index.images["file_name"].to_pylist()
        ids = index.images["image_id"].to_pylist()
        self.images = [(ids[row], files[row]) for row in index.image_rows[self.rows].tolist()]
        self._images_by_name = _images_by_name(sorted(set(self.images)))
        self._exact: dict[tuple[int, str], list[int]] = defaultdict(list)
        self._normalized: dict[tuple[int, str], list[int]] = defaultdict(list)
        self._by_text: dict[str, list[int]] = defaultdict(list)
        self._of_image: dict[int, list[int]] = defaultdict(list)
        for i, ((image_id, _), text) in enumerate(zip(self.images, self.texts, strict=True)):
            self._exact[image_id, text].append(i)
            self._normalized[image_id, normalize(text)].append(i)
            self._by_text[normalize(text)].append(i)
            self._of_image[image_id].append(i)

    def image_of(self, image: int | str) -> int | None:
        """The image_id of an image of the split, by its id, path, name, stem or COCO number; None if it has none."""
        return self._images_by_name.get(_image_key(image))

    def by_text(self, row: AnswerRow) -> tuple[str, list[int]]:
        """The expressions that a row names by image and text, and the key: text or normalized."""
        if row.expression is None:
            return "text", []
        if row.image is None:
            # Without an image, only a text that occurs once tells which expression it is.
            found = self._by_text.get(normalize(row.expression), [])
            return "normalized", found if len(found) == 1 else []
        image_id = self.image_of(row.image)
        if image_id is None:
            return "text", []
        exact = self._exact.get((image_id, row.expression))
        if exact is not None:
            return "text", exact
        text = normalize(row.expression)
        found = self._normalized.get((image_id, text), [])
        if found:
            return "normalized", found
        # The expression inside a prompt; the longest one, as another may be a part of it.
        inside = [i for i in self._of_image[image_id] if f" {normalize(self.texts[i])} " in f" {text} "]
        longest = max((len(self.texts[i]) for i in inside), default=0)
        return "normalized", [i for i in inside if len(self.texts[i]) == longest]


def match_rows(rows: Sequence[AnswerRow], keys: SplitKeys, split: str, file: str) -> Matched:
    """
    Args:
        split: a row that names another one is a stranger.
        file: its name, for messages.

    Raises:
        CliprpnError: data_invalid, if sent_ids are those of another dataset.
    """
    matched = Matched(np.full(len(keys.rows), -1, dtype=np.int64))
    differing: list[tuple[AnswerRow, int]] = []
    num_checked = num_shared = 0
    for position, row in enumerate(rows):
        how, found = "text", list[int]()
        if _split_of(row) in (None, split):
            by_id = keys.by_sent_id.get(row.sent_id) if isinstance(row.sent_id, int) else None
            if by_id is not None:
                how, found = "sent_id", [by_id]
                if row.expression is not None or row.image is not None:
                    num_checked += 1
                    if not _agrees(row, by_id, keys):
                        differing.append((row, by_id))
            elif row.sent_id is None:
                how, found = keys.by_text(row)
                num_shared += len(found) > 1
        if not found:
            matched.strangers.append(position)
        free = [i for i in found if matched.answers[i] < 0]
        if found and not free:
            matched.duplicates.append(position)
        for i in free:
            matched.answers[i] = position
            matched.num_by[how] += 1
    if num_checked and len(differing) > (1 - MIN_SAME_TEXT) * num_checked:
        row, i = differing[0]
        raise CliprpnError(
            "data_invalid",
            f"{row.where}: expected sent_ids of this dataset: sent_id {row.sent_id} is {shorten(keys.texts[i])} of "
            f"{keys.images[i][1]} here, and {shorten(row.expression or row.image)} in the file; {len(differing):,} of "
            f"{num_checked:,} rows differ. Are they of another dataset, or numbered again? Leave sent_id out to match "
            "by image and expression",
        )
    if differing:
        row, i = differing[0]
        matched.warnings.append(
            f"{len(differing):,} rows have the sent_id of an expression with another text or image, such as "
            f"{row.where}: {shorten(row.expression or row.image)} for {shorten(keys.texts[i])}"
        )
    if matched.num_by["normalized"]:
        matched.notes.append(
            f"{matched.num_by['normalized']:,} expressions are matched by image and text without regard to case, "
            "spaces and punctuation"
        )
    if num_shared:
        matched.notes.append(
            f"{num_shared:,} rows answer several expressions with the same text of the same image; a sent_id would "
            "tell them apart"
        )
    return matched


def match_positions(rows: Sequence[AnswerRow], keys: SplitKeys) -> Matched | None:
    """Rows without any key, in the order of the split; None if there is not a row for each expression.

    Whether the order is right must be checked with the ground truth of the file.
    """
    if len(rows) != len(keys.rows) or any(
        row.sent_id is not None or row.expression is not None or row.image is not None for row in rows
    ):
        return None
    matched = Matched(np.arange(len(rows)))
    matched.num_by["position"] = len(rows)
    matched.notes.append("rows have no id, image or expression: they are matched by their order")
    return matched


@lru_cache(200_000)
def normalize(text: str) -> str:
    """A text without regard to case, spaces, punctuation and forms of letters."""
    return " ".join(PUNCTUATION.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split())


def _split_of(row: AnswerRow) -> str | None:
    """The split that a row names; None if it names none, or by a word that is no split."""
    return None if row.split is None else SPLITS.get(row.split.lower())


def _agrees(row: AnswerRow, i: int, keys: SplitKeys) -> bool:
    if row.expression is not None:
        text = normalize(keys.texts[i])
        return text == normalize(row.expression) or f" {text} " in f" {normalize(row.expression)} "
    return row.image is None or keys.image_of(row.image) in (None, keys.images[i][0])


def _images_by_name(images: Sequence[tuple[int, str]]) -> dict[str, int]:
    """Images by every key of theirs; a key that two images share names none."""
    owners: dict[str, set[int]] = defaultdict(set)
    for image_id, name in images:
        path = PurePosixPath(name)
        for key in {str(image_id), name, path.name, path.stem, _image_key(name)}:
            owners[key].add(image_id)
    return {key: next(iter(ids)) for key, ids in owners.items() if len(ids) == 1}


@lru_cache(200_000)
def _image_key(image: int | str) -> str:
    """An id as text; the number of a COCO image; otherwise the file's name."""
    if isinstance(image, int):
        return str(image)
    name = image.replace("\\", "/").rstrip("/").rpartition("/")[2]
    number = COCO_NUMBER.search(name)
    return str(int(number[1])) if number is not None and ("COCO" in name or number.start() == 0) else name
