"""Figures over several splits: clusters of shared images, the primary endpoint, and claims on each split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_splits import Hits, combine_params, write_split
from numpy.typing import NDArray
from scipy.stats import binom, norm
from scipy.stats import t as student

from cliprpn.errors import CliprpnError
from cliprpn.figures.combine import combine
from cliprpn.statistics import (
    ImageGroups,
    Measurement,
    compare,
    detectable_difference,
    measure,
    unweighted_mean,
)

IMAGES = np.repeat(np.arange(40), 2)


def make_hits(seed: int, accuracy: float, num_runs: int = 1, num: int = len(IMAGES)) -> Hits:
    return np.random.default_rng(seed).random((num_runs, num)) < accuracy


def planted(num: int, num_misses: int) -> Hits:
    """One run that misses the first expressions."""
    return (np.arange(num) >= num_misses)[None]


def test_two_splits_are_as_computed_by_hand(tmp_path: Path) -> None:
    """Each image counts with the sum of its parts in both splits: t over 60 images, 20 of which are shared."""
    images = [IMAGES, IMAGES + 20]
    hits = [{"a": make_hits(k, 0.8), "b": make_hits(10 + k, 0.6)} for k in range(2)]
    found = combine(
        combine_params(
            write_split(tmp_path, "refcoco:testA", images[0], hits[0]),
            write_split(tmp_path, "refcocog:test", images[1], hits[1]),
        )
    )
    gains = [(each["a"].astype(float) - each["b"])[0] for each in hits]
    mean = np.mean([gain.mean() for gain in gains])
    influence = np.zeros(60)
    for own, gain in zip(images, gains, strict=True):
        for image, value in zip(own.tolist(), gain.tolist(), strict=True):
            influence[image] += (value - gain.mean()) / len(gain) / 2
    variance = 60 / 59 * (influence**2).sum()
    half = student.ppf(0.975, 59) * np.sqrt(variance)
    (comparison,) = found.comparisons
    assert found.num_images == 60
    assert (comparison.label, comparison.against, comparison.population) == ("a", "b", "checkpoints")
    assert comparison.difference.mean == pytest.approx(mean)
    assert comparison.difference.low == pytest.approx(mean - half)
    assert comparison.p_value == pytest.approx(2 * student.sf(mean / np.sqrt(variance), 59))
    assert found.settings[0].primary is not None
    assert found.settings[0].primary.mean == pytest.approx(np.mean([each["a"].mean() for each in hits]))
    assert [each.mean for each in found.settings[0].per_endpoint if each] == pytest.approx(
        [each["a"].mean() for each in hits]
    )


def test_the_splits_of_one_run_share_its_seed(tmp_path: Path) -> None:
    """Runs that are good on one split and bad on the other have equal means: no variance over seeds remains."""
    images = np.arange(100)
    runs = np.stack([np.arange(100) < num for num in (90, 70, 50)])
    alike = combine(
        combine_params(
            write_split(tmp_path / "alike", "a:testA", images, {"m": runs}),
            write_split(tmp_path / "alike", "b:testB", images + 100, {"m": runs}),
        )
    ).settings[0]
    opposed = combine(
        combine_params(
            write_split(tmp_path / "opposed", "a:testA", images, {"m": runs}),
            write_split(tmp_path / "opposed", "b:testB", images + 100, {"m": runs[::-1]}),
        )
    ).settings[0]
    assert alike.population == opposed.population == "procedure"
    assert alike.primary is not None and opposed.primary is not None
    assert alike.primary.mean == pytest.approx(opposed.primary.mean) == 0.7
    assert opposed.primary.high - opposed.primary.low < 0.5 * (alike.primary.high - alike.primary.low)


def test_shared_images_are_one_cluster_and_widen_the_interval(tmp_path: Path) -> None:
    hits = {"a": make_hits(0, 0.8), "b": make_hits(1, 0.6)}
    widths = []
    for folder, images in (("shared", IMAGES), ("other", IMAGES + 1000)):
        first = write_split(tmp_path / folder, "refcoco:testA", IMAGES, hits)
        second = write_split(tmp_path / folder, "mine:test", images, hits, split_by="own")
        found = combine(combine_params(first, second))
        assert found.num_images == (40 if folder == "shared" else 80)
        difference = found.comparisons[0].difference
        assert difference.low is not None and difference.high is not None
        widths.append(difference.high - difference.low)
    assert widths[0] > 1.3 * widths[1]


def test_images_that_cannot_be_compared_are_others_and_named_in_a_note(tmp_path: Path) -> None:
    """Two datasets whose images have the same ids and names, and no files."""
    hits = {"a": make_hits(0, 0.8), "b": make_hits(1, 0.6)}
    files = [f"demo_{image:06d}.png" for image in IMAGES]
    endpoints = [
        write_split(tmp_path, f"{name}:test", IMAGES, hits, split_by="umd", files=files)
        for name in ("one", "other")
    ]
    found = combine(combine_params(*endpoints))
    assert found.num_images == 80
    assert found.notes is not None and len(found.notes) == 2
    alone = combine(combine_params(endpoints[0]))
    assert (alone.num_images, alone.notes) == (40, None)


def test_two_files_of_one_image_count_as_one_image(tmp_path: Path) -> None:
    """In a split of one's own, an image of COCO may have two names."""
    files = [f"{'train2017' if i % 2 else 'copy'}/{i // 2:012d}.jpg" for i in range(80)]
    hits = {"a": make_hits(0, 0.8), "b": make_hits(1, 0.6)}
    twice = write_split(tmp_path / "1", "mine:test", np.arange(80), hits, split_by="own", files=files)
    once = write_split(tmp_path / "2", "mine:test", IMAGES, hits, split_by="own")
    found, expected = (combine(combine_params(each)) for each in (twice, once))
    assert found.num_images == expected.num_images == 40
    assert found.comparisons[0].difference == expected.comparisons[0].difference


