"""One row of a user's file, checked field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cliprpn.contract.generated import Columns
from cliprpn.data.annotations import SPLITS, Box
from cliprpn.data.checks import MAX_COORDINATE_PX, is_box, is_integer, is_text, shorten
from cliprpn.data.problems import Problems

SPLIT_SYNONYMS = {"validation": "val", "valid": "val", "dev": "val", "testa": "testA", "testb": "testB"}
MAX_SENTENCE_CHARS = 10_000
MAX_NAME_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence with its box and image; if `sentence` is None, an object without a sentence.

    Attributes:
        where: file and line, such as `data.jsonl:17`.
        box: in the source's format.
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


def parse_row(
    values: Mapping[str, Any],
    where: str,
    columns: Columns,
    format_name: str,
    problems: Problems,
    needs_sentence: bool = True,
) -> Row | None:
    """Checks the values of one row and converts them; adds a problem for each invalid value.

    Args:
        values: by column; in CSV all are text.
        where: file and line, for the messages.
        format_name: describes the format of the boxes, for the messages.
        needs_sentence: False for an object without a sentence.

    Returns:
        None if a value is invalid.
    """
    faults: list[tuple[str, str]] = []
    image, sentence, split = (values.get(key) for key in (columns.image, columns.sentence, columns.split))

    def reject(column: str, problem: str) -> None:
        names = shorten(", ".join(map(str, values)))
        found = shorten(values[column]) if column in values else f"no such column in {names}"
        faults.append((f"{where}: {column}: {problem}, found {found}", f"{column}: {problem}"))

    if (problem := file_name_problem(image)) is not None:
        reject(columns.image, problem)
    if needs_sentence and (problem := sentence_problem(sentence)) is not None:
        reject(columns.sentence, problem)
    box = parse_box(values.get(columns.box))
    if box is None:
        reject(columns.box, f"expected four numbers ({format_name})")
    if not (is_blank(split) or split in SPLITS):
        likely = SPLIT_SYNONYMS.get(split.lower()) if isinstance(split, str) else None
        reject(columns.split, f"expected {likely or 'train, val, test, testA or testB'}")
    sizes = [parse_size(values.get(key)) for key in ("width", "height")]
    for key, size in zip(("width", "height"), sizes, strict=True):
        if size is None and not is_blank(values.get(key)):
            reject(key, "expected a whole number of pixels")
    category = values.get("category")
    if not (is_blank(category) or is_text(category) or is_integer(category)):
        reject("category", "expected text")
    for message, kind in faults[:1] if problems.allow_invalid else faults:
        problems.add_row(message, kind)
    if faults or box is None:
        return None
    ids = {key: parse_integer(values.get(key)) for key in ("image_id", "ann_id", "ref_id", "sent_id")}
    return Row(
        where,
        str(image),
        str(sentence) if needs_sentence else None,
        box,
        split=None if is_blank(split) else split,
        width=sizes[0],
        height=sizes[1],
        category=None if is_blank(category) else str(category),
        **ids,
    )


def file_name_problem(name: object) -> str | None:
    """Why this is not a file name below the image folder, on any system; None if it is one."""
    if not is_text(name) or not isinstance(name, str):
        return "expected a file name"
    if not name.strip() or len(name) > MAX_NAME_CHARS:
        return f"expected a file name of 1 to {MAX_NAME_CHARS} characters"
    if any(ord(char) < 32 or ord(char) == 127 for char in name):
        return "expected a file name without control characters"
    parts = re.split(r"[/\\]", name)
    if parts[0] == "" or re.match(r"[A-Za-z]:", name):
        return "expected a name below the image folder, not an absolute path"
    if ".." in parts:
        return "expected a name below the image folder, not a path that leaves it"
    if parts[-1] in ("", "."):
        return "expected the name of a file, not of a folder"
    return None


def sentence_problem(value: Any) -> str | None:
    """Why this is not a sentence; None if it is one."""
    if not is_text(value) or not value.strip():
        return "expected a sentence"
    if len(value) > MAX_SENTENCE_CHARS:
        return f"expected a sentence of at most {MAX_SENTENCE_CHARS:,} characters"
    return None


def parse_box(value: Any) -> Box | None:
    """Four numbers from a list, or from text such as `[1, 2, 3, 4]`, `1,2,3,4` or `1 2 3 4`; None if out of range."""
    if isinstance(value, str):
        inside = value[:200].strip().removeprefix("[").removesuffix("]")
        numbers = [number for number in re.split(r"[,;\s]+", inside) if number]
        if not all(_NUMBER.fullmatch(number) for number in numbers):
            return None
        value = [float(number) for number in numbers]
    if not is_box(value):
        return None
    a, b, c, d = map(float, value)
    # False for NaN too.
    return (a, b, c, d) if all(abs(number) <= MAX_COORDINATE_PX for number in (a, b, c, d)) else None


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def parse_integer(value: Any) -> int | None:
    """An integer, also if CSV or a table with missing values turned it into `12`, `12.0` or 12.0; None otherwise."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,18}(\.0)?", value.strip()):
        return int(value.strip().removesuffix(".0"))
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if is_integer(value) else None


def parse_size(value: Any) -> int | None:
    """A positive number of whole pixels; None otherwise."""
    size = parse_integer(value)
    return size if size is not None and size > 0 else None


def is_blank(value: Any) -> bool:
    """Whether a value is missing, or text without visible characters."""
    return value is None or (isinstance(value, str) and not value.strip())
