"""Metrics of visual grounding, each defined once.

IoU is between the top-1 box, clipped to the image, and the ground truth, in pixels of the original
image, without the +1 of older code. A hit is IoU >= t, 0.5 by default.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

HIT_IOU = 0.5
ACC_THRESHOLDS = {"acc_at_25": 0.25, "acc_at_50": 0.5, "acc_at_75": 0.75, "acc_at_90": 0.9}
MACC_THRESHOLDS = np.arange(50, 100, 5) / 100  # Equal to ACC_THRESHOLDS bit by bit; 0.05 * k would not be.
RECALL_AT = (1, 5, 10, 100)
# One number per sentence or pair.
Values = NDArray[np.float64]
MetricColumns = Mapping[str, NDArray]


def sentence_figures(columns: MetricColumns) -> dict[str, Values]:
    """Per-sentence values of the metrics that are means over sentences: [S] (or [R, S]) for each name.

    Args:
        columns: `iou` and `pointing` (whether the center of the box lies in the ground truth), and `iou_at_5`,
            `iou_at_10`, `iou_at_100` (best IoU among the first 5, 10, 100 proposals) if there are several proposals;
            each [S], or [R, S] for several runs.
    """
    iou = np.asarray(columns["iou"], dtype=np.float64)
    figures = {name: (iou >= threshold).astype(float) for name, threshold in ACC_THRESHOLDS.items()}
    figures["macc"] = (iou[..., None] >= MACC_THRESHOLDS).mean(axis=-1)
    figures["miou"] = iou
    figures["recall_at_1"] = figures["acc_at_50"]
    for k in RECALL_AT[1:]:
        if f"iou_at_{k}" in columns:
            figures[f"recall_at_{k}"] = (np.asarray(columns[f"iou_at_{k}"]) >= HIT_IOU).astype(float)
    figures["pointing"] = np.asarray(columns["pointing"], dtype=np.float64)
    return figures


def pair_rows(pair_ids: NDArray) -> NDArray[np.int64]:
    """Rows of the two sentences of each minimal pair: [P, 2]. An id of -1, or of one or of several rows, is no pair."""
    _, first, count = np.unique(pair_ids, return_index=True, return_counts=True)
    order = np.argsort(pair_ids, kind="stable")
    starts = np.cumsum(count) - count
    is_pair = (count == 2) & (pair_ids[first] >= 0)
    return np.stack([order[starts[is_pair]], order[starts[is_pair] + 1]], axis=1)


def pair_hits(iou: NDArray, pairs: NDArray[np.int64]) -> Values:
    """1 for each minimal pair with a hit on both sentences, else 0: [P], or [R, P] for several runs."""
    return (np.asarray(iou)[..., pairs] >= HIT_IOU).all(axis=-1).astype(float)


def split_metrics(columns: MetricColumns) -> dict[str, float | int | None]:
    """All metrics of a split, with the fields of the contract's `Metrics`.

    Args:
        columns: those of `sentence_figures`, and `pair_id`, `image_id`, `intersection` and `union`, each [S].
    """
    means = {name: float(values.mean()) for name, values in sentence_figures(columns).items()}
    pairs = pair_rows(columns["pair_id"])
    return {
        "num_sentences": len(columns["iou"]),
        "num_images": len(np.unique(columns["image_id"])),
        **means,
        "oiou": float(columns["intersection"].sum() / columns["union"].sum()),
        "pair_accuracy": float(pair_hits(columns["iou"], pairs).mean()) if len(pairs) else None,
    }
