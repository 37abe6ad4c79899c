"""Rows that name an image only, as COCO results do: which expression each of them answers, if that is certain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cliprpn.answers.answer_row import AnswerRow
from cliprpn.answers.matching.split_keys import SplitKeys

# Numbers that are sent_ids of this part of the rows are no accident.
MIN_SENT_IDS = 0.5


@dataclass(frozen=True)
class ImageMatch:
    """
    Attributes:
        expressions: the expression of each matched row, by the position of the row.
        advice: what to do if the rows are not matched; None if they are, or name something else.
    """

    expressions: dict[int, int] = field(default_factory=dict)
    advice: str | None = None


def match_images(
    rows: Sequence[AnswerRow], keys: SplitKeys, of_split: Sequence[bool], are_images: bool
) -> ImageMatch:
    """Matches rows by image if each image that they name has one expression in the split.

    Programs also write the id of the expression as that of the image: numbers that may be either are not matched.

    Args:
        of_split: whether a row may be of this split.
        are_images: the user has said that the numbers are those of images.
    """
    only = [
        position
        for position, (row, is_of_split) in enumerate(zip(rows, of_split, strict=True))
        if is_of_split and row.image is not None and row.sent_id is None and row.expression is None
    ]
    if not only:
        return ImageMatch()
    by_image = {position: keys.of_image(rows[position].image) for position in only}
    known = {position: found for position, found in by_image.items() if found}
    several = {rows[position].image for position, found in known.items() if len(found) > 1}
    num_sent_ids = sum(rows[position].image in keys.by_sent_id for position in only)
    may_be_sent_ids = not are_images and num_sent_ids >= MIN_SENT_IDS * len(only)
    if may_be_sent_ids and not several and known:
        return ImageMatch(
            advice="The rows have no sent_id and no expression, and their images may be sent_ids too: use --columns "
            "sent_id=image_id if they are, else --columns sent_id=-"
        )
    if may_be_sent_ids:
        return ImageMatch(
            advice=f"The images of {num_sent_ids:,} of {len(only):,} rows are sent_ids of the split: if they are meant "
            "so, use --columns sent_id=image_id (the name of that column)"
        )
    if several:
        return ImageMatch(
            advice=f"The rows name an image only, and {len(several):,} of these images have several expressions: add "
            "the sent_id or the expression to each row, and name it with --columns sent_id=... or expression=..."
        )
    return ImageMatch({position: found[0] for position, found in known.items()})
