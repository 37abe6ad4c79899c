"""Gathers what is wrong with a data set, so that a person sees all of it at once."""

from __future__ import annotations

from pathlib import Path

from cliprpn.errors import CliprpnError

MAX_SHOWN = 20


class Problems:
    """What is wrong with what lies in `root`."""

    def __init__(self, root: Path, what: str = "the data set") -> None:
        self.root = root
        self.what = what
        self.found: list[str] = []

    def add(self, problem: str) -> None:
        self.found.append(problem)

    def raise_if_any(self) -> None:
        """
        Raises:
            CliprpnError: data_invalid, listing the first twenty problems and counting the others.
        """
        if not self.found:
            return
        count = f"{len(self.found)} problem{'s' if len(self.found) > 1 else ''}"
        shown = [f"  {problem}" for problem in self.found[:MAX_SHOWN]]
        more = [f"  and {len(self.found) - MAX_SHOWN} more"] if len(self.found) > MAX_SHOWN else []
        lines = [f"{self.root}: {count} in {self.what}", *shown, *more]
        raise CliprpnError("data_invalid", "\n".join(lines))
