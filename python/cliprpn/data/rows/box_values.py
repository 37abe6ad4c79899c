"""The box of a row in any of the ways that people write one: numbers, text, an object, or several boxes."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from cliprpn.data.annotations import Box
from cliprpn.data.checks import MAX_COORDINATE_PX, is_integer
from cliprpn.data.rows.box_names import BOX_NAMES, box_from_object, order_of, plain_name, reorder

MAX_TEXT_CHARS = 20_000
_DIGITS = r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
NUMBER = re.compile(rf"[+-]?{_DIGITS}")
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
# Three digits after a comma may be thousands.
CERTAIN_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,([0-9]{1,2}|[0-9]{4,})")
# `np.float64(1.5)`, `array([1, 2, 3, 4], dtype=float32)`, `tensor([...], device='cuda:0')`, `Decimal('1.5')`
_CALL = re.compile(
    r"\b(?:(?:np|numpy|torch|decimal)\.)?(?:array|asarray|tensor|[Tt]uple|list|float\d*|u?int\d*|Decimal)\s*(?=\()"
)
_KEYWORD = re.compile(r",\s*(?:dtype|device|requires_grad|grad_fn)\s*=\s*[^,()\[\]]*")
_SINGLE = re.compile(rf"\(\s*'?([+-]?{_DIGITS}|[+-]?(?:nan|inf))'?\s*\)")
_GROUP = re.compile(r"[\[(]([^\[\]()]*)[\])]")
# `<box>`, `<|box_start|>`: special tokens of vision-language models.
_MARKED = re.compile(r"(?:<box>|<\|box_start\|>)(.*?)(?:</box>|<\|box_end\|>)", re.DOTALL)
# Around JSON in their answers.
_FENCE = re.compile(r"^\s*```(?:json)?\s|\s```\s*$")
_TOKEN = re.compile(r"</?\|?[a-z_]{1,20}\|?>")


class BoxValues:
    """Converts the boxes of a file's rows to lists of four numbers in the source's format.

    Args:
        box_format: of the source.
        converts_order: whether an object whose names say another order is converted; otherwise it is a contradiction.
    """

    def __init__(self, box_format: str, converts_order: bool) -> None:
        self._order = order_of(box_format)
        self._converts_order = converts_order

    def read(self, value: Any) -> tuple[Any, str | None]:
        """The value with each box as a list of four numbers, and what contradicts the box format, if anything does.

        A value that is no box is returned as it is, for the checks of the row.
        """
        if isinstance(value, str):
            parsed = parse_box_text(value)
            return self._plain(value if parsed is None else parsed)
        return self._plain(value)

    def _plain(self, value: Any) -> tuple[Any, str | None]:
        if isinstance(value, dict):
            return self._from_object(value)
        if not isinstance(value, list | tuple):
            return value, None
        numbers = [as_number(entry) for entry in value] if len(value) == 4 else [None]
        if None not in numbers:
            return numbers, None
        if is_corner_pair(value):
            return self._reordered(
                [float(entry) for point in value for entry in point], "xyxy", "two corners"
            )
        boxes = [self.read(entry) for entry in value]
        if not boxes or not all(_is_numbers(box) for box, _ in boxes):
            problem = next((problem for _, problem in boxes if problem is not None), None)
            return value, problem
        return [box for box, _ in boxes], next((problem for _, problem in boxes if problem), None)

    def _from_object(self, value: dict[str, Any]) -> tuple[Any, str | None]:
        found = box_from_object(value, as_number)
        if found is None:
            inner = [entry for name, entry in value.items() if plain_name(str(name)) in BOX_NAMES]
            return (
                self.read(inner[0]) if len(inner) == 1 and not isinstance(inner[0], dict) else (value, None)
            )
        return self._reordered(*found, "the names of its numbers")

    def _reordered(self, numbers: list[float], order: str, what: str) -> tuple[Any, str | None]:
        if order == self._order or self._converts_order:
            return reorder(numbers, order, self._order), None
        return numbers, f"expected {self._order}, as --box-format says, but {what} say {order}"


def as_number(value: Any) -> float | None:
    """A number, also one written as text, with a decimal comma if that is certain; None for anything else."""
    if isinstance(value, float):
        return value
    if is_integer(value):
        return float(value)
    if isinstance(value, Decimal):
        return float(value)
    if not isinstance(value, str) or len(value) > 100:
        return None
    text = value.strip()
    if CERTAIN_DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    return float(text) if NUMBER.fullmatch(text) else None


def is_corner_pair(value: Sequence[Any]) -> bool:
    """Whether these are two points, such as `[[left, top], [right, bottom]]`."""
    return len(value) == 2 and all(
        isinstance(point, list | tuple)
        and len(point) == 2
        and all(isinstance(entry, float) or is_integer(entry) for entry in point)
        for point in value
    )


def parse_box_text(text: str) -> Any:
    """A box, a list of boxes or an object from text; None if it is something else.

    Reads `[1, 2, 3, 4]`, `(1, 2, 3, 4)`, `1,2,3,4`, `1 2 3 4`, `[1. 2. 3. 4.]`, `[np.float64(1.0), ...]`,
    `array([1, 2, 3, 4])`, `[[1, 2, 3, 4], [5, 6, 7, 8]]`, `{'x': 1, ...}` and `1,5 2,5 3,5 4,5`.
    """
    if len(text) > MAX_TEXT_CHARS:
        return None
    text = _FENCE.sub("", text).strip()
    if text.startswith(("{", "[{")):
        return parse_objects(text)
    marked = _MARKED.findall(text)
    text = marked[0] if len(marked) == 1 else text
    text = _KEYWORD.sub("", _CALL.sub("", _TOKEN.sub(" ", text)))
    text = _SINGLE.sub(r"\1", text).strip()
    if re.fullmatch(r"[\[(]\s*[\])]", text):
        return []
    groups = _GROUP.findall(text)
    if not groups:
        return _numbers(text)
    if re.fullmatch(r"[\[\]()\s,;]*", _GROUP.sub("", text)) is None or not _is_balanced(text):
        return None
    boxes = [_numbers(group) for group in groups]
    if any(box is None for box in boxes):
        return None
    is_nested = len(boxes) > 1 or re.match(r"[\[(]\s*[\[(]", text) is not None
    return boxes if is_nested else boxes[0]


def parse_objects(text: str) -> Any:
    """JSON, or Python's literals as `str(dict)` writes them."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def _numbers(text: str) -> list[float] | None:
    """The numbers in text, separated by commas, semicolons or spaces."""
    words = [word for word in re.split(r"[;\s]+", text.strip()) if word]
    has_both = "," in text and "." in text
    if (
        len(words) == 4
        and not has_both
        and all(DECIMAL_COMMA.fullmatch(word) or NUMBER.fullmatch(word) for word in words)
    ):
        return [float(word.replace(",", ".")) for word in words]
    words = [word for word in re.split(r"[,;\s]+", text.strip()) if word]
    return [float(word) for word in words] if words and all(map(NUMBER.fullmatch, words)) else None


def _is_balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += (char in "[(") - (char in "])")
        if depth < 0:
            return False
    return depth == 0


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(isinstance(entry, float) for entry in value)


def checked_box(value: Any) -> Box | None:
    """Four finite numbers of a size that images have; None otherwise."""
    if not isinstance(value, list | tuple) or len(value) != 4:
        return None
    numbers = [as_number(entry) for entry in value]
    if any(number is None or not abs(number) <= MAX_COORDINATE_PX for number in numbers):  # True for NaN too.
        return None
    a, b, c, d = (number for number in numbers if number is not None)
    return (a, b, c, d)
