"""Which expression of a split each row of a file answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from cliprpn.answers.answer_row import AnswerRow
from cliprpn.answers.matching.match_images import match_images
from cliprpn.answers.matching.prompts import expressions_in_prompts
from cliprpn.answers.matching.split_keys import SplitKeys, normalize
from cliprpn.data.checks import shorten
from cliprpn.data.split_names import split_named
from cliprpn.errors import CliprpnError

# Of the rows with a sent_id and a text or image: those that must agree with the expression of that sent_id.
MIN_AGREEING = 0.5
# Whether the ground truth of a row is that of an expression, by its position in the split.
HasGroundTruth = Callable[[AnswerRow, int], bool]


@dataclass
class Matched:
    """
    Attributes:
        answers: [S], position of the row of each expression of the split; -1 without one.
        duplicates: rows of an expression that had one before.
        strangers: rows that match no expression of the split.
        num_by: expressions by the key that matched them: sent_id, text, normalized, image, position.
        num_other_split: strangers that name another split.
        notes: a line each.
        warnings: a line each.
        advice: what to do if too few rows match; None for the general advice.
    """

    answers: np.ndarray
    duplicates: list[int] = field(default_factory=list)
    strangers: list[int] = field(default_factory=list)
    num_by: Counter[str] = field(default_factory=Counter)
    num_other_split: int = 0
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    advice: str | None = None


def match_rows(
    rows: Sequence[AnswerRow],
    keys: SplitKeys,
    split: str,
    has_ground_truth: HasGroundTruth,
    are_images: bool = False,
) -> Matched:
    """
    Args:
        split: a row that names another one is a stranger.
        has_ground_truth: tells expressions with the same text apart, if rows have a ground truth.
        are_images: the user has said that rows name images, not expressions.

    Raises:
        CliprpnError: data_invalid, if sent_ids are those of another dataset.
    """
    matched = Matched(np.full(len(keys.rows), -1, dtype=np.int64))
    of_split = [row.split is None or split_named(row.split) in (None, split) for row in rows]
    matched.num_other_split = len(rows) - sum(of_split)
    _choose_numbers(rows, keys)
    found = _find_all(rows, keys, of_split, matched)
    by_image = match_images(rows, keys, of_split, are_images)
    matched.advice = by_image.advice
    for position, expression in by_image.expressions.items():
        found[position] = ("image", [expression])
    num_shared = 0
    rows_of: Counter[tuple[int, ...]] = Counter()
    for position, (row, (how, expressions)) in enumerate(zip(rows, found, strict=True)):
        if not expressions:
            matched.strangers.append(position)
            continue
        chosen = expressions
        if len(expressions) > 1:
            chosen = [i for i in expressions if has_ground_truth(row, i)] or expressions
            num_shared += len(chosen) > 1
        free = [i for i in chosen if matched.answers[i] < 0]
        for i in free:
            matched.answers[i] = position
            matched.num_by[how] += 1
        # Expressions with the same text of the same image have a row each; which is whose cannot be told.
        rows_of[tuple(chosen)] += 1
        if not free and rows_of[tuple(chosen)] > len(chosen):
            matched.duplicates.append(position)
    if matched.num_by["normalized"]:
        matched.notes.append(
            f"{matched.num_by['normalized']:,} expressions are matched by their text without regard to case, spaces "
            "and punctuation"
        )
    if matched.num_by["image"]:
        matched.notes.append(
            f"{matched.num_by['image']:,} expressions are matched by their image alone, as each image of the file has "
            "one expression in the split"
        )
    if num_shared:
        matched.notes.append(
            f"{num_shared:,} rows answer several expressions with the same text of the same image, which get the first "
            "answer; a sent_id would tell them apart"
        )
    return matched


def _find_all(
    rows: Sequence[AnswerRow], keys: SplitKeys, of_split: Sequence[bool], matched: Matched
) -> list[tuple[str, list[int]]]:
    """The key and the expressions of each row."""
    is_foreign = _has_foreign_ids(rows, keys, of_split)
    found: list[tuple[str, list[int]]] = []
    for row, is_of_split in zip(rows, of_split, strict=True):
        by_id = keys.by_sent_id.get(row.sent_id) if isinstance(row.sent_id, int) else None
        if not is_of_split:
            found.append(("text", []))
        elif by_id is not None:
            found.append(("sent_id", [by_id]))
        elif isinstance(row.sent_id, int) and not is_foreign:
            found.append(("sent_id", []))
        else:
            found.append(keys.by_text(row))
    _check_sent_ids(rows, found, keys, matched)
    if is_foreign:
        matched.notes.append(
            "the ids of the file are none of the dataset: rows are matched by image and expression"
        )
    # Rows that have the prompt in place of the expression.
    unmatched = [
        position
        for position, (row, (how, expressions)) in enumerate(zip(rows, found, strict=True))
        if not expressions and how != "sent_id" and of_split[position] and row.expression is not None
    ]
    asked = expressions_in_prompts([rows[position] for position in unmatched], keys)
    for position, expressions in zip(unmatched, asked, strict=True):
        found[position] = ("normalized", expressions)
    return found


def _has_foreign_ids(rows: Sequence[AnswerRow], keys: SplitKeys, of_split: Sequence[bool]) -> bool:
    """Whether no id of the file is one of the split, and its rows name expressions by their text."""
    with_id = [
        row
        for row, is_of_split in zip(rows, of_split, strict=True)
        if is_of_split and row.sent_id is not None
    ]
    if not with_id or any(row.sent_id in keys.by_sent_id for row in with_id):
        return False
    return any(keys.by_text(row)[1] for row in with_id)


def _check_sent_ids(
    rows: Sequence[AnswerRow], found: Sequence[tuple[str, list[int]]], keys: SplitKeys, matched: Matched
) -> None:
    """Compares text and image of rows with those of the expressions that have their sent_ids.

    Raises:
        CliprpnError: data_invalid, if most of them are others.
    """
    checked = [
        (row, expressions[0])
        for row, (how, expressions) in zip(rows, found, strict=True)
        if how == "sent_id" and expressions and (row.expression is not None or row.image is not None)
    ]
    same_text = _same_texts(checked, keys)
    differing = [
        pair
        for pair, is_same in zip(checked, same_text, strict=True)
        if not (is_same and _same_image(*pair, keys))
    ]
    if not differing:
        return
    row, i = differing[0]
    named = " of ".join(shorten(value) for value in (row.expression, row.image) if value is not None)
    here = f"{shorten(keys.texts[i])} of {keys.image_files[i]}"
    what = f"sent_id {row.sent_id} is {here} in the dataset, and {named} in the file"
    if len(differing) > (1 - MIN_AGREEING) * len(checked):
        raise CliprpnError(
            "data_invalid",
            f"{row.where}: expected sent_ids of this dataset: {what}; {len(differing):,} of {len(checked):,} rows "
            "differ. Are they of another dataset, or numbered again? Use --columns sent_id=- to match by image and "
            "expression",
        )
    matched.warnings.append(
        f"{len(differing):,} rows have the sent_id of an expression with another text or image, such as "
        f"{row.where}: {what}"
    )


def _same_texts(checked: Sequence[tuple[AnswerRow, int]], keys: SplitKeys) -> list[bool]:
    """Whether the text of a row is the expression, or a prompt with it; True without a text."""
    same: list[bool] = []
    for row, i in checked:
        if row.expression in (None, keys.texts[i]):
            same.append(True)
            continue
        text, named = normalize(keys.texts[i]), normalize(row.expression)
        same.append(named == text or f" {text} " in f" {named} ")
    return same


def _same_image(row: AnswerRow, i: int, keys: SplitKeys) -> bool:
    """Whether a row names the image of an expression; a name that the split lacks is another only without a text."""
    if row.image in (None, row.sent_id):  # COCO results have the id of the question as that of the image.
        return True
    image_ids = keys.names.images_of(row.image or 0)
    return keys.image_ids[i] in image_ids if image_ids else row.expression is not None


def _choose_numbers(rows: Sequence[AnswerRow], keys: SplitKeys) -> None:
    """Decides if numbers are ids or names of images, where both exist, by which of them have the expressions."""
    conflicting = [row for row in rows if row.image is not None and keys.names.conflicts(row.image)]
    if not conflicting:
        return
    num_found = []
    for prefer_names in (False, True):
        keys.names.prefer_names = prefer_names
        num_found.append(sum(_names_its_expression(row, keys) for row in conflicting))
    keys.names.prefer_names = num_found[1] > num_found[0]


def _names_its_expression(row: AnswerRow, keys: SplitKeys) -> bool:
    by_id = keys.by_sent_id.get(row.sent_id) if isinstance(row.sent_id, int) else None
    if by_id is not None and row.image is not None:
        return keys.image_ids[by_id] in keys.names.images_of(row.image)
    return len(keys.by_text(row)[1]) > 0


def match_positions(rows: Sequence[AnswerRow], keys: SplitKeys) -> Matched | None:
    """Rows without any key, in the order of the split; None if there is not a row for each expression.

    The order can only be checked with the ground truth of the file, which each row must have.
    """
    if len(rows) != len(keys.rows) or any(
        row.sent_id is not None or row.expression is not None or row.image is not None or row.gt_box is None
        for row in rows
    ):
        return None
    matched = Matched(np.arange(len(rows)))
    matched.num_by["position"] = len(rows)
    matched.notes.append(
        "rows have no id, image or expression: they are matched by their order, which their ground truth confirms but "
        "for several expressions of one object"
    )
    return matched
