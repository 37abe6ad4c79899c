"""Figures of the answers to changed expressions: arrays in, the contract's `AuditSummary` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cliprpn.audit.changes import KINDS, Change, ChangeKind
from cliprpn.audit.words import FUNCTION_WORDS
from cliprpn.box_arrays import area, paired_iou
from cliprpn.contract.generated import AuditExample, AuditKind, AuditSummary, AuditWord, Interval
from cliprpn.data.image_objects import ImageObjects
from cliprpn.data.index import DatasetIndex
from cliprpn.figures.intervals import mean_interval, to_interval
from cliprpn.metrics import HIT_IOU
from cliprpn.statistics import MIN_IMAGES, ImageGroups, compare, holm, measure, zero

# A box is the same as another one from this IoU on: boxes move by some pixels with any change of the text.
SAME_BOX_IOU = 0.9
# The part of boxes that stay the same although the order of words is lost, from which on a model ignores it.
IGNORES_ORDER = 0.9
# With a box for a smaller part of its questions, nothing is said about a kind.
MIN_ANSWERED = 0.5
ORDER_KINDS: tuple[ChangeKind, ...] = ("shuffled", "reversed")
SWAPS: tuple[ChangeKind, ...] = ("swapped_side", "swapped_color", "swapped_number")
NUM_EXAMPLES = 10
Boxes = NDArray[np.float64]
Split = Literal["train", "val", "test", "testA", "testB"]


@dataclass(frozen=True)
class Asking:
    """What was asked.

    Attributes:
        index: of the dataset.
        rows: [S], rows of the index's sentences.
        changes: [N]; their `row` is a position in `rows`.
        shown_only: positions in `rows` whose dropped words are shown and do not count in figures.
    """

    index: DatasetIndex
    rows: NDArray[np.int64]
    changes: Sequence[Change]
    shown_only: frozenset[int] = frozenset()

    @property
    def texts(self) -> list[str]:
        """[S], the unchanged expressions."""
        texts: list[str] = self.index.sentences["sentence"].take(self.rows).to_pylist()
        return texts


@dataclass(frozen=True)
class Lacking:
    """Questions without a box, first the unchanged expressions, then the changes.

    Attributes:
        is_missing: [R, S + N], without an answer.
        is_unparsed: [R, S + N], with an answer without a box.
    """

    is_missing: NDArray[np.bool_]
    is_unparsed: NDArray[np.bool_]


def audit_figures(
    asking: Asking,
    original: Boxes,
    changed: Boxes,
    *,
    label: str,
    split: Split,
    has_seeds: bool,
    level: float,
    seed: int,
    sent_ids: Sequence[int],
    lacking: Lacking | None = None,
) -> AuditSummary:
    """
    Args:
        original: [R, S, 4], answers of R runs to the unchanged expressions, xyxy, pixels of the original image; a box
            without area is a miss.
        changed: [R, N, 4], answers to the changes.
        has_seeds: whether the runs are of a training procedure.
        sent_ids: expressions to show word by word; chosen by a fixed rule if empty.
        lacking: why boxes are empty; None where nothing else than boxes is known.
    """
    if lacking is None:
        is_empty = area(np.concatenate([original, changed], axis=1)) == 0
        lacking = Lacking(np.zeros_like(is_empty), is_empty)
    num = len(asking.rows)
    index, rows = asking.index, asking.rows
    truth = index.gt_boxes[rows].astype(np.float64)
    images = index.image_rows[rows]
    hits = paired_iou(original, truth) >= HIT_IOU
    kinds = [
        _kind(kind, asking, original, changed, hits, lacking, has_seeds, level)
        for kind in KINDS
        if any(_counts(kind, change, asking) for change in asking.changes)
    ]
    adjusted = holm([kind.p_value for kind in kinds])
    kinds = [kind.model_copy(update={"p_adjusted": p}) for kind, p in zip(kinds, adjusted, strict=True)]
    groups = ImageGroups(images)
    return AuditSummary(
        schema_version=1,
        label=label,
        split=split,
        num_expressions=len(rows),
        num_images=groups.num_images,
        num_one_word=sum(len(set(text.split())) < 2 for text in asking.texts),
        num_missing=int(lacking.is_missing[:, :num].sum()),
        num_unparsed=int(lacking.is_unparsed[:, :num].sum()),
        function_words=sorted(FUNCTION_WORDS),
        num_runs=len(original),
        population="procedure" if has_seeds and len(original) > 1 else "checkpoints",
        confidence=level,
        seed=seed,
        acc_at_50=mean_interval(hits, groups, has_seeds, level),
        kinds=kinds,
        ignores_word_order=_ignores_order(kinds),
        ignores_expression=_ignores_expression(kinds, 1 - level),
        examples=_examples(asking, original, changed, truth, sent_ids),
    )


def _kind(
    kind: ChangeKind,
    asking: Asking,
    original: Boxes,
    changed: Boxes,
    hits: NDArray[np.bool_],
    lacking: Lacking,
    has_seeds: bool,
    level: float,
) -> AuditKind:
    at = np.array([i for i, change in enumerate(asking.changes) if _counts(kind, change, asking)])
    of = np.array([asking.changes[i].row for i in at.tolist()])
    truth = asking.index.gt_boxes[asking.rows[of]].astype(np.float64)
    groups = ImageGroups(asking.index.image_rows[asking.rows[of]])
    boxes, before = changed[:, at], original[:, of]
    now = paired_iou(boxes, truth) >= HIT_IOU
    # A missing answer is no unchanged box, and none that moved.
    compared = np.all((area(boxes) > 0) & (area(before) > 0), axis=0)
    is_answered = bool(compared.mean() >= MIN_ANSWERED)
    same = paired_iou(boxes, before) >= SAME_BOX_IOU
    moved, has_other = _moved(kind, asking, at, boxes, before)
    can_move = has_other & compared
    change = measure(now.astype(np.float64) - hits[:, of], None, groups, has_seeds)
    difference = compare(change, zero(change), level)

    def share(values: NDArray[np.bool_], of_changes: NDArray[np.bool_]) -> Interval | None:
        if not is_answered or not of_changes.any():
            return None
        return mean_interval(values[:, of_changes], groups.select(of_changes), has_seeds, level)

    return AuditKind(
        kind=kind,
        num_changes=len(at),
        num_expressions=len(np.unique(of)),
        num_images=groups.num_images,
        num_missing=int(lacking.is_missing[:, len(asking.rows) + at].sum()),
        num_unparsed=int(lacking.is_unparsed[:, len(asking.rows) + at].sum()),
        num_compared=int(compared.sum()),
        original=mean_interval(hits[:, of], groups, has_seeds, level),
        acc_at_50=share(now, np.ones(len(at), dtype=bool)),
        difference=to_interval(difference) if is_answered else None,
        p_value=difference.p_value if is_answered else None,
        p_adjusted=None,
        unchanged=share(same, compared),
        num_with_other=int(can_move.sum()),
        moved=share(moved, can_move),
    )


def _counts(kind: ChangeKind, change: Change, asking: Asking) -> bool:
    return change.kind == kind and not (kind == "dropped_word" and change.row in asking.shown_only)


def _moved(
    kind: ChangeKind, asking: Asking, at: NDArray[np.int64], boxes: Boxes, before: Boxes
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each box is on another object that it was not on before, [R, K], and whether there is one, [K]."""
    changes = [asking.changes[i] for i in at.tolist()]
    if kind == "other_expression":
        others = np.array([change.other if change.other is not None else change.row for change in changes])
        truth = asking.index.gt_boxes[asking.rows[others]].astype(np.float64)
        is_new = (paired_iou(boxes, truth) >= HIT_IOU) & (paired_iou(before, truth) < HIT_IOU)
        return is_new, np.ones(len(at), dtype=bool)
    if kind not in SWAPS:
        return np.zeros(boxes.shape[:2], dtype=bool), np.zeros(len(at), dtype=bool)
    rows = asking.rows[np.array([change.row for change in changes])]
    objects = ImageObjects(asking.index).others(rows)
    same_category = objects.same_category
    others_xyxy = objects.boxes.astype(np.float64)[None]
    is_on = paired_iou(boxes[:, :, None], others_xyxy) >= HIT_IOU  # [R, K, M]
    was_on = paired_iou(before[:, :, None], others_xyxy) >= HIT_IOU
    is_on_other = np.any(is_on & ~was_on & same_category, axis=2)
    return np.asarray(is_on_other, dtype=bool), np.asarray(same_category.any(axis=1), dtype=bool)


