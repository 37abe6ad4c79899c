"""Acc@0.5 on subsets of a split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import Breakdown
from cliprpn.data.predictions import PredictionColumns
from cliprpn.statistics import mean_interval

STRATA_ORDER = ("attribute", "position", "size_or_part", "negation", "relation", "two_hop")


def breakdowns(columns: PredictionColumns, hits: NDArray) -> list[Breakdown]:
    """Acc@0.5 by subset (if the dataset has any), area tercile, sentence length and objects of the same category.

    Args:
        columns: rows of a split.
        hits: [S], fraction of the seeds that have a hit.
    """
    rows: list[Breakdown] = []
    groupings = {
        "stratum": strata(columns),
        "area_tercile": _area_masks(columns),
        "sentence_length": _length_masks(columns),
        "num_same_category": _same_category_masks(columns),
    }
    for by, groups in groupings.items():
        for group, mask in groups.items():
            if mask.any():
                rows.append(_breakdown(by, group, hits[mask], columns["image_id"][mask]))
    return rows


def category_macro(columns: PredictionColumns, hits: NDArray) -> float:
    """Acc@0.5, averaged over categories.

    Args:
        hits: [S], fraction of the seeds that have a hit.
    """
    categories, group = np.unique(columns["category"].astype(str), return_inverse=True)
    counts = np.bincount(group, minlength=len(categories))
    return float((np.bincount(group, weights=hits) / counts).mean())


def _breakdown(by: str, group: str, hits: NDArray, images: NDArray) -> Breakdown:
    interval = mean_interval(hits, images)._asdict()
    return Breakdown.model_validate(
        {"by": by, "group": group, "num_sentences": len(hits), "interval": interval}
    )


def strata(columns: PredictionColumns) -> dict[str, NDArray]:
    """Mask [S] of the rows of each subset; empty if the dataset defines no subsets."""
    stratum = columns["stratum"]
    names = {name for name in stratum.tolist() if name is not None}
    ordered = [name for name in STRATA_ORDER if name in names] + sorted(names - set(STRATA_ORDER))
    return {name: stratum == name for name in ordered}


def _area_masks(columns: PredictionColumns) -> dict[str, NDArray]:
    """Mask [S] of each tercile of the box's area relative to the image."""
    boxes = columns["gt_box_xyxy"]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    relative = area / (columns["width"] * columns["height"])
    low, high = np.quantile(relative, [1 / 3, 2 / 3])
    return {
        f"small: below {low * 100:.1f} %": relative < low,
        f"medium: {low * 100:.1f} to {high * 100:.1f} %": (relative >= low) & (relative < high),
        f"large: {high * 100:.1f} % or more": relative >= high,
    }


def _length_masks(columns: PredictionColumns) -> dict[str, NDArray]:
    num_words = np.array([len(sentence.split()) for sentence in columns["sentence"]])
    return {
        "5 or fewer": num_words <= 5,
        "6 to 10": (num_words > 5) & (num_words <= 10),
        "11 or more": num_words > 10,
    }


def _same_category_masks(columns: PredictionColumns) -> dict[str, NDArray]:
    count = columns["num_same_category"]
    return {"only one": count == 1, "two": count == 2, "three or more": count >= 3}