@pytest.mark.parametrize("is_trained", [False, True])
def test_the_order_of_endpoints_and_models_changes_nothing(tmp_path: Path, is_trained: bool) -> None:
    """Trials have a figure on val on their own dataset only."""
    labels = ("a", "b", "c")
    val = {"a": 0.5, "b": 0.7, "c": 0.6}
    endpoints = []
    for k, name in enumerate(("refcoco:testA", "refcoco:testB", "mine:test")):
        hits = {label: make_hits(10 * k + i, 0.8 - 0.1 * i, 3) for i, label in enumerate(labels)}
        own = val if is_trained and name.startswith("refcoco") else None
        kind = "cliprpn" if is_trained else "results"
        endpoints.append(write_split(tmp_path, name, IMAGES + 15 * k, hits, val=own, kind=kind))
    turned = [
        endpoint.model_copy(update={"groups": endpoint.groups[::-1]}) for endpoint in reversed(endpoints)
    ]
    found, other = (combine(combine_params(*each, baseline="c")) for each in (endpoints, turned))
    assert found.selection == ("val" if is_trained else "primary")
    assert [each.label for each in found.settings] == (["b", "c", "a"] if is_trained else ["a", "b", "c"])
    assert [each.label for each in other.settings] == [each.label for each in found.settings]
    for one, same in zip(found.comparisons, other.comparisons, strict=True):
        assert (one.label, one.against, one.ahead_on_all) == (same.label, same.against, same.ahead_on_all)
        assert one.difference.low == pytest.approx(same.difference.low, abs=1e-12)
        assert one.p_adjusted == pytest.approx(same.p_adjusted, abs=1e-12)
        assert (set(one.ahead_on), set(one.behind_on)) == (set(same.ahead_on), set(same.behind_on))
    assert found.verdict.case == other.verdict.case
    assert found.optimism == other.optimism
    assert (found.optimism is None) == is_trained


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    hits = {"a": make_hits(0, 0.8), "b": make_hits(1, 0.7)}
    order = np.random.default_rng(0).permutation(len(IMAGES))
    mixed = {label: runs[:, order] for label, runs in hits.items()}
    first = combine(combine_params(write_split(tmp_path / "1", "refcoco:testA", IMAGES, hits)))
    other = combine(combine_params(write_split(tmp_path / "2", "refcoco:testA", IMAGES[order], mixed)))
    assert first == other


def test_models_of_other_datasets_are_not_compared_by_their_val(tmp_path: Path) -> None:
    """`a` was chosen on val of one dataset, `b` on val of the other: their figures on val don't compare."""
    one = write_split(tmp_path, "one:test", IMAGES, {"a": make_hits(0, 0.6), "b": make_hits(1, 0.8)})
    two = write_split(tmp_path, "two:test", IMAGES + 40, {"a": make_hits(2, 0.6), "b": make_hits(3, 0.8)})
    for endpoint, position in ((one, 0), (two, 1)):
        trial = endpoint.groups[position].trials[0]
        trial.val_acc_at_50 = 0.9 - 0.5 * position
    found = combine(combine_params(one, two))
    assert found.selection == "primary"
    assert [each.label for each in found.settings] == ["b", "a"]


