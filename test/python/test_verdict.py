"""What the data support: the first matching case, and remarks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import stdtrit

from cliprpn.contract.generated import BlankAnswers, Comparison, Figure, Interval, SettingSummary, Verdict
from cliprpn.figures.comparisons import Candidate, compare_all, compare_subsets
from cliprpn.figures.split_table import SplitTable
from cliprpn.figures.subsets import find_subsets
from cliprpn.figures.verdict import contenders_of, decide, find_remarks
from cliprpn.metrics import pair_rows
from cliprpn.statistics import (
    ImageGroups,
    compare,
    detectable_difference,
    holm,
    measure,
    num_images_needed,
    num_seeds_needed,
)

INTERVAL = {"mean": 0.1, "low": 0.05, "high": 0.15}


def setting(label: str, acc: float = 0.5, num_seeds: int = 3, kind: str = "cliprpn") -> SettingSummary:
    interval = Interval(mean=acc, low=None, high=None)
    figure = Figure(metric="acc_at_50", interval=interval, per_seed=[])
    return SettingSummary.model_construct(
        label=label, kind=kind, seeds=list(range(num_seeds)), num_planned_seeds=3, figures=[figure]
    )


def comparison(
    against: str, mean: float, p: float, p_adjusted: float | None = None, **more: object
) -> Comparison:
    values = {
        "label": "best",
        "against": against,
        "difference": {"mean": mean, "low": mean - 0.02, "high": mean + 0.02},
        "population": "procedure",
        "p_value": p,
        "p_adjusted": p if p_adjusted is None else p_adjusted,
        "same_answers": False,
        "detectable": 0.03,
        "equivalent": None,
        "chance_new_run_ahead": 0.9,
        "num_seeds_needed": 5,
        "num_images_needed": 500,
        "checks": None,
    }
    return Comparison.model_validate(values | more)


def verdict_of(
    settings: list[SettingSummary],
    comparisons: list[Comparison],
    num_images: int = 360,
    smallest_difference: float | None = None,
) -> Verdict:
    return decide(contenders_of(settings), comparisons, num_images, 0.05, smallest_difference, [])


THREE = [setting("best"), setting("film"), setting("other")]


def test_one_setting_is_not_compared() -> None:
    assert (verdict_of(THREE[:1], []).case, verdict_of(THREE[:1], []).rival) == ("one_setting", None)


def test_few_images_allow_no_comparison() -> None:
    rows = [comparison("film", 0.2, 0.001), comparison("other", 0.3, 0.001)]
    assert verdict_of(THREE, rows, num_images=29).case == "few_images"
    assert verdict_of(THREE, rows, num_images=30).case == "outperforms"


def test_without_any_hit_nothing_is_best() -> None:
    settings = [setting("best", 0.0), setting("film", 0.0)]
    assert verdict_of(settings, [comparison("film", 0.0, 1.0, same_answers=True)]).case == "no_hit"


@pytest.mark.parametrize("one_seed", ["best", "film"])
def test_one_seed_says_nothing_about_training_again(one_seed: str) -> None:
    settings = [setting(label, num_seeds=1 if label == one_seed else 3) for label in ("best", "film")]
    assert verdict_of(settings, [comparison("film", 0.2, 1e-9)]).case == "checkpoints"


def test_a_baseline_without_seeds_is_compared_with_a_procedure() -> None:
    settings = [setting("best"), setting("yolo", num_seeds=1, kind="baseline")]
    assert verdict_of(settings, [comparison("yolo", 0.2, 1e-9)]).case == "outperforms"


def test_same_answers_are_no_difference() -> None:
    rows = [comparison("film", 0.0, 1.0, same_answers=True), comparison("other", 0.2, 0.001)]
    found = verdict_of(THREE, rows)
    assert (found.case, found.rival) == ("same_answers", "film")


def test_the_best_has_to_beat_every_rival_without_adjustment() -> None:
    rows = [comparison("film", 0.05, 0.04, 0.2), comparison("other", 0.2, 0.001)]
    found = verdict_of(THREE, rows)
    assert (found.case, found.rival, found.beaten, found.open) == (
        "outperforms",
        "film",
        ["film", "other"],
        [],
    )


def test_a_lead_may_be_too_small_to_matter() -> None:
    rows = [comparison("film", 0.05, 0.001), comparison("other", 0.2, 0.001)]
    assert [
        verdict_of(THREE, rows, smallest_difference=margin).possibly_too_small
        for margin in (None, 0.02, 0.04)
    ] == [False, False, True]


def test_a_rival_may_be_ahead_on_test() -> None:
    rows = [comparison("film", -0.05, 0.01, 0.02), comparison("other", 0.2, 0.001)]
    found = verdict_of(THREE, rows)
    assert (found.case, found.rival, found.ahead) == ("behind", "film", ["film"])
    # Not by Holm.
    assert verdict_of(THREE, [comparison("film", -0.05, 0.03, 0.06), rows[1]]).case == "mixed"


def test_open_rivals_may_be_equivalent() -> None:
    rows = [
        comparison("film", 0.001, 0.9, equivalent=True),
        comparison("other", 0.2, 0.001, equivalent=False),
    ]
    found = verdict_of(THREE, rows, smallest_difference=0.02)
    assert (found.case, found.open, found.beaten) == ("equivalent", ["film"], ["other"])


def test_what_is_said_of_several_rivals_is_adjusted() -> None:
    weak = comparison("other", 0.05, 0.03, 0.06, equivalent=False)
    same = comparison("film", 0.0, 1.0, same_answers=True, equivalent=True)
    assert verdict_of(THREE, [same, weak]).beaten == []
    ahead = comparison("film", -0.05, 0.001)
    assert (verdict_of(THREE, [ahead, weak]).case, verdict_of(THREE, [ahead, weak]).open) == (
        "behind",
        ["other"],
    )
    # `other` is neither surely beaten nor equivalent.
    equal = comparison("film", 0.001, 0.9, equivalent=True)
    found = verdict_of(THREE, [equal, weak], smallest_difference=0.02)
    assert (found.case, found.open) == ("no_difference", ["film", "other"])


def test_otherwise_there_is_no_significant_difference() -> None:
    rows = [comparison("film", 0.01, 0.3, 0.6), comparison("other", 0.02, 0.03, 0.06)]
    found = verdict_of(THREE, rows)
    # The weak lead over `other` is no claim of several comparisons.
    assert (found.case, found.rival, found.beaten, found.open) == (
        "no_difference",
        "film",
        [],
        ["film", "other"],
    )
    mixed = verdict_of(THREE, [rows[0], comparison("other", 0.2, 0.001)])
    assert (mixed.case, mixed.beaten, mixed.open) == ("mixed", ["other"], ["film"])


def table_of(num_images: int, strata: list[str | None], num_same_category: int) -> SplitTable:
    """A split with one expression of each stratum on each image."""
    num = num_images * len(strata)
    images = np.repeat(np.arange(num_images), len(strata))
    texts = np.full(num, "the cup", dtype=object)
    return SplitTable(
        split="val",
        sent_id=np.arange(num),
        image_id=images,
        pairs=pair_rows(np.full(num, -1)),
        width=np.full(num, 100),
        height=np.full(num, 100),
        gt_box_xyxy=np.tile([0.0, 0.0, 30.0, 50.0], (num, 1)),
        num_same_category=np.full(num, num_same_category),
        sentence=texts,
        category=texts,
        stratum=np.array(strata * num_images, dtype=object),
        image_file=texts,
        upright=np.zeros(num, dtype=bool),
        groups=ImageGroups(images),
    )


def candidate(label: str, table: SplitTable, accuracy: dict[str, float], seed: int) -> Candidate:
    """Three seeds that hit with these probabilities, by stratum."""
    rng = np.random.default_rng(seed)
    chances = np.array([accuracy[name] for name in table.stratum])
    hits = rng.random((3, len(chances))) < chances
    return Candidate(label, True, hits, measure(hits, None, table.groups, True))


def test_remarks_say_where_the_best_is_behind_and_below_chance() -> None:
    table = table_of(200, ["attribute", "negation"], 2)
    best = candidate("best", table, {"attribute": 0.95, "negation": 0.25}, 1)
    film = candidate("film", table, {"attribute": 0.6, "negation": 0.5}, 2)
    subsets = find_subsets(table)
    rows = compare_subsets([best, film], None, subsets, 0.95)
    blank = BlankAnswers.model_validate(
        {
            "acc_at_50": {"mean": 0.6, "low": 0.55, "high": 0.65},
            "difference": {"mean": 0.0, "low": -0.1, "high": 0.1},
            "p_value": 0.6,
        }
    )
    shown = [
        setting("best").model_copy(update={"blank": blank, "still_rising": False}),
        setting("film", num_seeds=2).model_copy(update={"still_rising": True}),
    ]
    remarks = find_remarks(shown, best, rows, table, subsets, 0.95)
    kinds = [remark.kind for remark in remarks]
    assert kinds == ["seeds", "behind", "below_chance", "not_above_blank", "still_rising"]
    seeds, behind, below, _, rising = remarks
    assert (seeds.label, seeds.num_completed, seeds.num_planned) == ("film", 2, 3)
    assert (behind.against, behind.by, behind.group) == ("film", "stratum", "negation")
    assert behind.difference.high < -0.15
    assert (below.group, below.chance) == ("negation", 0.5)
    assert rising.labels == ["film"]


def test_the_declared_baseline_is_compared_with_all_others() -> None:
    table = table_of(60, ["attribute"], 1)
    names = ["best", "film", "other"]
    candidates = [candidate(name, table, {"attribute": 0.5}, seed) for seed, name in enumerate(names)]
    rows = compare_all(candidates, "other", True, table, 0.95, 0.01)
    assert [(row.label, row.against) for row in rows] == [
        ("best", "film"),
        ("best", "other"),
        ("other", "best"),
        ("other", "film"),
    ]
    assert rows[1].difference.mean == -rows[2].difference.mean
    assert rows[1].p_adjusted == rows[2].p_adjusted
    assert all(row.equivalent is False and row.checks is not None for row in rows)


def test_on_test_the_rows_of_each_reference_are_a_family() -> None:
    table = table_of(60, ["attribute"], 1)
    accuracies = {"best": 0.7, "film": 0.6, "other": 0.55}
    candidates = [
        candidate(name, table, {"attribute": accuracy}, seed)
        for seed, (name, accuracy) in enumerate(accuracies.items())
    ]
    rows = compare_all(candidates, "other", False, table, 0.95, None)
    for label in ("best", "other"):
        p_values = [row.p_value for row in rows if row.label == label]
        assert [row.p_adjusted for row in rows if row.label == label] == pytest.approx(holm(p_values))
    on_val = compare_all(candidates, "other", True, table, 0.95, None)
    three = [rows[0].p_value, rows[1].p_value, rows[3].p_value]  # best-film, best-other, other-film
    assert [on_val[i].p_adjusted for i in (0, 1, 3)] == pytest.approx(holm(three))


def test_plans_and_equivalence_have_the_declared_level() -> None:
    table = table_of(60, ["attribute"], 1)
    best, film = (
        candidate(name, table, {"attribute": 0.5}, seed) for seed, name in enumerate(["best", "film"])
    )
    (row,) = compare_all([best, film], None, True, table, 0.8, 0.1)
    difference = compare(best.accuracy, film.accuracy, 0.8)
    assert row.detectable == detectable_difference(difference, 0.2) != detectable_difference(difference)
    assert row.num_seeds_needed == num_seeds_needed(best.accuracy, film.accuracy, 0.1, 0.2)
    assert row.num_images_needed == num_images_needed(best.accuracy, film.accuracy, 0.1, 0.2)
    half = stdtrit(difference.degrees_of_freedom, 0.8) * difference.variance**0.5
    for margin, expected in (
        (abs(difference.mean) + half * 1.01, True),
        (abs(difference.mean) + half * 0.99, False),
    ):
        (row,) = compare_all([best, film], None, True, table, 0.8, margin)
        assert row.equivalent is expected


def test_a_single_object_of_the_category_is_no_chance_to_be_below() -> None:
    for num_same_category, expected in ((1, []), (2, ["below_chance"] * 6)):
        table = table_of(300, ["attribute", "negation"], num_same_category)
        best = candidate("best", table, {"attribute": 0.05, "negation": 0.05}, 1)
        blank = BlankAnswers.model_validate(
            {"acc_at_50": INTERVAL, "difference": {"mean": 0.2, "low": 0.1, "high": 0.3}, "p_value": 0.001}
        )
        shown = [setting("best").model_copy(update={"blank": blank, "still_rising": False})]
        remarks = find_remarks(shown, best, [], table, find_subsets(table), 0.95)
        assert [remark.kind for remark in remarks] == expected


def test_accuracy_and_chance_are_of_the_same_expressions() -> None:
    table = table_of(300, ["attribute", "negation"], 2)
    known = table.stratum == "attribute"
    table = replace(table, num_same_category=np.where(known, 2, 0))
    best = candidate("best", table, {"attribute": 0.05, "negation": 1.0}, 1)
    blank = BlankAnswers.model_validate(
        {"acc_at_50": INTERVAL, "difference": {"mean": 0.2, "low": 0.1, "high": 0.3}, "p_value": 0.001}
    )
    shown = [setting("best").model_copy(update={"blank": blank, "still_rising": False})]
    whole, *_ = find_remarks(shown, best, [], table, find_subsets(table), 0.95)
    assert (whole.kind, whole.by) == ("below_chance", None)
    assert whole.acc_at_50.mean == pytest.approx(best.hits[:, known].mean())


def test_few_images_have_a_difference_only() -> None:
    for num_images, has_plan in ((29, False), (30, True)):
        table = table_of(num_images, ["attribute"], 1)
        pair = [
            candidate(name, table, {"attribute": 0.5}, seed) for seed, name in enumerate(["best", "film"])
        ]
        (row,) = compare_all(pair, None, True, table, 0.95, 0.9)
        plans = (
            row.p_value,
            row.detectable,
            row.chance_new_run_ahead,
            row.num_seeds_needed,
            row.num_images_needed,
        )
        assert [plan is not None for plan in plans] == [has_plan] * 5


def test_equal_sums_within_images_are_not_the_same_hits() -> None:
    table = table_of(30, ["attribute", "negation"], 1)
    pair = [
        candidate("best", table, {"attribute": 1.0, "negation": 0.0}, 1),
        candidate("film", table, {"attribute": 0.0, "negation": 1.0}, 2),
    ]
    assert compare_all(pair, None, True, table, 0.95, None)[0].same_answers is False
    assert compare_all([pair[0], pair[0]], None, True, table, 0.95, None)[0].same_answers is True
