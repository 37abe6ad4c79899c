"""Scores of detections: in [0, 1], on another scale that a person names, or missing in the whole file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cliprpn.data.problems import Problems
from cliprpn.errors import CliprpnError

# Scores in half precision or float32 can exceed their range by rounding.
ROUNDING = 1e-3


def read_scores(
    scores: np.ndarray, score_max: float | None, file: Path, place_of: Callable[[int], str]
) -> tuple[np.ndarray, list[str]]:
    """
    Args:
        scores: [N], as in the file; NaN where a detection has none.
        score_max: the score of a certain detection, if it is not 1.
        place_of: the place in the file of a detection, by its row.

    Returns:
        [N], in [0, 1]; notes.

    Raises:
        CliprpnError: data_invalid, if only some detections have a score, or scores are out of range.
    """
    missing = np.isnan(scores)
    if len(scores) == 0:
        return scores, []
    if missing.all():
        return np.ones(len(scores)), [
            "its boxes have no scores: all count as 1, so score_thresh drops none and max_boxes keeps the first"
        ]
    problems = Problems(file, "the detections")
    for row in np.flatnonzero(missing):
        problems.add(f"{place_of(int(row))}: expected a score, as other detections have one; found none")
    limit = 1.0 if score_max is None else score_max
    outside = (scores < -ROUNDING) | (scores > limit * (1 + ROUNDING))
    is_percent = (scores[~missing] >= 0).all() and (scores[~missing] > 1 + ROUNDING).mean() > 0.5
    if score_max is None and is_percent and scores[~missing].max() <= 100:
        raise CliprpnError(
            "data_invalid",
            f"{file}: expected scores in [0, 1], found scores up to {scores[~missing].max():g}: if they are percent, "
            "pass --score-max 100 (`score_max` in an experiment)",
        )
    for row in np.flatnonzero(outside):
        problems.add(
            f"{place_of(int(row))}: expected score (a number in [0, {limit:g}]), found {scores[row]:g}"
        )
    problems.raise_if_any()
    return np.clip(scores / limit, 0, 1), []