def test_val_that_chose_the_best_makes_all_pairs_a_family(tmp_path: Path) -> None:
    hits = {"a": make_hits(0, 0.8), "b": make_hits(1, 0.65), "c": make_hits(2, 0.65)}
    val = {"a": 0.8, "b": 0.65, "c": 0.64}
    on_val, on_test = (
        combine(combine_params(write_split(tmp_path, f"refcoco:{split}", IMAGES, hits, val=val)))
        for split in ("val", "testA")
    )
    p_values = [each.p_value for each in on_val.comparisons]
    assert on_val.selection == on_test.selection == "val"
    smallest = min(p_values)
    assert min(each.p_adjusted for each in on_val.comparisons) == pytest.approx(3 * smallest)
    assert min(each.p_adjusted for each in on_test.comparisons) == pytest.approx(2 * smallest)
    assert on_val.optimism is not None and on_test.optimism is None


def test_other_numbers_of_runs_or_other_trials_are_refused(tmp_path: Path) -> None:
    first = write_split(tmp_path, "refcoco:testA", IMAGES, {"a": make_hits(0, 0.8, 3)})
    second = write_split(tmp_path, "refcoco:testB", IMAGES, {"a": make_hits(0, 0.8, 2)})
    with pytest.raises(CliprpnError, match=r"^a: .* 2 and 3") as caught:
        combine(combine_params(first, second))
    assert caught.value.code == "bad_input"
    trained = [
        write_split(tmp_path / "t", f"refcoco:{split}", IMAGES, {"a": make_hits(0, 0.8, 2)}, kind="cliprpn")
        for split in ("testA", "testB")
    ]
    trained[1].groups[0].trials[0].trial_id = "f" * 16
    with pytest.raises(CliprpnError, match="same trials") as caught:
        combine(combine_params(*trained))
    assert caught.value.code == "bad_input"


def test_a_model_without_all_answers_comes_last_and_is_not_compared(tmp_path: Path) -> None:
    hits = {"a": make_hits(0, 0.8), "b": make_hits(1, 0.7)}
    full = write_split(tmp_path, "refcoco:testA", IMAGES, {**hits, "partial": make_hits(2, 0.99)})
    found = combine(combine_params(full, write_split(tmp_path, "refcoco:testB", IMAGES, hits)))
    assert [each.label for each in found.settings] == ["a", "b", "partial"]
    partial = found.settings[2]
    assert partial.primary is None
    assert partial.per_endpoint[0] is not None and partial.per_endpoint[1] is None
    assert {each.against for each in found.comparisons} == {"b"}
    only_parts = write_split(tmp_path / "2", "refcoco:testB", IMAGES, {"b": hits["b"]})
    alone = write_split(tmp_path / "2", "refcoco:testA", IMAGES, {"a": hits["a"]})
    with pytest.raises(CliprpnError, match="found none") as caught:
        combine(combine_params(alone, only_parts))
    assert caught.value.code == "bad_input"


def test_a_small_split_is_not_in_the_primary_endpoint(tmp_path: Path) -> None:
    large, small = np.arange(40), np.arange(100, 129)
    hits = [{"a": planted(num, 4), "b": planted(num, 20)} for num in (40, 29)]
    endpoints = [
        write_split(tmp_path, "refcoco:testA", large, hits[0]),
        write_split(tmp_path, "mine:test", small, hits[1]),
    ]
    found = combine(combine_params(*endpoints))
    assert [each.in_primary for each in found.endpoints] == [True, False]
    assert found.num_images == 40
    assert found.settings[0].primary is not None
    assert found.settings[0].primary.mean == pytest.approx(0.9)
    # Nothing can be said on the small one, so not on all, either.
    comparison = found.comparisons[0]
    assert (comparison.ahead_on, comparison.ahead_on_all) == (["refcoco:testA"], False)
    assert comparison.per_endpoint[1] is not None and comparison.per_endpoint[1].p_value is None


