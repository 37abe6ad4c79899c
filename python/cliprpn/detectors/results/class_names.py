"""Class names of detections. Numbers without names are checked against the annotated objects that boxes overlap."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cliprpn.data.checks import shorten
from cliprpn.detectors.coco_classes import coco_categories, coco_classes
from cliprpn.detectors.results.overlaps import Objects, overlapping_pairs
from cliprpn.detectors.results.rows import NONE
from cliprpn.detectors.results.values import NO_CATEGORY
from cliprpn.errors import CliprpnError

MIN_IOU, MIN_PAIRS, MIN_AGREEMENT = 0.7, 5, 0.5


@dataclass(frozen=True)
class Numbering:
    """A way to number COCO's classes.

    Attributes:
        key: its name for `category_ids`.
        title: for messages.
        names: by category_id.
    """

    key: str
    title: str
    names: dict[int, str]


def numberings() -> list[Numbering]:
    names = coco_classes()
    official = {number: name for number, name in enumerate(coco_categories()) if name}
    return [
        Numbering("coco", "COCO's category ids, 1 to 90", official),
        Numbering("coco80", "COCO's 80 classes numbered from 0", dict(enumerate(names))),
        Numbering("coco80_from_1", "COCO's 80 classes numbered from 1", dict(enumerate(names, start=1))),
    ]


@dataclass(frozen=True)
class ClassNames:
    """Names, the index of each row's name, and notes."""

    names: list[str]
    rows: np.ndarray
    notes: list[str]


def resolve_names(
    table: np.ndarray,
    boxes: np.ndarray,
    row_names: list[str],
    categories: dict[int, str],
    category_ids: str | None,
    objects: Objects,
    file: Path,
) -> ClassNames:
    """Names of the classes of all rows; "" for a row without one.

    A row's name takes precedence, then the file's `categories`, then COCO's names by the numbering that agrees with
    the annotated objects.

    Args:
        table: of ROW_DTYPE; `image` is the image's row in the dataset.
        boxes: [N, 4], xyxy, pixels.
        row_names: class names given by rows.
        categories: class names given by the file, by category_id.
        category_ids: the numbering that a person names; `none` for boxes without class; None to find it out.

    Raises:
        CliprpnError: data_invalid, if `categories` or the numbering lack an id, or if no numbering agrees.
    """
    ids, id_numbers = np.unique(table["category_id"], return_inverse=True)
    unnamed = (table["name"] == NONE) & (table["category_id"] != NO_CATEGORY)
    used_ids = [int(each) for each in np.unique(table["category_id"][unnamed])]
    id_names = categories
    notes: list[str] = []
    if category_ids is not None or not categories:
        id_names, notes = _assumed_names(table, boxes, unnamed, used_ids, category_ids, objects, file)
    elif missing := [each for each in used_ids if each not in categories]:
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected a name in `categories` for every category_id, found none for {_examples(missing)}",
        )
    names = [*row_names, *(id_names.get(int(each), "") for each in ids)]
    rows = np.where(table["name"] == NONE, len(row_names) + id_numbers.reshape(-1), table["name"])
    return ClassNames(names, rows, notes)


def _assumed_names(
    table: np.ndarray,
    boxes: np.ndarray,
    unnamed: np.ndarray,
    used_ids: list[int],
    category_ids: str | None,
    objects: Objects,
    file: Path,
) -> tuple[dict[int, str], list[str]]:
    if not used_ids or category_ids == "none":
        return {}, []
    if category_ids is not None:
        named = next(each for each in numberings() if each.key == category_ids)
        if missing := [each for each in used_ids if each not in named.names]:
            raise CliprpnError(
                "data_invalid", f"{file}: expected {named.title}, found the category_id {_examples(missing)}"
            )
        return named.names, []
    possible = [each for each in numberings() if all(number in each.names for number in used_ids)]
    rows = np.flatnonzero(unnamed)
    agreements, num_pairs = _agreements(table[rows], boxes[rows], objects)
    if num_pairs < MIN_PAIRS:
        return _unchecked(possible, used_ids)
    best = max(numberings(), key=lambda each: (agreements[each.key], each in possible))
    if agreements[best.key] >= MIN_AGREEMENT and best in possible:
        others = ", ".join(
            f"{agreements[each.key]:.0%} as {each.title}" for each in numberings() if each.key != best.key
        )
        return best.names, [
            f"its category_id have no names; they are read as {best.title} ({_sample(best.names, used_ids)}), as "
            f"{agreements[best.key]:.0%} of {num_pairs} annotated objects that its boxes overlap have that name "
            f"({others})"
        ]
    if len(used_ids) == 1:  # Detectors without classes write the same for every box.
        return {}, [
            f"all its boxes have category_id {used_ids[0]}, without a name: they are read without class"
        ]
    raise CliprpnError(
        "data_invalid",
        f"{file}: expected category_id of COCO, as the file has no class names; of {num_pairs} annotated objects "
        f"that its boxes overlap, at most {agreements[best.key]:.0%} have the name that {best.title} gives. Write "
        "names in the file (`category_name` in rows, or `categories`), or pass --category-ids none to read boxes "
        f"without class (`category_ids` in an experiment: {', '.join(each.key for each in numberings())} or none)",
    )


def _unchecked(possible: list[Numbering], used_ids: list[int]) -> tuple[dict[int, str], list[str]]:
    """COCO's own numbering if the ids can be it; with other ids its names would be wrong."""
    if not possible or possible[0].key != "coco":
        return {}, [
            f"the file has no class names, and its category_id ({_examples(used_ids)}) are not COCO's: its boxes have "
            "no class; --category-ids coco80 reads COCO's 80 classes numbered from 0"
        ]
    return possible[0].names, [
        f"its category_id have no names and are assumed to be {possible[0].title} "
        f"({_sample(possible[0].names, used_ids)}): too few annotated objects with COCO's names to check it; "
        "--category-ids names another numbering"
    ]


def _agreements(table: np.ndarray, boxes: np.ndarray, objects: Objects) -> tuple[dict[str, float], int]:
    """The fraction of objects with the name of an overlapping box, by numbering; the number of objects."""
    known = {_plain(name) for name in coco_classes()}
    pairs = [
        (_plain(objects.names[row] or ""), table["category_id"][near])
        for row, near in overlapping_pairs(table["image"], boxes, objects, MIN_IOU)
    ]
    pairs = [(name, ids) for name, ids in pairs if name in known]
    agreements = {
        numbering.key: sum(_has_name(numbering, ids, name) for name, ids in pairs) / max(len(pairs), 1)
        for numbering in numberings()
    }
    return agreements, len(pairs)


def _has_name(numbering: Numbering, ids: np.ndarray, name: str) -> bool:
    return any(_plain(numbering.names.get(int(number), "")) == name for number in ids)


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


def _sample(names: dict[int, str], used_ids: list[int]) -> str:
    shown = ", ".join(f"{number} {names[number]}" for number in used_ids[:4] if number in names)
    return shown + (", ..." if len(used_ids) > 4 else "")


def _examples(ids: list[int]) -> str:
    return shorten(", ".join(map(str, ids[:3])) + (", ..." if len(ids) > 3 else "")).strip("'\"")
