"""Joins rows into images, objects and sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from cliprpn.data.annotations import (
    Annotations,
    BoxFormat,
    ImageRecord,
    ObjectRecord,
    SentenceRecord,
)
from cliprpn.data.boxes import WORDS, format_hint, possible
from cliprpn.data.checks import Problems
from cliprpn.data.rows.row import Row


def assemble(rows: Sequence[Row], box_format: BoxFormat, problems: Problems, notes: list[str]) -> Annotations:
    """
    Args:
        rows: in the source's order; those without a sentence are objects that nobody refers to.
        notes: gets a line for each oddity that was kept.
    """
    rows = _with_boxes(rows, box_format, problems, notes)
    referred = {row.image for row in rows if row.sentence is not None}
    rows = [row for row in rows if row.image in referred]
    places = [row.where for row in rows]
    image_ids = numbered(
        "image_id", [row.image for row in rows], [row.image_id for row in rows], places, notes
    )
    ann_ids = _ann_ids(rows, notes)
    pictures = _images(rows, image_ids, problems)
    objects: dict[int, ObjectRecord] = {}
    for row, image_id, ann_id in zip(rows, image_ids, ann_ids, strict=True):
        known = objects.get(ann_id)
        if known is None or (known.category is None and row.category is not None):
            objects[ann_id] = ObjectRecord(ann_id, image_id, row.category, row.box)
        elif row.category not in (None, known.category):
            notes.append(f"{row.where}: category {row.category!r} of an object that is {known.category!r}")
    spoken = [i for i, row in enumerate(rows) if row.sentence is not None]
    ref_ids, sent_ids = _ref_and_sent_ids(rows, ann_ids, spoken, notes)
    sentences = [
        SentenceRecord(sent_id, ref_id, ann_ids[i], image_ids[i], rows[i].split, rows[i].sentence or "")
        for i, ref_id, sent_id in zip(spoken, ref_ids, sent_ids, strict=True)
    ]
    _note_repeats(sentences, notes)
    return Annotations(box_format, pictures, objects, sentences, shortened(notes))


def shortened(notes: list[str], most: int = 20) -> list[str]:
    """The first notes and how many more there are."""
    more = [f"and {len(notes) - most} more oddities"] if len(notes) > most else []
    return [*notes[:most], *more]


def _with_boxes(
    rows: Sequence[Row], box_format: BoxFormat, problems: Problems, notes: list[str]
) -> Sequence[Row]:
    """Those whose box has an area; COCO has a few objects without one, which nobody refers to."""
    boxes = [row.box for row in rows]
    sizes = [(row.width, row.height) if row.width and row.height else None for row in rows]
    hint = format_hint(boxes, box_format, sizes)
    if hint is not None:
        problems.found.insert(0, hint)  # Before the problems that come of it.
    fits = possible(boxes, box_format)
    bad = [row for row, fit in zip(rows, fits, strict=True) if not fit]
    for row in bad:
        if row.sentence is not None:
            problems.add(
                f"{row.where}: box: expected one with an area ({WORDS[box_format]}), found {list(row.box)}"
            )
    alone = sum(row.sentence is None for row in bad)
    if alone:
        notes.append(f"objects without an area that nobody refers to: {alone} left out")
    return [row for row, fit in zip(rows, fits, strict=True) if fit]


def _ann_ids(rows: Sequence[Row], notes: list[str]) -> list[int]:
    """Two objects may share a box where their ids tell them apart; an id has one image and box."""
    places = [row.where for row in rows]
    ids = [row.ann_id for row in rows]
    boxes = [(row.image, row.box) for row in rows]
    if None in ids:
        return numbered("ann_id", boxes, ids, places, notes)
    apart = [(box, each) for box, each in zip(boxes, ids, strict=True)]
    known: dict[int | None, object] = {}
    if all(known.setdefault(each, box) == box for box, each in apart):
        return numbered("ann_id", apart, ids, places, notes)
    return numbered("ann_id", boxes, ids, places, notes)


def _ref_and_sent_ids(
    rows: Sequence[Row], ann_ids: list[int], spoken: list[int], notes: list[str]
) -> tuple[list[int], list[int]]:
    """A ref is an object with its sentences, unless the source parts an object's sentences into refs."""
    places = [rows[i].where for i in spoken]
    given = [rows[i].ref_id for i in spoken]
    anns = [ann_ids[i] for i in spoken]
    owner: dict[int | None, int] = {}
    fits = all(owner.setdefault(each, ann) == ann for each, ann in zip(given, anns, strict=True))
    things = list(zip(anns, given, strict=True)) if fits and None not in given else anns
    ref_ids = numbered("ref_id", things, given, places, notes)
    sent_ids = numbered("sent_id", spoken, [rows[i].sent_id for i in spoken], places, notes)
    return ref_ids, sent_ids


def _images(rows: Sequence[Row], image_ids: list[int], problems: Problems) -> list[ImageRecord]:
    """Those that are referred to, in order of first mention, with the size that any of their rows tells."""
    sizes: dict[int, tuple[int, int]] = {}
    names: dict[int, str] = {}
    for row, image_id in zip(rows, image_ids, strict=True):
        if row.sentence is not None:
            names.setdefault(image_id, row.image)
        if row.width is None or row.height is None:
            continue
        size = (row.width, row.height)
        if sizes.setdefault(image_id, size) != size:
            known = " x ".join(map(str, sizes[image_id]))
            problems.add(
                f"{row.where}: width, height: expected {known} as in an earlier row of {row.image!r}, "
                f"found {row.width} x {row.height}"
            )
    return [ImageRecord(key, name, *sizes.get(key, (None, None))) for key, name in names.items()]


def _note_repeats(sentences: list[SentenceRecord], notes: list[str]) -> None:
    counts = Counter((each.ann_id, each.sentence) for each in sentences)
    repeats = sum(count - 1 for count in counts.values())
    if repeats:
        notes.append(f"{repeats} rows repeat a sentence of the same object; they are kept")


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
