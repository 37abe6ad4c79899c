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
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e9 else None  # A NaN is not below.


def id_of(value: Any) -> int | str | None:
    """An id as a number if it is one, else as text; of a list of one, its entry."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, int):
        return None if isinstance(value, bool) or abs(value) >= 2**63 else value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        return int(text) if re.fullmatch(r"-?\d{1,18}", text) and text == str(int(text)) else text or None
    return None


def text_of(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def size_of(width: Any, height: Any) -> tuple[float, float] | None:
    w, h = number_of(width), number_of(height)
    return (w, h) if w is not None and h is not None and 0 < w < 1e6 and 0 < h < 1e6 else None
