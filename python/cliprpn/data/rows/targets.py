"""Expressions that refer to several objects, or to none, in data for models that predict one box."""

from __future__ import annotations

from typing import Any

from cliprpn.data.checks import is_box
from cliprpn.data.problems import Problems


class Targets:
    """Chooses the box of each expression, and counts the expressions that have not exactly one.

    Args:
        first_box: whether to take the first box of several; otherwise such expressions are left out.
    """

    def __init__(self, first_box: bool) -> None:
        self._first_box = first_box
        self._num_several = 0
        self._num_none = 0
        self._num_rows_with_several = 0
        self._alike: list[str] = []

    def choose(self, value: Any, num_sentences: int = 1, where: str = "") -> tuple[Any, bool]:
        """The one box of a row's value, and whether to keep the row.

        Args:
            value: a box, or a list of any number of boxes, such as `[[1, 2, 3, 4]]`; an empty list is no target.
                Anything else is returned as it is, for the checks of the row.
            num_sentences: of the row.
            where: file and line of the row.
        """
        if not isinstance(value, list | tuple) or is_box(value):
            return value, True
        if len(value) == 0:
            self._num_none += num_sentences
            return None, False
        if not all(isinstance(box, dict) or (isinstance(box, list) and len(box) == 4) for box in value):
            return value, True
        is_single = all(box == value[0] for box in value)
        if not is_single:
            self._num_several += num_sentences
            self._num_rows_with_several += 1
            if len(value) == num_sentences:
                self._alike.append(where)
        return value[0], is_single or self._first_box

    def check(self, problems: Problems) -> None:
        """Adds a problem if the first box would be taken for sentences that probably have a box each."""
        if self._first_box and self._has_pairs():
            problems.add(
                f"{self._alike[0]}: expected several boxes of the same sentence for --first-box, found as many "
                f"sentences as boxes in all {len(self._alike):,} rows with several; write a row for each sentence with "
                "its box"
            )

    def _has_pairs(self) -> bool:
        return 0 < len(self._alike) == self._num_rows_with_several

    def notes(self) -> list[str]:
        """What was left out or chosen, one line for each kind."""
        notes = []
        if self._num_several:
            done = (
                "the first box is taken" if self._first_box else "left out; --first-box takes the first box"
            )
            if self._has_pairs() and not self._first_box:
                done = (
                    "left out; if each sentence has its own box, write a row for each sentence with its box"
                )
            notes.append(f"{_expressions(self._num_several)} to several objects: {done}")
        if self._num_none:
            notes.append(f"{_expressions(self._num_none)} to no object: left out")
        return notes


def _expressions(num: int) -> str:
    return f"{num:,} expression{'s' if num > 1 else ''} refer{'' if num > 1 else 's'}"
