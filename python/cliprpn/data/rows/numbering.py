"""Ids of images, objects, refs and sentences: the source's own where they fit, else counted."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def numbered(
    kind: str, things: Sequence[Hashable], ids: Sequence[int | None], places: Sequence[str], notes: list[str]
) -> list[int]:
    """An id for each thing, the same for the same thing.

    The given ids are taken when all are there and none is given to two things; otherwise things are
    counted from 1 by first mention, and a note says why. An id is only a name: what tells things apart
    are file names, boxes and sentences.

    Args:
        things: what is to be told apart, such as file names; a thing may come many times.
        ids: as given, one for each.
        places: where each stands, for the note.
    """
    counted: dict[Hashable, int] = {}
    for thing in things:
        counted.setdefault(thing, len(counted) + 1)
    missing = sum(each is None for each in ids)
    if missing == len(ids):
        return [counted[thing] for thing in things]
    if missing:
        notes.append(f"{kind}: {missing} of {len(ids)} rows have no whole number; all are numbered anew")
        return [counted[thing] for thing in things]
    owners: dict[int | None, Hashable] = {}
    named: dict[Hashable, int | None] = {}
    for thing, each, place in zip(things, ids, places, strict=True):
        if owners.setdefault(each, thing) != thing or named.setdefault(thing, each) != each:
            notes.append(f"{kind}: {each} at {place} contradicts an earlier row; all are numbered anew")
            return [counted[thing] for thing in things]
    return [each for each in ids if each is not None]
