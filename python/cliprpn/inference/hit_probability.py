"""The probability that a box is a hit, given its score: a monotone fit on the predictions of a split."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliprpn.statistics.monotone import fit_monotone

# With fewer images, the fit would say more about them than about the model.
MIN_IMAGES = 30
# A box is sure from this probability on.
SURE_PROBABILITY = 0.5


@dataclass(frozen=True)
class HitProbability:
    """A piecewise linear function from a score to the probability of a hit, constant outside of its knots.

    Attributes:
        split: name of the split that it was fitted on.
        num_sentences, num_images: size of that split.
        scores: K increasing scores.
        probabilities: K probabilities, which never decrease.
        threshold: the smallest score whose probability is at least `SURE_PROBABILITY`; 0 if all scores have it, None
            if none has.
    """

    split: str
    num_sentences: int
    num_images: int
    scores: list[float]
    probabilities: list[float]
    threshold: float | None

    def at(self, score: float) -> float:
        """The probability of a hit for a score."""
        return float(np.interp(score, self.scores, self.probabilities))

    def is_sure(self, score: float) -> bool:
        """Whether the score reaches the threshold."""
        return self.threshold is not None and score >= self.threshold

    def as_dict(self) -> dict[str, Any]:
        """JSON values, for `parse_hit_probability`."""
        return asdict(self)


def fit_hit_probability(split: str, scores: NDArray, hits: NDArray, images: NDArray) -> HitProbability | None:
    """Fits the probability on predictions; None with fewer than `MIN_IMAGES` images.

    Args:
        scores: [N], finite.
        hits: [N], bool.
        images: [N], the image of each prediction.
    """
    num_images = len(np.unique(images))
    if num_images < MIN_IMAGES:
        return None
    knots, probabilities = fit_monotone(scores, hits)
    return HitProbability(
        split,
        len(scores),
        num_images,
        knots.tolist(),
        probabilities.tolist(),
        _threshold(knots, probabilities),
    )


def parse_hit_probability(facts: dict[str, Any]) -> HitProbability:
    """Reads the values that `as_dict` gave.

    Raises:
        KeyError, TypeError, ValueError: they are no such function.
    """
    threshold = facts["threshold"]
    parsed = HitProbability(
        str(facts["split"]),
        int(facts["num_sentences"]),
        int(facts["num_images"]),
        [float(score) for score in facts["scores"]],
        [float(probability) for probability in facts["probabilities"]],
        None if threshold is None else float(threshold),
    )
    scores, probabilities = parsed.scores, parsed.probabilities
    increasing = all(a <= b for values in (scores, probabilities) for a, b in pairwise(values))
    if not scores or len(scores) != len(probabilities) or not increasing or not np.isfinite(scores).all():
        raise ValueError("the probability of a hit must not decrease with the score")
    if probabilities[0] < 0 or probabilities[-1] > 1 or not np.isfinite(probabilities).all():
        raise ValueError("a probability of a hit must lie in [0, 1]")
    return parsed


def _threshold(scores: NDArray, probabilities: NDArray) -> float | None:
    sure = np.flatnonzero(probabilities >= SURE_PROBABILITY)
    if len(sure) == 0:
        return None
    right = sure[0]
    if right == 0:
        return 0.0
    before, after = probabilities[right - 1], probabilities[right]
    share = (SURE_PROBABILITY - before) / (after - before)
    return float(scores[right - 1] + share * (scores[right] - scores[right - 1]))
