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
    columns: PredictionColumns, settings: list[tuple[str, PredictionColumns]], images_dir: Path
) -> Gallery:
    """Selects sentences, and compares the predictions of the first configuration with those of the last.

    Args:
        columns: rows of a split.
        settings: label and predictions (of the first seed), best first.
        images_dir: folder of the images.
    """
    best_iou = settings[0][1]["iou"]
    last_iou = settings[-1][1]["iou"] if len(settings) > 1 else np.zeros_like(best_iou)
    by_gain = np.lexsort((-best_iou, last_iou - best_iou))
    shown = [settings[0], settings[-1]] if len(settings) > 1 else [settings[0]]

    def case(row: int) -> Case:
        return _case(int(row), columns, shown, images_dir)

    # Misses with the highest score first: they show most about the model.
    worst = _one_per_image(np.lexsort((-settings[0][1]["objectness"], best_iou)), columns)
    return Gallery.model_validate(
        {
            "best": [case(row).model_dump() for row in _one_per_image(by_gain, columns)],
            "worst": [case(row).model_dump() for row in worst],
            "pairs": [
                [case(row).model_dump() for row in pair] for pair in _pairs(columns, best_iou, last_iou)
            ],
        }
    )


def _pairs(columns: PredictionColumns, best_iou: np.ndarray, last_iou: np.ndarray) -> np.ndarray:
    """Pairs with a hit on both sentences for the best configuration only; among equals, relational pairs first."""
    pairs = pair_rows(columns["pair_id"])
    if len(pairs) == 0:
        return pairs
    gain = pair_hits(best_iou, pairs) * 2 - pair_hits(last_iou, pairs)
    relational = np.isin(columns["stratum"][pairs[:, 0]].astype(str), ["relation", "two_hop"])
    order = np.lexsort((-best_iou[pairs].min(axis=1), ~relational, -gain))
    return pairs[order[:NUM_PAIRS]]


def _one_per_image(rows: np.ndarray, columns: PredictionColumns) -> list[int]:
    """The first `NUM_CASES` rows of different images."""
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
    row: int, columns: PredictionColumns, settings: list[tuple[str, PredictionColumns]], images_dir: Path
) -> Case:
    predictions = [
        {
            "label": label,
            "pred_box_xyxy": predicted["pred_box_xyxy"][row].tolist(),
            "iou": float(predicted["iou"][row]),
        }
        for label, predicted in settings
    ]
    return Case.model_validate(
        {
            "sent_id": int(columns["sent_id"][row]),
            "image_file": str(images_dir / columns["image_file"][row]),
            "upright": bool(columns["upright"][row]),
            "sentence": columns["sentence"][row],
            "gt_box_xyxy": columns["gt_box_xyxy"][row].tolist(),
            "predictions": predictions,
        }
    )
