"""The figures of visual grounding, one definition each.

i runs over sentences; IoU is between the top-1 box, clipped to the image, and the truth, in pixels
of the original image, with no +1. A hit is IoU >= t, by default 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

HIT_IOU = 0.5
ACC_THRESHOLDS = {"acc_at_25": 0.25, "acc_at_50": 0.5, "acc_at_75": 0.75, "acc_at_90": 0.9}
MACC_THRESHOLDS = np.arange(50, 100, 5) / 100  # The very numbers of ACC_THRESHOLDS; 0.05 * k is not.
RECALL_AT = (1, 5, 10, 100)
Values = NDArray[np.float64]
Columns = Mapping[str, NDArray]


def sentence_figures(columns: Columns) -> dict[str, Values]:
    """The figures that are means over sentences, before the mean: name to [S].

    Args:
        columns: `iou`, `iou_at_5`, `iou_at_10`, `iou_at_100` (best IoU among so many proposals) and
            `pointing` (whether the box's centre lies in the truth), each [S].
    """
    iou = np.asarray(columns["iou"], dtype=np.float64)
    figures = {name: (iou >= threshold).astype(float) for name, threshold in ACC_THRESHOLDS.items()}
    figures["macc"] = (iou[:, None] >= MACC_THRESHOLDS).mean(axis=1)
    figures["miou"] = iou
    figures["recall_at_1"] = figures["acc_at_50"]
    for k in RECALL_AT[1:]:
        figures[f"recall_at_{k}"] = (np.asarray(columns[f"iou_at_{k}"]) >= HIT_IOU).astype(float)
    figures["pointing"] = np.asarray(columns["pointing"], dtype=np.float64)
    return figures


def pair_rows(pair_ids: NDArray) -> NDArray[np.int64]:
    """Rows of the two sentences of each minimal pair: [P, 2]. Rows without a pair have id -1."""
    order = np.argsort(pair_ids, kind="stable")
    ordered = pair_ids[order]
    first = np.flatnonzero((ordered[:-1] == ordered[1:]) & (ordered[:-1] >= 0))
    return np.stack([order[first], order[first + 1]], axis=1)


def pairs_right(iou: NDArray, pairs: NDArray[np.int64]) -> Values:
    """1 for each minimal pair with a hit on both sentences: [P]."""
    return (np.asarray(iou)[pairs] >= HIT_IOU).all(axis=1).astype(float)


def split_metrics(columns: Columns) -> dict[str, float | int | None]:
    """All figures of a split, as the contract's `Metrics`."""
    means = {name: float(values.mean()) for name, values in sentence_figures(columns).items()}
    pairs = pair_rows(columns["pair_id"])
    return {
        "num_sentences": len(columns["iou"]),
        "num_images": len(np.unique(columns["image_id"])),
        **means,
        "oiou": float(columns["intersection"].sum() / columns["union"].sum()),
        "pair_accuracy": float(pairs_right(columns["iou"], pairs).mean()) if len(pairs) else None,
    }
