"""Single values of a row: integers, ids, sizes, and what stands for a missing one."""

from __future__ import annotations

import math
import re
from typing import Any

from cliprpn.data.checks import is_integer, is_text

# What pandas, NumPy and spreadsheets write for a missing value.
BLANK_WORDS = ("nan", "none", "null", "<na>", "n/a", "nat")
MAX_ID_CHARS = 200


def parse_integer(value: Any) -> int | None:
    """An integer, also if CSV or a table with missing values turned it into `12`, `12.0` or 12.0; None otherwise."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,18}(\.0)?", value.strip()):
        return int(value.strip().removesuffix(".0"))
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if is_integer(value) else None


def parse_id(value: Any) -> int | str | None:
    """An id: an integer, or the text of a name; None if there is none."""
    number = parse_integer(value)
    if number is not None:
        return number
    if not is_text(value) or is_blank(value) or len(value) > MAX_ID_CHARS:
        return None
    return str(value).strip()


def is_id(value: Any) -> bool:
    """Whether `parse_id` reads this."""
    return parse_id(value) is not None


def parse_size(value: Any) -> int | None:
    """A positive number of whole pixels; None otherwise."""
    size = parse_integer(value)
    return size if size is not None and size > 0 else None


def is_blank(value: Any) -> bool:
    """Whether a value is missing: null, NaN, or text without visible characters or that stands for one of these."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return isinstance(value, str) and (not value.strip() or value.strip().lower() in BLANK_WORDS)
