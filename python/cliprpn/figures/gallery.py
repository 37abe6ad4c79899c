"""Selects examples for the report: the largest gains of the best configuration, its failures, and minimal pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.contract.generated import Case, Gallery
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable
from cliprpn.metrics import pair_hits

NUM_CASES = 4
NUM_PAIRS = 3


def choose_gallery(table: SplitTable, settings: list[Runs], images_dir: Path) -> Gallery:
    """Selects sentences, and compares the predictions of the first configuration with those of the last.

    Args:
        settings: best first; the first seed is shown.
        images_dir: folder of the images.
    """
    best_iou = settings[0].column("iou")[0]
    last_iou = settings[-1].column("iou")[0] if len(settings) > 1 else np.zeros_like(best_iou)
    by_gain = np.lexsort((-best_iou, last_iou - best_iou))
    shown = [settings[0], settings[-1]] if len(settings) > 1 else [settings[0]]

    def case(row: int) -> Case:
        return _case(int(row), table, shown, images_dir)

    # Misses with the highest score first: they show most about the model.
    worst = _one_per_image(np.lexsort((-settings[0].column("objectness")[0], best_iou)), table)
    pairs = [[case(row).model_dump() for row in pair] for pair in _pairs(table, best_iou, last_iou)]
    return Gallery.model_validate(
        {
            "best": [case(row).model_dump() for row in _one_per_image(by_gain, table)],
            "worst": [case(row).model_dump() for row in worst],
            "pairs": pairs,
        }
    )


def _pairs(table: SplitTable, best_iou: np.ndarray, last_iou: np.ndarray) -> np.ndarray:
    """Pairs with a hit on both sentences for the best configuration only; among equals, relational pairs first."""
    pairs = table.pairs
    if len(pairs) == 0:
        return pairs
    gain = pair_hits(best_iou, pairs) * 2 - pair_hits(last_iou, pairs)
    relational = np.isin(table.stratum[pairs[:, 0]].astype(str), ["relation", "two_hop"])
    order = np.lexsort((-best_iou[pairs].min(axis=1), ~relational, -gain))
    return pairs[order[:NUM_PAIRS]]


def _one_per_image(rows: np.ndarray, table: SplitTable) -> list[int]:
    """The first `NUM_CASES` rows of different images."""
    selected: list[int] = []
    seen: set[int] = set()
    for row in rows:
        image_id = int(table.image_id[row])
        if image_id not in seen:
            seen.add(image_id)
            selected.append(int(row))
        if len(selected) == NUM_CASES:
            break
    return selected


def _case(row: int, table: SplitTable, settings: list[Runs], images_dir: Path) -> Case:
    predictions = [
        {
            "label": runs.group.label,
            "pred_box_xyxy": runs.column("pred_box_xyxy")[0, row].tolist(),
            "iou": float(runs.column("iou")[0, row]),
        }
        for runs in settings
    ]
    return Case.model_validate(
        {
            "sent_id": int(table.sent_id[row]),
            "image_file": str(images_dir / table.image_file[row]),
            "upright": bool(table.upright[row]),
            "sentence": table.sentence[row],
            "gt_box_xyxy": table.gt_box_xyxy[row].tolist(),
            "predictions": predictions,
        }
    )
