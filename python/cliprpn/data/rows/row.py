"""One row of a user's file, checked field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cliprpn.contract.generated import Columns
from cliprpn.data.annotations import SPLITS, Box
from cliprpn.data.checks import Problems, is_box, is_integer, is_text, shown


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


Raw = Mapping[str, Any]

MEANT = {"validation": "val", "valid": "val", "dev": "val", "testa": "testA", "testb": "testB"}
MAX_SENTENCE_CHARS = 10_000
MAX_PIXELS_A_SIDE = 1e7  # NaN is not below it.


def checked_row(
    raw: Raw, where: str, columns: Columns, box_words: str, problems: Problems, alone: bool = False
) -> Row | None:
    """
    Args:
        raw: a row's values by column; in CSV all are text.
        box_words: the format of boxes in words, for the messages.
        alone: an object that nobody refers to: no sentence is expected.

    Returns:
        None where a value is a problem.
    """
    before = len(problems.found)
    image, sentence, split = (raw.get(key) for key in (columns.image, columns.sentence, columns.split))

    def refuse(column: str, problem: str) -> None:
        value = raw.get(column)
        found = f"none among {shown(', '.join(map(str, raw)))}" if column not in raw else shown(value)
        problems.add(f"{where}: {column}: {problem}, found {found}")

    if (problem := name_problem(image)) is not None:
        refuse(columns.image, problem)
    if not alone and (problem := sentence_problem(sentence)) is not None:
        refuse(columns.sentence, problem)
    box = box_of(raw.get(columns.box))
    if box is None:
        refuse(columns.box, f"expected four numbers ({box_words})")
    if not (is_blank(split) or split in SPLITS):
        meant = MEANT.get(split.lower()) if isinstance(split, str) else None
        refuse(columns.split, f"expected {meant or 'train, val, test, testA or testB'}")
    sizes = [size_of(raw.get(key)) for key in ("width", "height")]
    for key, size in zip(("width", "height"), sizes, strict=True):
        if size is None and not is_blank(raw.get(key)):
            refuse(key, "expected a whole number of pixels")
    category = raw.get("category")
    if not (is_blank(category) or is_text(category) or is_integer(category)):
        refuse("category", "expected text")
    if len(problems.found) > before or box is None:
        return None
    ids = {key: whole(raw.get(key)) for key in ("image_id", "ann_id", "ref_id", "sent_id")}
    return Row(
        where,
        str(image),
        None if alone else str(sentence),
        box,
        split=None if is_blank(split) else split,
        width=sizes[0],
        height=sizes[1],
        category=None if is_blank(category) else str(category),
        **ids,
    )


def sentence_problem(value: Any) -> str | None:
    if not is_text(value) or not value.strip():
        return "expected a sentence"
    if len(value) > MAX_SENTENCE_CHARS:
        return f"expected a sentence of at most {MAX_SENTENCE_CHARS:,} characters"
    return None


def box_of(value: Any) -> Box | None:
    """Four numbers that pixels can have, of a list, or of text such as `[1, 2, 3, 4]`, `1,2,3,4` or `1 2 3 4`."""
    if isinstance(value, str):
        inside = value[:200].strip().removeprefix("[").removesuffix("]")
        numbers = [number for number in re.split(r"[,;\s]+", inside) if number]
        if not all(_NUMBER.fullmatch(number) for number in numbers):
            return None
        value = [float(number) for number in numbers]
    if not is_box(value):
        return None
    a, b, c, d = map(float, value)
    return (a, b, c, d) if all(abs(number) <= MAX_PIXELS_A_SIDE for number in (a, b, c, d)) else None


def whole(value: Any) -> int | None:
    """An integer, also where CSV or a table with holes made `12`, `12.0` or 12.0 of it."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,18}(\.0)?", value.strip()):
        return int(value.strip().removesuffix(".0"))
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if is_integer(value) else None


def size_of(value: Any) -> int | None:
    size = whole(value)
    return size if size is not None and size > 0 else None


def is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


MAX_NAME_CHARS = 1000


def name_problem(name: object) -> str | None:
    """Why this is no name of a file below the folder of images, on any system; None where it is one."""
    if not is_text(name) or not isinstance(name, str):
        return "expected a file name"
    if not name.strip() or len(name) > MAX_NAME_CHARS:
        return f"expected a file name of 1 to {MAX_NAME_CHARS} characters"
    if any(ord(char) < 32 or ord(char) == 127 for char in name):
        return "expected a file name without control characters"
    parts = re.split(r"[/\\]", name)
    if parts[0] == "" or re.match(r"[A-Za-z]:", name):
        return "expected a name below the folder of images, not an absolute path"
    if ".." in parts:
        return "expected a name below the folder of images, not one that leads out of it"
    if parts[-1] in ("", "."):
        return "expected the name of a file, not of a folder"
    return None