def test_small_splits_alone_are_the_primary_endpoint_but_not_a_large_one_that_is_not_declared(
    tmp_path: Path,
) -> None:
    sizes = {"one:test": (0, 20), "two:test": (100, 20), "three:test": (200, 60)}
    endpoints = [
        write_split(
            tmp_path,
            name,
            start + np.arange(num),
            {"a": planted(num, 2), "b": planted(num, 8)},
            in_primary=name != "three:test",
        )
        for name, (start, num) in sizes.items()
    ]
    found = combine(combine_params(*endpoints))
    assert [each.in_primary for each in found.endpoints] == [True, True, False]
    assert found.num_images == 40
    one = combine(combine_params(endpoints[0], endpoints[2]))
    assert one.num_images == 20
    assert one.verdict.case == "few_images"
    assert one.settings[0].primary is not None and one.settings[0].primary.low is None


def p_of(misses: int, against: int, num: int) -> float:
    """Of one expression an image, where one model misses the first and the other the first and more."""
    gain = (np.arange(num) < against).astype(float) - (np.arange(num) < misses)
    error = np.sqrt(num / (num - 1) * ((gain - gain.mean()) ** 2).sum()) / num
    return float(2 * student.sf(abs(gain.mean()) / error, num - 1))


def test_ahead_on_all_needs_no_adjustment_and_ahead_on_some_does(tmp_path: Path) -> None:
    num = 100
    assert 0.05 / 3 < p_of(0, 5, num) < 0.05
    assert p_of(0, 3, num) > 0.05

    def endpoints(folder: str, misses: Sequence[int]) -> list[str]:
        made = [
            write_split(
                tmp_path / folder,
                f"set{k}:test",
                np.arange(num) + 1000 * k,
                {"a": planted(num, 10), "b": planted(num, 10 + many)},
            )
            for k, many in enumerate(misses)
        ]
        (comparison,) = combine(combine_params(*made)).comparisons
        assert (comparison.label, comparison.ahead_on_all) == ("a", folder == "all")
        assert comparison.behind_on == []
        return comparison.ahead_on

    assert endpoints("all", (5, 5, 5)) == ["set0:test", "set1:test", "set2:test"]
    # With one that is open, five misses of 100 are not enough after Holm's adjustment.
    assert endpoints("some", (5, 5, 3)) == []
    assert endpoints("one", (5, 20, 3)) == ["set0:test", "set1:test"]  # The second of the family needs 2.5 %.


def test_a_split_or_a_model_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    hits = {"a": make_hits(1, 0.8), "b": make_hits(2, 0.6)}
    endpoint = write_split(tmp_path, "refcoco:testA", IMAGES, hits)
    repeated = endpoint.model_copy(update={"groups": [*endpoint.groups, endpoint.groups[0]]})
    for endpoints in ([endpoint, endpoint], [repeated]):
        with pytest.raises(CliprpnError) as caught:
            combine(combine_params(*endpoints))
        assert caught.value.code == "bad_input"


def test_splits_where_the_best_is_behind_are_named(tmp_path: Path) -> None:
    num = 100
    misses = {"set0:test": (0, 40), "set1:test": (15, 0), "set2:test": (3, 0)}
    endpoints = [
        write_split(tmp_path, name, np.arange(num) + 1000 * k, {"a": planted(num, a), "b": planted(num, b)})
        for k, (name, (a, b)) in enumerate(misses.items())
    ]
    (comparison,) = combine(combine_params(*endpoints)).comparisons
    assert comparison.label == "a"
    assert comparison.ahead_on == ["set0:test"]
    assert comparison.behind_on == ["set1:test"]  # Three of 100 are too few.


def test_files_in_one_run_are_no_checkpoints_of_a_procedure(tmp_path: Path) -> None:
    hits = {"a": planted(40, 2), "b": planted(40, 25)}
    outside = combine(combine_params(write_split(tmp_path / "1", "refcoco:testA", np.arange(40), hits)))
    assert outside.verdict.case == "outperforms"
    trained = write_split(tmp_path / "2", "refcoco:testA", np.arange(40), hits, kind="cliprpn")
    assert combine(combine_params(trained)).verdict.case == "checkpoints"


