"""What the data support: the first matching case, and remarks that qualify it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cliprpn.contract.generated import (
    BehindRemark,
    BelowChanceRemark,
    BlankRemark,
    CombinedComparison,
    Comparison,
    Interval,
    RisingRemark,
    SeedsRemark,
    SettingSummary,
    SubsetComparison,
    Verdict,
)
from cliprpn.figures.comparisons import Candidate
from cliprpn.figures.intervals import mean_interval
from cliprpn.figures.split_table import SplitTable
from cliprpn.figures.subsets import Rows, Subset, all_rows, mean_chance
from cliprpn.statistics import MIN_IMAGES, Difference, ImageGroups, compare, holm, measure, zero

AnyComparison = Comparison | CombinedComparison
Remark = SeedsRemark | BehindRemark | BelowChanceRemark | BlankRemark | RisingRemark


@dataclass(frozen=True)
class Contender:
    """What a verdict needs of a configuration.

    Attributes:
        acc_at_50: on the split, or on the primary endpoint.
        has_one_seed: whether it was trained here, with a single seed.
    """

    label: str
    acc_at_50: float
    has_one_seed: bool


def contenders_of(settings: Sequence[SettingSummary]) -> list[Contender]:
    """Configurations with figures on one split."""
    return [
        Contender(each.label, _accuracy(each), each.kind == "cliprpn" and len(each.seeds) < 2)
        for each in settings
    ]


def decide(
    contenders: Sequence[Contender],
    comparisons: Sequence[Comparison] | Sequence[CombinedComparison],
    num_images: int,
    alpha: float,
    smallest_difference: float | None,
    remarks: list[Remark],
) -> Verdict:
    """
    Args:
        contenders: the best first, then its rivals; no upper bounds unless there is nothing else.
        comparisons: of the best with each rival, in the same order.
        alpha: significance level.
        smallest_difference: that matters, as a fraction; None if none is declared.
        remarks: appended to the sentence.
    """
    beaten = [each for each in comparisons if each.difference.mean > 0 and _is_below(each.p_value, alpha)]
    ahead = [each for each in comparisons if each.difference.mean < 0 and _is_below(each.p_adjusted, alpha)]
    nearest = min(comparisons, key=_lead, default=None)
    # Of several claims at once, each is at the adjusted level.
    surely = [each for each in beaten if _is_below(each.p_adjusted, alpha)]
    open_ones = [each for each in comparisons if each not in surely and each not in ahead]

    def verdict(case: str, rival: AnyComparison | None, surely: Sequence[AnyComparison] = ()) -> Verdict:
        return Verdict.model_validate(
            {
                "case": case,
                "best": contenders[0].label,
                "rival": None if rival is None else rival.against,
                "beaten": [each.against for each in surely],
                "open": [each.against for each in comparisons if each not in surely and each not in ahead],
                "ahead": [each.against for each in ahead],
                "possibly_too_small": case == "outperforms"
                and rival is not None
                and smallest_difference is not None
                and (rival.difference.low or 0) < smallest_difference,
                "remarks": [remark.model_dump() for remark in remarks],
            }
        )

    if nearest is None:
        return verdict("one_setting", None)
    if num_images < MIN_IMAGES:
        return verdict("few_images", nearest)
    if all(contender.acc_at_50 == 0 for contender in contenders):
        return verdict("no_hit", None)
    if any(contender.has_one_seed for contender in contenders):
        return verdict("checkpoints", nearest, surely)
    same = [each for each in comparisons if each.same_answers]
    if same:
        return verdict("same_answers", same[0], surely)
    if len(beaten) == len(comparisons):
        return verdict("outperforms", nearest, beaten)
    if ahead:
        return verdict("behind", min(ahead, key=_lead), surely)
    if all(each.equivalent for each in open_ones):
        return verdict("equivalent", min(open_ones, key=_lead), surely)
    return verdict("mixed" if surely else "no_difference", min(open_ones, key=_lead), surely)


def _lead(comparison: AnyComparison) -> float:
    return comparison.difference.mean


def _is_below(p_value: float | None, alpha: float) -> bool:
    return p_value is not None and p_value < alpha


def _accuracy(setting: SettingSummary) -> float:
    return next(figure.interval.mean for figure in setting.figures if figure.metric == "acc_at_50")


def find_remarks(
    settings: Sequence[SettingSummary],
    best: Candidate,
    subset_comparisons: Sequence[SubsetComparison],
    table: SplitTable,
    subsets: Sequence[Subset],
    level: float,
) -> list[Remark]:
    """
    Args:
        settings: the best on val first, then its rivals.
        subset_comparisons: of the best.
        level: confidence level.
    """
    alpha = 1 - level
    remarks: list[Remark] = [
        SeedsRemark(
            kind="seeds",
            label=setting.label,
            num_completed=len(setting.seeds),
            num_planned=setting.num_planned_seeds,
        )
        for setting in settings
        if len(setting.seeds) < setting.num_planned_seeds
    ]
    remarks += [
        BehindRemark(
            kind="behind",
            against=each.against,
            by=each.by,
            group=each.group,
            difference=each.difference,
        )
        for each in subset_comparisons
        if each.difference.mean < 0 and _is_below(each.p_adjusted, alpha)
    ]
    remarks += _below_chance(best, table, subsets, level)
    blank = settings[0].blank
    if (
        blank is not None
        and blank.p_value is not None
        and not (blank.difference.mean > 0 and _is_below(blank.p_value, alpha))
    ):
        remarks.append(BlankRemark(kind="not_above_blank", difference=blank.difference))
    rising = [setting.label for setting in settings if setting.still_rising]
    if rising:
        remarks.append(RisingRemark(kind="still_rising", labels=rising))
    return remarks


def _below_chance(
    best: Candidate, table: SplitTable, subsets: Sequence[Subset], level: float
) -> list[Remark]:
    """Where the best is below same-category chance: on the split, or on subsets (by Holm)."""
    parts: list[tuple[Subset | None, Rows]] = [
        (None, all_rows(table)),
        *((subset, subset) for subset in subsets if subset.by != "area_tercile"),
    ]
    tests = [(subset, _against_chance(best, rows, level)) for subset, rows in parts]
    tested = [(subset, test) for subset, test in tests if test is not None]
    adjusted = holm([test.difference.p_value for _, test in tested])
    return [
        BelowChanceRemark(
            kind="below_chance",
            by=None if subset is None else subset.by,
            group=None if subset is None else subset.group,
            acc_at_50=test.acc_at_50,
            chance=test.chance,
        )
        for (subset, test), p_adjusted in zip(tested, adjusted, strict=True)
        if test.difference.mean < 0 and _is_below(p_adjusted, 1 - level)
    ]


class _ChanceTest(NamedTuple):
    """A comparison with chance, on the expressions where chance is known."""

    difference: Difference
    acc_at_50: Interval
    chance: float


def _against_chance(best: Candidate, subset: Rows, level: float) -> _ChanceTest | None:
    """None on fewer than 30 images, and where each image has one object of the category: any miss is below chance."""
    known = ~np.isnan(subset.chance)
    groups = ImageGroups(subset.groups.index[known])
    chance = mean_chance(subset.chance)
    if chance is None or chance == 1 or groups.num_images < MIN_IMAGES:
        return None
    hits = best.hits[:, subset.rows[known]]
    gain = measure(hits - subset.chance[known], None, groups, best.has_seeds)
    accuracy = mean_interval(hits, groups, best.has_seeds, level)
    return _ChanceTest(compare(gain, zero(gain), level), accuracy, chance)
