"""Ids, numbers and texts of a record, from whatever type a file has them in."""

from __future__ import annotations

import re
from typing import Any


def number_of(value: Any) -> float | None:
    """A number, or the first of a list; None for anything else, and for numbers that no score or side has."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        return None
    return float(value)


def id_of(value: Any) -> int | str | None:
    """An id as a number if it is one, else as text; of a list of one, its entry."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        return int(text) if re.fullmatch(r"-?\d{1,18}", text) and text == str(int(text)) else text or None
    return value if isinstance(value, int) and abs(value) < 2**63 else None


def text_of(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def size_of(width: Any, height: Any) -> tuple[float, float] | None:
    sides = [number_of(side) for side in (width, height)]
    if sides[0] is None or sides[1] is None or not (0 < sides[0] < 1e6 and 0 < sides[1] < 1e6):
        return None
    return sides[0], sides[1]
