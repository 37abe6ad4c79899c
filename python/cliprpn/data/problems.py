"""Collects the problems of a dataset by kind, so that a person sees all of them at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from cliprpn.errors import CliprpnError

# Of each kind: messages shown, and places of rows with the same message.
MAX_SHOWN = 20
MAX_PLACES = 3
# The place in the user's file that a message begins with: `rows.jsonl:17`, `coco.json: annotations[3]`.
_PLACE = re.compile(r"(.*?[0-9]\]?(?=: )(?:: [\w ]*[0-9]\]?(?=: ))*): (.*)", re.DOTALL)


class Problems:
    """Collects problems in bounded memory: the first 20 different messages of each kind, and counts of the others.

    Args:
        root: the file or folder that the problems are in.
        what: what is being checked, for the message.
        allow_invalid: whether rows with a problem may be left out; they are counted.
        row_advice: what a person can do about problems of rows.
    """

    def __init__(
        self, root: Path, what: str = "the dataset", allow_invalid: bool = False, row_advice: str = ""
    ) -> None:
        self.root = root
        self.what = what
        self._row_advice = row_advice
        self.allow_invalid = allow_invalid
        self.num_left_out = 0  # Sentences.
        self.hints: list[str] = []
        self._advice: dict[str, None] = {}
        self._kinds: dict[str, _Kind] = {}
        self._left_out: dict[str, _Kind] = {}

    def add(self, message: str, kind: str = "") -> None:
        """Adds a problem, which stops the preparation.

        Args:
            message: begins with the place in the user's file, such as `rows.jsonl:17: `.
            kind: problems of a kind are shown together, such as "boxes outside their image".
        """
        self._kinds.setdefault(kind, _Kind()).add(message)

    def add_row(self, message: str, kind: str, is_sentence: bool = True) -> None:
        """Adds a problem of one row. With `allow_invalid`, the row is counted as left out instead.

        The caller leaves the row out, and calls this once for each row that it leaves out.

        Args:
            is_sentence: whether the row is a sentence, and not an object or image without one.
        """
        self.num_left_out += self.allow_invalid and is_sentence
        kinds = self._left_out if self.allow_invalid else self._kinds
        if not self.allow_invalid and self._row_advice:
            self.add_advice(self._row_advice)
        kinds.setdefault(kind, _Kind()).add(message)

    def add_hint(self, message: str) -> None:
        """Adds a problem that explains others; it is shown first."""
        self.hints.append(message)

    def add_advice(self, message: str) -> None:
        """Adds what a person can do about problems; it is shown last, once."""
        self._advice[message] = None

    @property
    def count(self) -> int:
        """The number of problems so far."""
        return len(self.hints) + sum(entry.count for entry in self._kinds.values())

    @property
    def messages(self) -> list[str]:
        """The hints and the first 20 different problems of each kind."""
        return [*self.hints, *(line for entry in self._kinds.values() for line in entry.lines())]

    def left_out_notes(self) -> list[str]:
        """What was left out, a line for each kind with the first places."""
        return [
            f"{entry.count:,} {'rows are' if entry.count > 1 else 'row is'} invalid and left out ({kind}): "
            f"{entry.first_places()}"
            for kind, entry in self._left_out.items()
        ]

    def require_rows(self, num_rows: int, message: str) -> None:
        """Adds a problem if no row is left, with the reasons why rows were left out; none if others explain it."""
        if num_rows > 0 or self.count > 0:
            return
        self.add(message)
        for kind, entry in self._left_out.items():
            self._kinds.setdefault(kind, entry)

    def raise_if_any(self) -> None:
        """Reports the collected problems.

        Raises:
            CliprpnError: data_invalid; lists the first 20 different problems of each kind and counts the rest.
        """
        if self.count == 0:
            return
        lines = [f"{self.root}: {self.count:,} problem{'s' if self.count > 1 else ''} in {self.what}"]
        lines += [f"  {line}" for line in self.hints]
        for kind, entry in self._kinds.items():
            lines += [f"  {line}" for line in entry.lines()]
            if entry.num_not_kept:
                lines.append(f"  and {entry.num_not_kept:,} more{f': {kind}' if kind else ''}")
        lines += [f"  {line}" for line in self._advice]
        raise CliprpnError("data_invalid", "\n".join(lines))


@dataclass
class _Same:
    """Rows with the same message: the first place, their number, and the next places."""

    first_place: str
    count: int = 0
    more_places: list[str] = field(default_factory=list)


@dataclass
class _Kind:
    """Problems of one kind: their number, and the first messages; one entry for the same fault in many rows."""

    count: int = 0
    num_not_kept: int = 0
    by_text: dict[str, _Same] = field(default_factory=dict)

    def add(self, message: str) -> None:
        self.count += 1
        match = _PLACE.match(message)
        place, text = match.groups() if match else ("", message)
        if text not in self.by_text and len(self.by_text) == MAX_SHOWN:
            self.num_not_kept += 1
            return
        same = self.by_text.setdefault(text, _Same(place))
        same.count += 1
        if 1 < same.count <= MAX_PLACES + 1:
            same.more_places.append(place)

    def lines(self) -> list[str]:
        return [_line(text, same) for text, same in self.by_text.items()]

    def first_places(self) -> str:
        places = [
            place
            for same in self.by_text.values()
            for place in (same.first_place, *same.more_places)
            if place
        ]
        return ", ".join(places[:MAX_PLACES]) + (", ..." if self.count > MAX_PLACES else "")


def _line(text: str, same: _Same) -> str:
    line = f"{same.first_place}: {text}" if same.first_place else text
    num_more = same.count - 1
    if num_more == 0:
        return line
    places = [place for place in same.more_places if place]
    rest = ["..."] if num_more > len(same.more_places) else []
    where = f": {', '.join(places + rest)}" if places else ""
    return f"{line}; the same {num_more:,} more time{'s' if num_more > 1 else ''}{where}"
