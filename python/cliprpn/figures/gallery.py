"""Selects examples for the report: the largest gains of the best configuration, its failures, and minimal pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.contract.generated import Case, Gallery
from cliprpn.data.predictions import PredictionColumns
from cliprpn.metrics import pair_hits, pair_rows

NUM_CASES = 4
NUM_PAIRS = 3


def choose_gallery(
    columns: PredictionColumns, settings: list[tuple[str, PredictionColumns]], images: Path
) -> Gallery:
    """Predictions of the first configuration next to those of the last one.

    Args:
        columns: rows of a split.
        settings: label and predictions (of the first seed), best first.
        images: folder of the images.
    """
    best = settings[0][1]["iou"]
    rival = settings[-1][1]["iou"] if len(settings) > 1 else np.zeros_like(best)
    by_gain = np.lexsort((-best, rival - best))
    shown = [settings[0], settings[-1]] if len(settings) > 1 else [settings[0]]

    def case(row: int) -> Case:
        return _case(int(row), columns, shown, images)

    # Misses with the highest score first: they show most about the model.
    worst = _one_per_image(np.lexsort((-settings[0][1]["objectness"], best)), columns)
    return Gallery.model_validate(
        {
            "best": [case(row).model_dump() for row in _one_per_image(by_gain, columns)],
            "worst": [case(row).model_dump() for row in worst],
            "pairs": [[case(row).model_dump() for row in pair] for pair in _pairs(columns, best, rival)],
        }
    )


def _pairs(columns: PredictionColumns, best: np.ndarray, rival: np.ndarray) -> np.ndarray:
    """Pairs with a hit on both sentences for the best configuration only; among equals, relational pairs first."""
    pairs = pair_rows(columns["pair_id"])
    if len(pairs) == 0:
        return pairs
    gain = pair_hits(best, pairs) * 2 - pair_hits(rival, pairs)
    relational = np.isin(columns["stratum"][pairs[:, 0]].astype(str), ["relation", "two_hop"])
    order = np.lexsort((-best[pairs].min(axis=1), ~relational, -gain))
    return pairs[order[:NUM_PAIRS]]


def _one_per_image(rows: np.ndarray, columns: PredictionColumns) -> list[int]:
    selected: list[int] = []
    seen: set[int] = set()
    for row in rows:
        image_id = int(columns["image_id"][row])
        if image_id not in seen:
            seen.add(image_id)
            selected.append(int(row))
        if len(selected) == NUM_CASES:
            break
    return selected


def _case(
    row: int, columns: PredictionColumns, settings: list[tuple[str, PredictionColumns]], images: Path
) -> Case:
    predictions = [
        {
            "label": label,
            "pred_box_xyxy": run["pred_box_xyxy"][row].tolist(),
            "iou": float(run["iou"][row]),
        }
        for label, run in settings
    ]
    return Case.model_validate(
        {
            "sent_id": int(columns["sent_id"][row]),
            "image_file": str(images / columns["image_file"][row]),
            "upright": bool(columns["upright"][row]),
            "sentence": columns["sentence"][row],
            "gt_box_xyxy": columns["gt_box_xyxy"][row].tolist(),
            "predictions": predictions,
        }
    )