def _ignores_order(kinds: Sequence[AuditKind]) -> bool | None:
    """None where the intervals hold shares on both sides of `IGNORES_ORDER`, or there are none."""
    shares = [kind.unchanged for kind in kinds if kind.kind in ORDER_KINDS and kind.unchanged is not None]
    if any(share.high is not None and share.high < IGNORES_ORDER for share in shares):
        return False
    is_above = [share.low is not None and share.low >= IGNORES_ORDER for share in shares]
    return True if len(shares) == len(ORDER_KINDS) and all(is_above) else None


def _ignores_expression(kinds: Sequence[AuditKind], alpha: float) -> bool | None:
    blank = next((kind for kind in kinds if kind.kind == "blank"), None)
    if blank is None or blank.difference is None or blank.p_value is None or blank.num_images < MIN_IMAGES:
        return None
    return not (blank.difference.mean < 0 and blank.p_value < alpha)


def _examples(
    asking: Asking, original: Boxes, changed: Boxes, truth: Boxes, sent_ids: Sequence[int]
) -> list[AuditExample]:
    """Named expressions; else of those with 4 words or more whose words were dropped, evenly spread, an image each."""
    ids = asking.index.sentences["sent_id"].take(asking.rows).to_pylist()
    dropped: dict[int, list[int]] = {}
    for i, change in enumerate(asking.changes):
        if change.kind == "dropped_word":
            dropped.setdefault(change.row, []).append(i)
    texts = asking.texts
    if sent_ids:
        chosen = [row for row in dropped if ids[row] in set(sent_ids)]
    else:
        long = [row for row in dropped if len(texts[row].split()) >= 4]
        step = max(1, len(long) // NUM_EXAMPLES)
        chosen = long[::step][:NUM_EXAMPLES]
    index = asking.index
    examples: list[AuditExample] = []
    shown: set[int] = set()
    for row in chosen:
        image = int(index.image_rows[asking.rows[row]])
        is_answered = bool((area(original[:, row]) > 0).all())
        if not sent_ids and (image in shown or not is_answered):
            continue
        shown.add(image)
        at = np.array(dropped[row])
        ious = paired_iou(changed[:, at], original[:, row][:, None]).mean(axis=0).tolist()
        has_box = (is_answered & np.all(area(changed[:, at]) > 0, axis=0)).tolist()
        examples.append(
            AuditExample(
                sent_id=ids[row],
                sentence=texts[row],
                image_file=None
                if index.images_dir is None
                else str(index.images_dir / index.images["file_name"][image].as_py()),
                upright=bool(index.images["upright"][image].as_py()),
                gt_box_xyxy=truth[row].tolist(),
                pred_box_xyxy=original[0, row].tolist(),
                iou=float(paired_iou(original[0, row], truth[row])),
                words=[
                    AuditWord(word=word, iou=iou if is_known else None)
                    for word, iou, is_known in zip(texts[row].split(), ious, has_box, strict=True)
                ],
            )
        )
    return examples
