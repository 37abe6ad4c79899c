"""One row of a user's file, checked field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cliprpn.data.annotations import Box
from cliprpn.data.checks import is_integer, is_text, shorten
from cliprpn.data.problems import Problems
from cliprpn.data.rows.box_values import checked_box
from cliprpn.data.rows.fields import Fields
from cliprpn.data.rows.split_names import SplitNames
from cliprpn.data.rows.values import is_blank, parse_id, parse_size

MAX_SENTENCE_CHARS = 10_000
MAX_NAME_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence with its box and image; if `sentence` is None, an object without a sentence.

    Attributes:
        where: file and line, such as `data.jsonl:17`.
        box: in the source's format.
        image_id: an id that is text is the name of the image; so are the other ids.
    """

    where: str
    image: str
    sentence: str | None
    box: Box
    split: str | None = None
    image_id: int | str | None = None
    ann_id: int | str | None = None
    ref_id: int | str | None = None
    sent_id: int | str | None = None
    width: int | None = None
    height: int | None = None
    category: str | None = None


def parse_row(
    values: Mapping[str, Any],
    where: str,
    names: RowNames,
    splits: SplitNames,
    problems: Problems,
    needs_sentence: bool = True,
    box_problem: str | None = None,
) -> Row | None:
    """Checks the values of one row and converts them; adds a problem for each invalid value.

    Args:
        values: by field, such as `image`; in CSV all are text.
        where: file and line, for the messages.
        names: of the fields in the user's file, for the messages.
        needs_sentence: False for an object without a sentence.
        box_problem: what contradicts the format of the box, if anything does.

    Returns:
        None if a value is invalid.
    """
    faults: list[tuple[str, str]] = []
    image, sentence = values.get("image"), values.get("sentence")

    def reject(key: str, problem: str, kind: str = "") -> None:
        found = f"found {shorten(values[key])}" if key in values else names.missing(key)
        name = names.shown(key)
        faults.append((f"{where}: {name}: {problem}, {found}", f"{name}: {kind or problem}"))

    if (problem := file_name_problem(image)) is not None:
        reject("image", problem)
    if needs_sentence and (problem := sentence_problem(sentence)) is not None:
        reject("sentence", problem)
    box = checked_box(values.get("box"))
    if box_problem is not None:
        reject("box", box_problem)
    elif box is None:
        reject("box", f"expected four numbers ({names.box_format})", "expected four numbers")
    split, is_valid = splits.read(values.get("split"))
    if not is_valid:
        reject("split", "expected train, val, test, testA or testB")
    sizes = [parse_size(values.get(key)) for key in ("width", "height")]
    for key, size in zip(("width", "height"), sizes, strict=True):
        if size is None and not is_blank(values.get(key)):
            reject(key, "expected a whole number of pixels")
    category = values.get("category")
    if not (is_blank(category) or is_text(category) or is_integer(category)):
        reject("category", "expected text")
    for message, kind in faults[:1] if problems.allow_invalid else faults:
        problems.add_row(message, kind, is_sentence=needs_sentence)
    if faults or box is None:
        return None
    ids = {key: parse_id(values.get(key)) for key in ("image_id", "ann_id", "ref_id", "sent_id")}
    return Row(
        where,
        str(image),
        str(sentence) if needs_sentence else None,
        box,
        split=split,
        width=sizes[0],
        height=sizes[1],
        category=None if is_blank(category) else str(category),
        **ids,
    )


@dataclass(frozen=True)
class RowNames:
    """What messages call the fields of a row.

    Attributes:
        box_format: describes the format of the boxes.
        fields: finds the names in the user's file; None if they are the fields' own.
        keys: the names of the row in the user's file.
    """

    box_format: str
    fields: Fields | None
    keys: tuple[str, ...]

    def shown(self, key: str) -> str:
        """The name of a field."""
        return key if self.fields is None else self.fields.shown(key, self.keys)

    def missing(self, key: str) -> str:
        """Why a row does not have a field."""
        reason = None if self.fields is None else self.fields.missing(self.keys).get(key)
        return f"found {reason or 'none'}"


def file_name_problem(name: object) -> str | None:
    """Why this cannot be the name of an image; None if it can.

    Paths of other systems, absolute paths and URLs are accepted: the name is looked up among the images, and only
    files below their folder are opened.
    """
    if not is_text(name) or not isinstance(name, str) or is_blank(name):
        return "expected a file name"
    if not name.strip() or len(name) > MAX_NAME_CHARS:
        return f"expected a file name of 1 to {MAX_NAME_CHARS} characters"
    if any(ord(char) < 32 or ord(char) == 127 for char in name):
        return "expected a file name without control characters"
    if re.split(r"[/\\]", name)[-1] in ("", ".", ".."):
        return "expected the name of a file, not of a folder"
    return None


def sentence_problem(value: Any) -> str | None:
    """Why this is not a sentence; None if it is one."""
    # What tables have for a missing value; words such as "none" may be meant.
    if not is_text(value) or not value.strip() or value.strip().lower() in ("nan", "<na>"):
        return "expected a sentence"
    if len(value) > MAX_SENTENCE_CHARS:
        return f"expected a sentence of at most {MAX_SENTENCE_CHARS:,} characters"
    return None
