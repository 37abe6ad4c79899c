"""Turns rows into images, objects and sentences with ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from cliprpn.data.annotations import Annotations, BoxFormat, ImageRecord, ObjectRecord, SentenceRecord
from cliprpn.data.box_checks import BoxRules, check_reading
from cliprpn.data.boxes import FORMAT_NAMES, have_area, needs_sizes
from cliprpn.data.image_names import image_identity
from cliprpn.data.problems import Problems
from cliprpn.data.rows.row import Row
from cliprpn.data.rows.text_ids import integer_ids

MAX_NOTES = 20


def assemble(
    rows: Sequence[Row], box_format: BoxFormat, rules: BoxRules, problems: Problems, notes: list[str]
) -> Annotations:
    """Builds the annotations of all rows.

    Args:
        rows: in the source's order; a row without a sentence is an object without one.
        rules: what to do with imperfect boxes.
        notes: a line is appended for each oddity that was accepted.
    """
    rows = _rows_with_valid_boxes(rows, box_format, rules, problems, notes)
    rows = _of_used_images(_rows_with_consistent_sizes(_of_used_images(rows), problems))
    locations = [row.where for row in rows]
    names = [image_identity(row.image) for row in rows]
    image_ids = assign_ids("image_id", names, integer_ids(rows, "image_id", notes), locations, notes)
    ann_ids = _assign_ann_ids(rows, names, notes)
    images = _image_records(rows, image_ids)
    objects: dict[int, ObjectRecord] = {}
    for row, image_id, ann_id in zip(rows, image_ids, ann_ids, strict=True):
        earlier = objects.get(ann_id)
        if earlier is None or (earlier.category is None and row.category is not None):
            objects[ann_id] = ObjectRecord(ann_id, image_id, row.category, row.box, row.where)
        elif row.category not in (None, earlier.category):
            notes.append(
                f"{row.where}: category {row.category!r} differs from {earlier.category!r} of the same object in "
                "an earlier row"
            )
    sentence_rows = [i for i, row in enumerate(rows) if row.sentence is not None]
    ref_ids, sent_ids = _assign_ref_and_sent_ids(rows, ann_ids, sentence_rows, notes)
    sentences = [
        SentenceRecord(
            *(sent_id, ref_id, ann_ids[i], image_ids[i]),
            split=rows[i].split,
            sentence=rows[i].sentence or "",
            where=rows[i].where,
        )
        for i, ref_id, sent_id in zip(sentence_rows, ref_ids, sent_ids, strict=True)
    ]
    _note_repeats(sentences, notes)
    return Annotations(box_format, images, objects, sentences, _first_notes(notes))


def assign_ids(
    kind: str,
    items: Sequence[Hashable],
    ids: Sequence[int | None],
    locations: Sequence[str],
    notes: list[str],
) -> list[int]:
    """An id for each item; equal items get the same id.

    The given ids are used if every row has one and they do not contradict the items. Otherwise items are numbered
    from 1 in order of first mention, and a note says why. Items are identified by file names, boxes and sentences,
    never by their ids.

    Args:
        items: what identifies each row's item, such as file names; an item may occur many times.
        ids: the given ids, one for each row.
        locations: file and line of each row, for the note.
    """
    numbers: dict[Hashable, int] = {}
    for item in items:
        numbers.setdefault(item, len(numbers) + 1)
    num_missing = sum(given_id is None for given_id in ids)
    if num_missing == len(ids):
        return [numbers[item] for item in items]
    if num_missing:
        notes.append(f"{kind}: {num_missing} of {len(ids)} rows have no integer id; all rows are renumbered")
        return [numbers[item] for item in items]
    item_of_id: dict[int | None, Hashable] = {}
    id_of_item: dict[Hashable, int | None] = {}
    for item, given_id, location in zip(items, ids, locations, strict=True):
        if item_of_id.setdefault(given_id, item) != item or id_of_item.setdefault(item, given_id) != given_id:
            notes.append(
                f"{kind}: {given_id} at {location} contradicts an earlier row; all rows are renumbered"
            )
            return [numbers[item] for item in items]
    return [given_id for given_id in ids if given_id is not None]


def _rows_with_valid_boxes(
    rows: Sequence[Row], box_format: BoxFormat, rules: BoxRules, problems: Problems, notes: list[str]
) -> Sequence[Row]:
    """Rows whose box has an area. COCO has a few objects without one, all of them without a sentence."""
    boxes = [row.box for row in rows]
    sizes = [
        (row.width, row.height) if row.width and row.height and rules.trust_sizes else None for row in rows
    ]
    num_problems = problems.count
    images = [image_identity(row.image) for row in rows]
    check_reading(boxes, box_format, sizes, images, [row.where for row in rows], rules, problems)
    valid = have_area(boxes, box_format, rules.clip)
    if problems.count == num_problems:  # Otherwise a wrong format explains invalid boxes.
        inside = " inside the image" if needs_sizes(box_format) and not rules.clip else ""
        expected = f"box: expected a positive area{inside} ({FORMAT_NAMES[box_format]})"
        for row, is_valid in zip(rows, valid, strict=True):
            if not is_valid and row.sentence is not None:
                problems.add_row(f"{row.where}: {expected}, found {list(row.box)}", "box: no positive area")
    num_dropped = sum(row.sentence is None for row, is_valid in zip(rows, valid, strict=True) if not is_valid)
    if num_dropped:
        notes.append(f"{num_dropped} objects with neither a sentence nor an area were dropped")
    return [row for row, is_valid in zip(rows, valid, strict=True) if is_valid]


def _of_used_images(rows: Sequence[Row]) -> list[Row]:
    """Rows of images with a sentence."""
    used = {image_identity(row.image) for row in rows if row.sentence is not None}
    return [row for row in rows if image_identity(row.image) in used]


def _rows_with_consistent_sizes(rows: Sequence[Row], problems: Problems) -> list[Row]:
    """Rows that do not contradict the size that an earlier row gives for the same image."""
    sizes: dict[str, tuple[int, int]] = {}
    consistent = []
    for row in rows:
        size = None if row.width is None or row.height is None else (row.width, row.height)
        expected = size if size is None else sizes.setdefault(image_identity(row.image), size)
        if expected is None or expected == size:
            consistent.append(row)
            continue
        problems.add_row(
            f"{row.where}: width, height: expected {expected[0]} x {expected[1]} as in an earlier row of "
            f"{row.image!r}, found {row.width} x {row.height}",
            "width, height: another size than in an earlier row",
            is_sentence=row.sentence is not None,
        )
    return consistent


def _assign_ann_ids(rows: Sequence[Row], names: Sequence[str], notes: list[str]) -> list[int]:
    """An ann_id for each row.

    Objects with the same box stay apart if their ids differ; an id has one image and one box.
    """
    locations = [row.where for row in rows]
    ids = integer_ids(rows, "ann_id", notes)
    boxes = [(name, row.box) for name, row in zip(names, rows, strict=True)]
    if None in ids:
        return assign_ids("ann_id", boxes, ids, locations, notes)
    boxes_with_ids = list(zip(boxes, ids, strict=True))
    box_of_id: dict[int | None, object] = {}
    if all(box_of_id.setdefault(ann_id, box) == box for box, ann_id in boxes_with_ids):
        return assign_ids("ann_id", boxes_with_ids, ids, locations, notes)
    return assign_ids("ann_id", boxes, ids, locations, notes)


def _assign_ref_and_sent_ids(
    rows: Sequence[Row], ann_ids: list[int], sentence_rows: list[int], notes: list[str]
) -> tuple[list[int], list[int]]:
    """ref_id and sent_id of each row with a sentence.

    A ref is an object with its sentences, unless the source splits an object's sentences into several refs.
    """
    with_sentence = [rows[i] for i in sentence_rows]
    locations = [row.where for row in with_sentence]
    given_ids = integer_ids(with_sentence, "ref_id", notes)
    ann_of_sentence = [ann_ids[i] for i in sentence_rows]
    ann_of_ref: dict[int | None, int] = {}
    consistent = all(
        ann_of_ref.setdefault(ref_id, ann_id) == ann_id
        for ref_id, ann_id in zip(given_ids, ann_of_sentence, strict=True)
    )
    use_given = consistent and None not in given_ids
    items = list(zip(ann_of_sentence, given_ids, strict=True)) if use_given else ann_of_sentence
    ref_ids = assign_ids("ref_id", items, given_ids, locations, notes)
    sent_ids = assign_ids(
        "sent_id", sentence_rows, integer_ids(with_sentence, "sent_id", notes), locations, notes
    )
    return ref_ids, sent_ids


def _image_records(rows: Sequence[Row], image_ids: list[int]) -> list[ImageRecord]:
    """Images with a sentence, in order of first mention, with the size that any of their rows gives."""
    sizes: dict[int, tuple[int, int]] = {}
    first: dict[int, Row] = {}
    for row, image_id in zip(rows, image_ids, strict=True):
        if row.sentence is not None:
            first.setdefault(image_id, row)
        if row.width is not None and row.height is not None:
            sizes[image_id] = (row.width, row.height)
    records = []
    for key, row in first.items():
        width, height = sizes.get(key, (None, None))
        records.append(ImageRecord(key, row.image, width, height, row.where))
    return records


def _note_repeats(sentences: list[SentenceRecord], notes: list[str]) -> None:
    """Adds a note if an object has the same sentence more than once."""
    counts = Counter((row.ann_id, row.sentence) for row in sentences)
    num_repeats = sum(count - 1 for count in counts.values())
    if num_repeats:
        notes.append(f"{num_repeats} rows repeat a sentence of the same object; they are kept")


def _first_notes(notes: list[str]) -> list[str]:
    """The first notes, and a line that counts the rest."""
    rest = [f"and {len(notes) - MAX_NOTES} more notes"] if len(notes) > MAX_NOTES else []
    return [*notes[:MAX_NOTES], *rest]
