"""Differences between models over several splits, and what they allow to say of each split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cliprpn.contract.generated import CombinedComparison, CombineParams, EndpointComparison
from cliprpn.figures.combined_splits import CombinedModel, CombinedSplit
from cliprpn.figures.comparisons import adjust, possible_difference
from cliprpn.figures.intervals import to_interval
from cliprpn.statistics import Difference, compare, detectable_difference, holm, is_equivalent, pairwise


def combined_comparisons(
    models: Sequence[CombinedModel],
    splits: Sequence[CombinedSplit],
    params: CombineParams,
    is_chosen_here: bool,
) -> list[CombinedComparison]:
    """The best with each other one, and the declared baseline with each other one."""
    level = 1 - params.alpha
    measurements = [model.primary for model in models if model.primary is not None]
    if len(measurements) < 2:
        return []
    table = pairwise(measurements)
    named = [i for i, model in enumerate(models) if model.label == params.baseline]
    rows: list[CombinedComparison] = []
    for reference in sorted({0, *named}):
        adjusted = adjust(table, reference, is_chosen_here)
        for i, model in enumerate(models):
            if i != reference:
                difference = compare(measurements[reference], measurements[i], level)
                pair = (models[reference].label, model.label)
                rows.append(_comparison(pair, difference, adjusted[i], splits, params))
    return rows


def _comparison(
    pair: tuple[str, str],
    difference: Difference,
    p_adjusted: float | None,
    splits: Sequence[CombinedSplit],
    params: CombineParams,
) -> CombinedComparison:
    label, against = pair
    alpha, level = params.alpha, 1 - params.alpha
    both = [split for split in splits if label in split.accuracies and against in split.accuracies]
    parts = [compare(split.accuracies[label], split.accuracies[against], level) for split in both]
    adjusted = holm([part.p_value for part in parts])
    is_ahead = [part.mean > 0 and _is_below(part.p_value, alpha) for part in parts]
    # Ahead on all splits is one claim, an intersection; on some of them, several.
    ahead_on_all = len(both) == len(splits) and all(is_ahead)
    surely = [part.mean > 0 and _is_below(p, alpha) for part, p in zip(parts, adjusted, strict=True)]
    behind = [part.mean < 0 and _is_below(p, alpha) for part, p in zip(parts, adjusted, strict=True)]
    found = {
        split.name: EndpointComparison(difference=to_interval(part), p_value=part.p_value, p_adjusted=p)
        for split, part, p in zip(both, parts, adjusted, strict=True)
    }
    margin = params.smallest_difference
    return CombinedComparison(
        label=label,
        against=against,
        difference=to_interval(difference),
        population=difference.population,
        p_value=difference.p_value,
        p_adjusted=p_adjusted,
        same_answers=difference.same_answers
        and all(np.allclose(split.hits[label], split.hits[against], rtol=0, atol=1e-9) for split in both),
        detectable=possible_difference(detectable_difference(difference, alpha)),
        equivalent=None if margin is None else is_equivalent(difference, margin, alpha),
        per_endpoint=[found.get(split.name) for split in splits],
        ahead_on=[
            split.name for split, now in zip(both, is_ahead if ahead_on_all else surely, strict=True) if now
        ],
        behind_on=[split.name for split, now in zip(both, behind, strict=True) if now],
        ahead_on_all=ahead_on_all,
    )


def _is_below(p_value: float | None, alpha: float) -> bool:
    return p_value is not None and p_value < alpha
