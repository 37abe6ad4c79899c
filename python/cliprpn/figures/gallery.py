"""Selects examples for the report by fixed rules: where the best configuration and another one differ, and failures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import Case, Comparison, Gallery, GalleryGroup, Verdict
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable
from cliprpn.figures.subsets import Subset
from cliprpn.metrics import HIT_IOU

NUM_CASES = 4
NUM_PAIRS = 1
# The largest ones have a random failure each.
MAX_SUBSETS = 8
RANDOM_SEED = 0


def choose_gallery(
    table: SplitTable,
    best: Runs,
    against: Runs | None,
    subsets: Sequence[Subset],
    images_dir: Path | None,
) -> Gallery:
    """Selects examples of the first run of the best configuration (A) and of another one (B).

    A prediction is right if its IoU is at least 0.5. The rule of each group:

    - random failures: of the failures of A in a subset, the first in a random order with a fixed seed. The subsets are
      those of the dataset, or else the object sizes of RefCOCOg; at most eight, those with the most expressions.
    - minimal pairs: of the pairs that only A answers right (both expressions), the one with the largest mean gain in
      IoU, A minus B; of those that only B does, the one with the largest loss; of those that neither does, the one with
      the highest mean score of A.
    - wins: of the expressions that only A answers right, those with the largest gain in IoU.
    - losses: of those that only B does, those with the largest loss.
    - joint failures: of those that neither does, those with the highest scores of A.

    Equal ones are ordered by `sent_id`, so the order of the rows changes nothing. No image is shown twice, except for
    the two expressions of a pair: an image that is already shown is skipped. The groups are filled in the order above,
    so that the random failures are drawn from all of them. Without B, everything that A hits is a gain, and there are
    no losses.

    Args:
        images_dir: folder of the original images; None if the dataset has none, and nothing can be shown.
    """
    groups: list[GalleryGroup] = []
    if images_dir is not None:
        chooser = _Chooser(table, [best] if against is None else [best, against], images_dir)
        random_failures = chooser.random_failures(_shown_subsets(subsets))
        groups = [*chooser.pairs(), *chooser.expressions(), *random_failures]
    return Gallery(
        label=best.group.label,
        seed=best.seeds[0] if best.has_seeds else None,
        against=None if against is None else against.group.label,
        against_seed=against.seeds[0] if against is not None and against.has_seeds else None,
        has_images=images_dir is not None,
        groups=groups,
    )


def find_opponent(
    labels: Sequence[str], baseline: str | None, verdict: Verdict, comparisons: Sequence[Comparison]
) -> int | None:
    """Position of the configuration that the examples compare the best with: the declared baseline, else the rival of
    the verdict, else the one with the smallest difference of Acc@0.5; None if there is no other.

    Args:
        labels: of the compared configurations, the best on val first.
        comparisons: of the best with each other one.
    """
    if len(labels) < 2:
        return None
    if baseline in labels[1:]:
        return labels.index(baseline)
    nearest = min(comparisons, key=lambda each: abs(each.difference.mean))
    return labels.index(verdict.rival or nearest.against)


def _shown_subsets(subsets: Sequence[Subset]) -> list[Subset]:
    of_dataset = [subset for subset in subsets if subset.by == "stratum"]
    shown = of_dataset or [subset for subset in subsets if subset.by == "area_tercile_refcocog"]
    largest = sorted(range(len(shown)), key=lambda i: -len(shown[i].rows))[:MAX_SUBSETS]
    return [shown[i] for i in sorted(largest)]


class _Chooser:
    """Selects rows of the table, and remembers the images that are shown.

    Args:
        compared: A, and B if there is one.
    """

    def __init__(self, table: SplitTable, compared: Sequence[Runs], images_dir: Path) -> None:
        self.table = table
        self.images_dir = images_dir
        self.shown: set[str] = set()
        self.labels = [runs.group.label for runs in compared]
        self.ious = [runs.column("iou")[0] for runs in compared]  # [S] each
        self.boxes = [runs.column("pred_box_xyxy")[0] for runs in compared]  # [S, 4] each
        other_iou = self.ious[1] if len(compared) > 1 else np.zeros_like(self.ious[0])
        self.gain = self.ious[0] - other_iou
        self.is_hit, self.is_other_hit = self.ious[0] >= HIT_IOU, other_iou >= HIT_IOU
        self.score = np.nan_to_num(compared[0].scores()[0].astype(np.float64), nan=-np.inf)

    def random_failures(self, subsets: Sequence[Subset]) -> list[GalleryGroup]:
        """One of each subset, if it has any."""
        num = len(self.table.sent_id)
        order = np.empty(num)
        order[np.argsort(self.table.sent_id)] = np.random.default_rng(RANDOM_SEED).permutation(num)
        return [
            self._group("random_failures", rows[~self.is_hit[rows[:, 0]]], -order, 1, len(rows), subset)
            for subset in subsets
            for rows in [subset.rows[:, None]]
        ]

    def pairs(self) -> list[GalleryGroup]:
        """Minimal pairs by outcome; none without pairs."""
        rows = self.table.pairs
        if len(rows) == 0:
            return []
        by_sent_id = np.argsort(self.table.sent_id[rows], axis=1)
        rows = np.take_along_axis(rows, by_sent_id, axis=1)
        return self._by_outcome(rows, ("pair_wins", "pair_losses", "pair_failures"), NUM_PAIRS)

    def expressions(self) -> list[GalleryGroup]:
        """Single expressions by outcome."""
        rows = np.arange(len(self.table.sent_id))[:, None]
        return self._by_outcome(rows, ("wins", "losses", "joint_failures"), NUM_CASES)

    def _by_outcome(self, rows: NDArray, kinds: tuple[str, str, str], limit: int) -> list[GalleryGroup]:
        """
        Args:
            rows: [N, 1] expressions or [N, 2] pairs.
            kinds: of the groups that only A, only B, and neither answers right.
        """
        right, other_right = self.is_hit[rows].all(axis=1), self.is_other_hit[rows].all(axis=1)
        outcomes = [
            (right & ~other_right, self.gain),
            (other_right & ~right, -self.gain),
            (~right & ~other_right, self.score),
        ]
        return [
            self._group(kind, rows[mask], key, limit, len(rows))
            for kind, (mask, key) in zip(kinds, outcomes, strict=True)
            if len(self.labels) > 1 or kind not in ("pair_losses", "losses")
        ]

    def _group(
        self,
        kind: str,
        rows: NDArray,
        key: NDArray,
        limit: int,
        num_total: int,
        subset: Subset | None = None,
    ) -> GalleryGroup:
        """The first ones on images that are not shown yet.

        Args:
            rows: [N, 1] expressions or [N, 2] pairs.
            key: [S], the largest mean over the expressions of a row comes first.
            limit: number of examples.
            num_total: number of expressions or pairs of which `rows` are a part.
        """
        order = np.lexsort((self.table.sent_id[rows].min(axis=1), -key[rows].mean(axis=1)))
        examples: list[dict[str, object]] = []
        for row in rows[order].tolist():
            if len(examples) == limit:
                break
            files = set(self.table.image_file[row])
            if not files & self.shown:
                self.shown |= files
                examples.append({"cases": [self._case(each).model_dump() for each in row]})
        return GalleryGroup.model_validate(
            {
                "kind": kind,
                "subset": None if subset is None else {"by": subset.by, "group": subset.group},
                "num_found": len(rows),
                "num_total": num_total,
                "examples": examples,
            }
        )

    def _case(self, row: int) -> Case:
        table = self.table
        predictions = [
            {"label": label, "pred_box_xyxy": boxes[row].tolist(), "iou": float(iou[row])}
            for label, boxes, iou in zip(self.labels, self.boxes, self.ious, strict=True)
        ]
        return Case.model_validate(
            {
                "sent_id": int(table.sent_id[row]),
                "image_file": str(self.images_dir / table.image_file[row]),
                "upright": bool(table.upright[row]),
                "sentence": table.sentence[row],
                "gt_box_xyxy": table.gt_box_xyxy[row].tolist(),
                "predictions": predictions,
            }
        )
