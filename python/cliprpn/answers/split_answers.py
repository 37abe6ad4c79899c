"""The rows of a file that answer the expressions of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cliprpn.answers.answer_row import AnswerFile, AnswerRow
from cliprpn.answers.coordinates.coordinates import to_original
from cliprpn.answers.coordinates.to_boxes import Answers
from cliprpn.answers.matching.ground_truth import SAME_BOX_IOU, GroundTruth
from cliprpn.answers.matching.match_rows import Matched, match_positions, match_rows
from cliprpn.answers.matching.split_keys import SplitKeys
from cliprpn.answers.rows.row_fields import NO_COLUMN
from cliprpn.box_arrays import paired_iou
from cliprpn.contract.generated import AnswerReading, AnswerTarget, Coordinates
from cliprpn.data.checks import shorten
from cliprpn.data.index import DatasetIndex
from cliprpn.data.predictions import PredictionColumns
from cliprpn.errors import CliprpnError

# A file that answers fewer expressions than this part of a split is not one of this split.
MIN_MATCHED = 0.5


@dataclass
class SplitAnswers:
    """The answers to one split.

    Attributes:
        columns: of the predictions, see `data/predictions.py`.
    """

    target: AnswerTarget
    index: DatasetIndex
    keys: SplitKeys
    matched: Matched
    answers: Answers
    columns: PredictionColumns = field(default_factory=dict)
    ground_truth: GroundTruth = field(default_factory=GroundTruth)

    @property
    def name(self) -> str:
        return f"{self.target.dataset.name}:{self.target.split}"


def match_split(
    file: AnswerFile,
    index: DatasetIndex,
    target: AnswerTarget,
    said: Coordinates | None,
    reading: AnswerReading,
) -> SplitAnswers:
    keys = SplitKeys(index, target.split)
    if len(keys.rows) == 0:
        raise CliprpnError(
            "bad_input",
            f"{target.dataset.name}: expected a split with expressions, found none in {target.split}",
        )
    sizes = index.image_sizes(keys.rows).astype(np.float64)
    if np.isnan(sizes).any():
        raise CliprpnError(
            "data_invalid",
            f"{index.root}: expected the size of every image, found none for {np.isnan(sizes).any(axis=1).sum():,} of "
            f"{len(sizes):,} expressions; prepare {target.dataset.name} with "
            "its images, or with width and height in each row",
        )
    truth = index.gt_boxes[keys.rows].astype(np.float64)

    def has_ground_truth(row: AnswerRow, i: int) -> bool:
        coordinates = row.gt_coordinates or said
        if row.gt_box is None or coordinates is None:
            return False
        frame = np.array([row.frame_wh or (np.nan, np.nan)])
        box = to_original(np.array([row.gt_box]), coordinates, sizes[i : i + 1], frame)
        return bool(paired_iou(box, truth[i : i + 1])[0] >= SAME_BOX_IOU)

    columns = reading.columns or {}
    are_images = "image" in columns or columns.get("sent_id") == NO_COLUMN
    matched = match_positions(file.rows, keys) or match_rows(
        file.rows, keys, target.split, has_ground_truth, are_images
    )
    rows = [file.rows[i] if i >= 0 else None for i in matched.answers.tolist()]
    answers = Answers(rows, sizes, keys.image_ids, truth, [*file.notes, *matched.notes], matched.warnings)
    return SplitAnswers(target, index, keys, matched, answers)


def check_strangers(parts: Sequence[SplitAnswers], file: AnswerFile, path: Path) -> None:
    """Rows are strangers only if they match none of the targets.

    Raises:
        CliprpnError: data_invalid, if a target has hardly any answers.
    """
    strangers = set.intersection(*(set(part.matched.strangers) for part in parts))
    for part in parts:
        part.matched.strangers = sorted(strangers)
        num = int((part.matched.answers >= 0).sum())
        total = len(part.keys.rows)
        if num >= MIN_MATCHED * total:
            continue
        raise CliprpnError("data_invalid", f"{path}: {_too_few(part, file, num, sorted(strangers))}")


def _too_few(part: SplitAnswers, file: AnswerFile, num: int, strangers: Sequence[int]) -> str:
    total, keys, num_by = len(part.keys.rows), part.keys, part.matched.num_by
    by = ", ".join(
        f"{num_by[how]:,} by {name}"
        for how, name in (
            ("sent_id", "sent_id"),
            ("text", "image and expression"),
            ("normalized", "normalized text"),
            ("image", "image"),
        )
        if num_by[how]
    )
    found = f"found answers to {num:,}{f' ({by})' if by else ''}"
    row = file.rows[strangers[0] if strangers else 0]
    named = [
        f"{name} {shorten(value)}"
        for name, value in (
            ("sent_id", row.sent_id),
            ("image", row.image),
            ("expression", row.expression),
            ("split", row.split),
        )
        if value is not None
    ]
    other = (
        f"{part.matched.num_other_split:,} rows name another split; " if part.matched.num_other_split else ""
    )
    advice = part.matched.advice or (
        "to evaluate a part of a split, list its ids with --only"
        if num > 0 and not strangers
        else "name the columns with --columns sent_id=..., or image=...,expression=..."
    )
    return (
        f"expected answers to the {total:,} expressions of {part.name}, {found}; {len(strangers):,} of "
        f"{len(file.rows):,} rows match none. {other}{row.where} has {', '.join(named) or 'no sent_id or expression'}; "
        f"{part.name} has, for example, sent_id {keys.sent_ids[0]}, image {keys.image_files[0]} (id "
        f"{keys.image_ids[0]}), expression {shorten(keys.texts[0])}. {advice[0].upper()}{advice[1:]}"
    )
