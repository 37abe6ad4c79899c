"""Differences of Acc@0.5 between configurations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import Comparison, CrossChecks, SubsetComparison
from cliprpn.figures.intervals import to_interval
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable
from cliprpn.figures.subsets import Subset
from cliprpn.statistics import (
    MIN_IMAGES,
    Difference,
    Measurement,
    PairTable,
    chance_ahead,
    compare,
    detectable_difference,
    holm,
    is_equivalent,
    mcnemar_p,
    measure,
    num_images_needed,
    num_seeds_needed,
    pairwise,
    sign_flip_p,
    wilcoxon_p,
)

# Cross-checks take time and decide nothing.
NUM_CHECKED = 10


@dataclass(frozen=True)
class Candidate:
    """A configuration that is compared with others.

    Attributes:
        hits: [R, S], whether the IoU of each run is at least 0.5.
        accuracy: Acc@0.5 on the split.
    """

    label: str
    has_seeds: bool
    hits: NDArray[np.bool_]
    accuracy: Measurement


def make_candidate(runs: Runs, hits: NDArray[np.bool_], table: SplitTable) -> Candidate:
    """
    Args:
        hits: [R, S].
    """
    accuracy = measure(hits, None, table.groups, runs.has_seeds)
    return Candidate(runs.group.label, runs.has_seeds, hits, accuracy)


def compare_all(
    candidates: Sequence[Candidate],
    baseline: str | None,
    is_chosen_here: bool,
    table: SplitTable,
    level: float,
    smallest_difference: float | None,
) -> list[Comparison]:
    """The best with each other one, and the declared baseline with each other one.

    Args:
        candidates: the best first.
        baseline: a label, or None.
        is_chosen_here: whether the best was chosen by these answers.
        level: confidence level.
        smallest_difference: as a fraction, or None.
    """
    if len(candidates) < 2:
        return []
    pairs = pairwise([candidate.accuracy for candidate in candidates])
    comparisons = []
    for reference in references(candidates, baseline):
        first = candidates[reference]
        adjusted = adjust(pairs, reference, is_chosen_here)
        differences = {
            i: compare(first.accuracy, other.accuracy, level)
            for i, other in enumerate(candidates)
            if i != reference
        }
        nearest = sorted(differences, key=lambda i: abs(differences[i].mean))[:NUM_CHECKED]
        comparisons += [
            _comparison(
                first,
                candidates[i],
                difference,
                adjusted[i],
                _cross_checks(first, candidates[i], table) if i in nearest else None,
                smallest_difference,
                1 - level,
            )
            for i, difference in differences.items()
        ]
    return comparisons


def references(candidates: Sequence[Candidate], baseline: str | None) -> list[int]:
    """Positions of those that the others are compared with: the best on val, and the declared baseline."""
    named = [i for i, candidate in enumerate(candidates) if candidate.label == baseline]
    return sorted({0, *named})


def adjust(table: PairTable, reference: int, is_chosen_here: bool) -> list[float | None]:
    """[K], p values of the comparisons of one candidate with each, by Holm; None with too few images.

    If the best is chosen from the same data, as on val, all pairs are a family; otherwise the rows of the reference.
    """
    if is_chosen_here:
        return [None if math.isnan(p_value) else float(p_value) for p_value in table.p_adjusted()[reference]]
    return holm([None if i == reference else p for i, p in enumerate(table.p_values[reference].tolist())])


def _comparison(
    first: Candidate,
    second: Candidate,
    difference: Difference,
    p_adjusted: float | None,
    checks: CrossChecks | None,
    smallest_difference: float | None,
    alpha: float,
) -> Comparison:
    target = smallest_difference or difference.mean
    is_tested = difference.p_value is not None
    return Comparison(
        label=first.label,
        against=second.label,
        difference=to_interval(difference),
        population=difference.population,
        p_value=difference.p_value,
        p_adjusted=p_adjusted,
        same_answers=difference.same_answers and _have_same_hits(first, second),
        detectable=possible_difference(detectable_difference(difference, alpha)),
        equivalent=None
        if smallest_difference is None
        else is_equivalent(difference, smallest_difference, alpha),
        chance_new_run_ahead=chance_ahead(first.accuracy, second.accuracy) if is_tested else None,
        num_seeds_needed=num_seeds_needed(first.accuracy, second.accuracy, target, alpha)
        if is_tested
        else None,
        num_images_needed=num_images_needed(first.accuracy, second.accuracy, target, alpha)
        if is_tested
        else None,
        checks=checks,
    )


def _have_same_hits(first: Candidate, second: Candidate) -> bool:
    """Also within each image, whose expressions statistics sum up."""
    return np.allclose(first.hits.mean(axis=0), second.hits.mean(axis=0), rtol=0, atol=1e-9)


def possible_difference(difference: float | None) -> float | None:
    """None for a difference of 100 points or more: with two seeds, an interval may have no end."""
    return difference if difference is not None and difference < 1 else None


def _cross_checks(first: Candidate, second: Candidate, table: SplitTable) -> CrossChecks:
    gain = first.hits.mean(axis=0) - second.hits.mean(axis=0)
    by_image = np.bincount(table.groups.index, weights=gain)
    num_common = min(len(first.hits), len(second.hits))
    return CrossChecks(
        sign_flip_p=sign_flip_p(by_image, math.lcm(len(first.hits), len(second.hits))),
        wilcoxon_p=wilcoxon_p(by_image),
        mcnemar_p=[mcnemar_p(first.hits[r], second.hits[r]) for r in range(num_common)],
    )


def compare_subsets(
    candidates: Sequence[Candidate],
    baseline: str | None,
    subsets: list[Subset],
    level: float,
) -> list[SubsetComparison]:
    """The pairs of `compare_all` on each subset that has enough images; one family for each reference."""
    large = [subset for subset in subsets if subset.groups.num_images >= MIN_IMAGES]
    families: dict[int, list[tuple[Subset, int, Difference]]] = {
        reference: [] for reference in references(candidates, baseline)
    }
    for subset in large:
        accuracies = [
            measure(each.hits[:, subset.rows], None, subset.groups, each.has_seeds) for each in candidates
        ]
        for reference, pairs in families.items():
            pairs += [
                (subset, i, compare(accuracies[reference], accuracy, level))
                for i, accuracy in enumerate(accuracies)
                if i != reference
            ]
    return [
        row for reference, pairs in families.items() for row in _subset_rows(candidates, reference, pairs)
    ]


def _subset_rows(
    candidates: Sequence[Candidate], reference: int, pairs: list[tuple[Subset, int, Difference]]
) -> list[SubsetComparison]:
    p_values = np.array([difference.p_value for _, _, difference in pairs], dtype=np.float64)
    # The set's own terciles repeat the fixed ones, so they are not counted twice.
    is_tested = [subset.by != "area_tercile" for subset, _, _ in pairs]
    adjusted = holm(np.where(is_tested, p_values, np.nan))
    return [
        SubsetComparison(
            label=candidates[reference].label,
            against=candidates[i].label,
            by=subset.by,
            group=subset.group,
            difference=to_interval(difference),
            population=difference.population,
            p_value=float(p_value),
            p_adjusted=p_adjusted,
        )
        for (subset, i, difference), p_value, p_adjusted in zip(pairs, p_values, adjusted, strict=True)
    ]
