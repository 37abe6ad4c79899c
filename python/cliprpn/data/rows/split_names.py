"""Names of splits as datasets have them, such as `validation` and `minival`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cliprpn.data.annotations import SPLITS
from cliprpn.data.rows.values import is_blank

# Names in lower case without `_`, `-` and spaces.
MEANINGS = {
    **{name: "train" for name in ("train", "training", "trn", "trainset")},
    **{name: "val" for name in ("val", "validation", "valid", "validate", "dev", "develop", "development")},
    **{name: "val" for name in ("minival", "valset", "devset")},
    **{name: "test" for name in ("test", "testing", "tst", "testset")},
    "testa": "testA",
    "testb": "testB",
}


def split_named(name: Any) -> str | None:
    """The split that a name means; None if it means none."""
    if name in SPLITS:
        return str(name)
    if not isinstance(name, str) or len(name) > 40:
        return None
    return MEANINGS.get("".join(char for char in name.lower() if char not in "_- \t"))


class SplitNames:
    """Reads the splits of rows, and counts the names that had to be translated."""

    def __init__(self) -> None:
        self._translated = Counter[tuple[str, str]]()

    def read(self, value: Any) -> tuple[str | None, bool]:
        """The split, None for a row without one; and whether the value is valid."""
        if is_blank(value):
            return None, True
        split = split_named(value)
        if split is not None and split != value:
            self._translated[value, split] += 1
        return split, split is not None

    def notes(self) -> list[str]:
        """One line for each name."""
        return [
            f"split {name!r}: taken as {split} in {count:,} rows"
            for (name, split), count in self._translated.items()
        ]