def draw_pair(
    rng: np.random.Generator, accuracies: tuple[float, float]
) -> tuple[list[Measurement], list[Measurement]]:
    """Two models on two splits that share 100 of 150 images each: over images, and as if none were shared."""
    positions = [np.arange(150), np.concatenate([np.arange(100), np.arange(150, 200)])]
    difficulty = rng.normal(size=200)
    taste = rng.normal(size=(2, 200))
    shared, apart = [], []
    for model, accuracy in enumerate(accuracies):
        parts = []
        for own in positions:
            images = np.repeat(np.arange(150), 2)
            effect = 0.4 * difficulty[own] + 0.8 * taste[model, own]
            noise = np.sqrt(1 - 0.16 - 0.64) * rng.normal(size=300)
            hits = effect[images] + noise < norm.ppf(accuracy)
            parts.append(measure(hits, None, ImageGroups(images), has_seeds=False))
        shared.append(unweighted_mean(list(zip(parts, positions, strict=True)), 200))
        places: list[NDArray[np.int64]] = [np.arange(150), np.arange(150, 300)]
        apart.append(unweighted_mean(list(zip(parts, places, strict=True)), 300))
    return shared, apart


def test_intervals_over_splits_that_share_images_are_right_in_95_of_100_cases() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(1000):
        pairs = draw_pair(rng, (0.7, 0.66))
        differences = [compare(a, b) for a, b in pairs]
        covered.append([(each.low or 0) <= 0.04 <= (each.high or 0) for each in differences])
    coverage, as_if_apart = np.mean(covered, axis=0)
    assert 0.93 <= coverage <= 0.97
    assert as_if_apart < coverage - 0.04


def power_at(planted: float, detectable: float) -> float:
    """The chance to find a difference, of a comparison that finds `detectable` in 80 of 100 cases."""
    error = detectable / (norm.ppf(0.975) + norm.ppf(0.8))
    return float(norm.cdf(planted / error - norm.ppf(0.975)))


def assert_found_as_stated(found: list[bool], powers: list[float]) -> None:
    """The number of finds is in the binomial range of the mean of the stated powers."""
    low, high = binom.interval(0.99, len(found), np.mean(powers))
    assert low <= sum(found) <= high


def test_a_planted_difference_over_splits_is_found_as_often_as_the_detectable_one_says() -> None:
    rng = np.random.default_rng(1)
    found, powers = [], []
    for _ in range(500):
        (a, b), _ = draw_pair(rng, (0.75, 0.65))
        difference = compare(a, b)
        assert difference.p_value is not None
        found.append(difference.p_value < 0.05 and difference.mean > 0)
        powers.append(power_at(0.1, detectable_difference(difference) or 0))
    assert 0.7 < np.mean(powers) < 0.9
    assert_found_as_stated(found, powers)


@pytest.mark.parametrize(("num", "expected"), [(1900, 0.5), (4000, 0.8)])
def test_two_planted_points_between_files_of_answers_are_found_as_often_as_the_report_says(
    tmp_path: Path, num: int, expected: float
) -> None:
    """Two models of 71 and 69 %, which miss much the same expressions."""
    rng = np.random.default_rng(num)
    groups = ImageGroups(np.arange(num))

    def draw() -> tuple[Hits, Hits]:
        difficulty = rng.normal(size=num)
        values = (np.sqrt(0.75) * difficulty + 0.5 * rng.normal(size=num) for _ in range(2))
        first, second = (value < norm.ppf(p) for value, p in zip(values, (0.71, 0.69), strict=True))
        return first[None], second[None]

    found, powers = [], []
    for trial in range(300):
        hits = draw()
        difference = compare(*(measure(each, None, groups, has_seeds=False) for each in hits))
        assert difference.p_value is not None
        detectable = detectable_difference(difference)
        if trial == 0:  # The report of such files says the same.
            files = dict(zip(("a", "b"), hits, strict=True))
            reported = combine(combine_params(write_split(tmp_path, "mine:test", np.arange(num), files)))
            assert reported.comparisons[0].detectable == pytest.approx(detectable)
            assert reported.comparisons[0].p_value == pytest.approx(difference.p_value)
        found.append(difference.p_value < 0.05 and difference.mean > 0)
        powers.append(power_at(0.02, detectable or 0))
    assert np.mean(powers) == pytest.approx(expected, abs=0.06)
    assert_found_as_stated(found, powers)


def test_the_number_of_runs_must_agree() -> None:
    groups = ImageGroups(np.arange(40))
    one = measure(np.ones((2, 40)), None, groups, has_seeds=True)
    other = replace(one, per_seed=one.per_seed[:1], influence=one.influence[:1])
    with pytest.raises(ValueError, match="same number of runs"):
        unweighted_mean([(one, np.arange(40)), (other, np.arange(40))], 40)
