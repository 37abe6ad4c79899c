"""Ids that are text, such as `"a1"` or a UUID, are names: each gets a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from cliprpn.data.rows.row import Row

IdKey = Literal["image_id", "ann_id", "ref_id", "sent_id"]


def integer_ids(rows: Sequence[Row], key: IdKey, notes: list[str]) -> list[int | None]:
    """The ids of rows, each an integer or missing.

    If any id is text, all are numbered from 1 in order of first mention, and a note says so.
    """
    ids: list[int | str | None] = [getattr(row, key) for row in rows]
    text = next((entry for entry in ids if isinstance(entry, str)), None)
    if text is None:
        return [entry if isinstance(entry, int) else None for entry in ids]
    names = [entry for entry in dict.fromkeys(ids) if entry is not None]
    numbers = {entry: i + 1 for i, entry in enumerate(names)}
    notes.append(f"{key}: ids such as {text[:80]!r} are text; all are numbered from 1 instead")
    return [None if entry is None else numbers[entry] for entry in ids]
