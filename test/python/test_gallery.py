"""The examples of a report follow fixed rules, and show no image twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cliprpn.contract.generated import Comparison, Gallery, GalleryGroup, Interval, TrialGroup, Verdict
from cliprpn.data.predictions import predictions_file
from cliprpn.figures.gallery import MAX_SUBSETS, choose_gallery, find_opponent
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import read_split_table
from cliprpn.figures.subsets import find_subsets

IMAGES = Path("/images")
GT_BOX = [10.0, 10.0, 50.0, 50.0]


def sentences(image_ids: list[int], **columns: list[Any]) -> dict[str, list[Any]]:
    """What all configurations share, a value per expression."""
    num = len(image_ids)
    shared: dict[str, list[Any]] = {
        "sent_id": list(range(num)),
        "image_id": image_ids,
        "image_file": [f"{image_id}.png" for image_id in image_ids],
        "pair_id": [None] * num,
        "num_same_category": [2] * num,
        "width": [100] * num,
        "height": [80] * num,
        "upright": [False] * num,
        "gt_box_xyxy": [GT_BOX] * num,
        "split": ["val"] * num,
        "sentence": [f"the cup {row}" for row in range(num)],
        "category": ["cup"] * num,
        "stratum": [None] * num,
    }
    return shared | columns


def write_runs(
    folder: Path,
    label: str,
    shared: dict[str, list[Any]],
    iou: list[float],
    score: list[float] | None = None,
    order: np.ndarray | None = None,
    kind: str = "cliprpn",
) -> Runs:
    """Writes the predictions of one seed, with the rows in this order."""
    columns = shared | {
        "iou": iou,
        "objectness": score or [0.5] * len(iou),
        "pred_box_xyxy": [[row, 0.0, row + 10.0, 20.0] for row in range(len(iou))],
    }
    pair_ids = pa.array(shared["pair_id"], pa.int64())
    table = pa.table(columns | {"pair_id": pair_ids})
    trial = folder / label
    trial.mkdir(parents=True, exist_ok=True)
    pq.write_table(table if order is None else table.take(order), predictions_file(trial, "val"))
    group = {
        "label": label,
        "kind": kind,
        "is_upper_bound": False,
        "num_planned_seeds": 1,
        "trials": [
            {
                "trial_id": "0" * 16,
                "seed": 7,
                "val_acc_at_50": 0.5,
                "val_acc_by_epoch": [],
                "predictions_dir": str(trial),
            }
        ],
    }
    return Runs(TrialGroup.model_validate(group), "val")


def choose(best: Runs, against: Runs | None = None, images_dir: Path | None = IMAGES) -> Gallery:
    table = read_split_table(best.files[0], "val")
    return choose_gallery(table, best, against, find_subsets(table), images_dir)


def groups_of(gallery: Gallery, kind: str) -> list[GalleryGroup]:
    return [group for group in gallery.groups if group.kind == kind]


def shown(gallery: Gallery, kind: str) -> list[list[int]]:
    """sent_ids of each example."""
    return [
        [case.sent_id for case in example.cases]
        for group in groups_of(gallery, kind)
        for example in group.examples
    ]


def images_of(gallery: Gallery) -> list[str]:
    """The images of every example, each once for an example."""
    return [
        file
        for group in gallery.groups
        for example in group.examples
        for file in {case.image_file for case in example.cases}
    ]


def test_wins_and_losses_are_the_largest_gains_and_losses(tmp_path: Path) -> None:
    shared = sentences(list(range(14)))
    best = [0.9, 0.6, 0.8, 0.7, 0.95, 0.7, 0.1, 0.2, 0.3, 0.4, 0.45, 0.9, 0.1, 0.2]
    other = [0.1, 0.4, 0.1, 0.1, 0.2, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.6, 0.2, 0.4]
    gallery = choose(write_runs(tmp_path, "a", shared, best), write_runs(tmp_path, "b", shared, other))
    # Expressions 3 and 5 gain the same: the smaller sent_id comes first.
    assert shown(gallery, "wins") == [[0], [4], [2], [3]]
    (wins,) = groups_of(gallery, "wins")
    (losses,) = groups_of(gallery, "losses")
    assert (wins.num_found, wins.num_total, losses.num_found) == (6, 14, 5)
    random = {row for rows in shown(gallery, "random_failures") for row in rows}
    assert shown(gallery, "losses") == [[row] for row in (6, 7, 8, 9, 10) if row not in random][:4]
    case = wins.examples[0].cases[0]
    assert [(each.label, each.iou) for each in case.predictions] == [("a", 0.9), ("b", 0.1)]
    assert (case.sentence, case.image_file) == ("the cup 0", "/images/0.png")
    assert case.predictions[0].pred_box_xyxy == [0.0, 0.0, 10.0, 20.0]


def test_joint_failures_have_the_highest_scores_of_the_best(tmp_path: Path) -> None:
    num = 12
    shared = sentences(list(range(num)))
    score = [0.1, 0.9, 0.3, 0.8, 0.5, 0.6, 0.2, float("nan"), 0.4, 0.7, 0.05, 0.15]
    best = write_runs(tmp_path, "a", shared, [0.2] * num, score)
    gallery = choose(best, write_runs(tmp_path, "b", shared, [0.3] * num, score[::-1]))
    (random,) = shown(gallery, "random_failures")
    expected = [[row] for row in np.argsort(-np.nan_to_num(score)).tolist() if [row] != random]
    assert shown(gallery, "joint_failures") == expected[:4]
    assert groups_of(gallery, "joint_failures")[0].num_found == num
    assert shown(gallery, "wins") == shown(gallery, "losses") == []


def test_a_minimal_pair_of_each_outcome_is_shown_by_its_image(tmp_path: Path) -> None:
    image_ids = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    pairs = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    best = [0.9, 0.9, 0.6, 0.6, 0.1, 0.9, 0.9, 0.9, 0.2, 0.9]
    other = [0.1, 0.9, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.1]
    shared = sentences(image_ids, pair_id=pairs, sent_id=[5, 4, 3, 2, 11, 12, 13, 14, 15, 16])
    gallery = choose(write_runs(tmp_path, "a", shared, best), write_runs(tmp_path, "b", shared, other))
    by_kind = {kind: groups_of(gallery, f"pair_{kind}")[0] for kind in ("wins", "losses", "failures")}
    assert {kind: (each.num_found, each.num_total) for kind, each in by_kind.items()} == {
        "wins": (2, 5),
        "losses": (1, 5),
        "failures": (1, 5),
    }
    # The mean gain of the second pair is larger; the expressions of a pair are ordered by sent_id.
    assert shown(gallery, "pair_wins") == [[2, 3]]
    assert len(images_of(gallery)) == len(set(images_of(gallery)))


@pytest.fixture
def many(tmp_path: Path) -> tuple[dict[str, list[Any]], list[float], list[float], list[float]]:
    """300 expressions on 90 images, in six subsets, with pairs: columns, IoUs of two models, scores."""
    rng = np.random.default_rng(3)
    num = 300
    image_ids = np.sort(rng.integers(0, 90, num))
    pair_id = np.where(np.arange(num) % 3 < 2, np.arange(num) // 3, -1)
    shared = sentences(
        image_ids.tolist(),
        sent_id=rng.permutation(num).tolist(),
        pair_id=[None if each < 0 else each for each in pair_id.tolist()],
        stratum=rng.choice(["attribute", "negation", "relation", "position"], num).tolist(),
    )
    # Rounded, so that there are ties.
    best, other, score = np.round(rng.random((3, num)), 1).tolist()
    return shared, best, other, score


def test_no_image_is_shown_twice(tmp_path: Path, many: Any) -> None:
    shared, best, other, score = many
    gallery = choose(
        write_runs(tmp_path, "a", shared, best, score), write_runs(tmp_path, "b", shared, other, score)
    )
    assert Counter(group.kind for group in gallery.groups) == {
        "pair_wins": 1,
        "pair_losses": 1,
        "pair_failures": 1,
        "wins": 1,
        "losses": 1,
        "joint_failures": 1,
        "random_failures": 4,
    }
    files = images_of(gallery)
    assert len(files) == len(set(files))
    assert sum(len(group.examples) for group in gallery.groups) == 3 + 3 * 4 + 4


def test_the_order_of_the_rows_changes_nothing(tmp_path: Path, many: Any) -> None:
    shared, best, other, score = many

    def gallery_of(order: np.ndarray | None) -> Gallery:
        runs = [
            write_runs(tmp_path, label, shared, iou, score, order)
            for label, iou in (("a", best), ("b", other))
        ]
        return choose(*runs)

    expected = gallery_of(None)
    assert gallery_of(None) == expected
    for seed in range(3):
        assert gallery_of(np.random.default_rng(seed).permutation(len(best))) == expected


def test_random_failures_do_not_depend_on_the_other_groups(tmp_path: Path, many: Any) -> None:
    """They represent all failures of a subset, also those that another model answers right."""
    shared, best, other, score = many
    runs = write_runs(tmp_path, "a", shared, best, score)
    alone = choose(runs)
    compared = choose(runs, write_runs(tmp_path, "b", shared, other, score))
    assert shown(alone, "random_failures") == shown(compared, "random_failures")
    rows = {sent_id: row for row, sent_id in enumerate(shared["sent_id"])}
    for group in groups_of(compared, "random_failures"):
        (example,) = group.examples
        assert group.subset is not None
        in_subset = [
            iou for iou, name in zip(best, shared["stratum"], strict=True) if name == group.subset.group
        ]
        assert (group.num_found, group.num_total) == (sum(iou < 0.5 for iou in in_subset), len(in_subset))
        row = rows[example.cases[0].sent_id]
        assert best[row] < 0.5
        assert shared["stratum"][row] == group.subset.group


def test_random_failures_are_not_always_those_with_extreme_scores(tmp_path: Path) -> None:
    """Over many datasets, every failure of a subset is drawn about equally often."""
    drawn: Counter[int] = Counter()
    for number in range(60):
        sent_ids = np.random.default_rng(number).permutation(1000)[:5].tolist()
        shared = sentences(list(range(5)), sent_id=sent_ids)
        gallery = choose(
            write_runs(tmp_path / str(number), "a", shared, [0.1] * 5, [0.1, 0.2, 0.3, 0.4, 0.5])
        )
        ((sent_id,),) = shown(gallery, "random_failures")
        drawn[sent_ids.index(sent_id)] += 1
    assert len(drawn) == 5
    assert max(drawn.values()) < 30


def test_without_subsets_of_the_dataset_object_sizes_are_used_and_of_many_the_largest(tmp_path: Path) -> None:
    num = 120
    shared = sentences(list(range(num)))
    gallery = choose(write_runs(tmp_path, "a", shared, [0.1] * num))
    assert {group.subset.by for group in groups_of(gallery, "random_failures") if group.subset} == {
        "area_tercile_refcocog"
    }
    names = [f"kind {min(row % 12, 10)}" for row in range(num)]  # "kind 10" is twice as large as the others.
    gallery = choose(write_runs(tmp_path, "b", shared | {"stratum": names}, [0.1] * num))
    groups = [group.subset.group for group in groups_of(gallery, "random_failures") if group.subset]
    assert len(groups) == MAX_SUBSETS == 8
    assert "kind 10" in groups


def test_one_configuration_has_hits_and_failures(tmp_path: Path) -> None:
    shared = sentences(list(range(6)), pair_id=[1, 1, 2, 2, None, None])
    gallery = choose(write_runs(tmp_path, "yolo", shared, [0.9, 0.8, 0.1, 0.9, 0.7, 0.2], kind="baseline"))
    kinds = {group.kind for group in gallery.groups}
    assert kinds == {"pair_wins", "pair_failures", "wins", "joint_failures", "random_failures"}
    assert (gallery.label, gallery.against, gallery.seed) == ("yolo", None, None)
    assert groups_of(gallery, "wins")[0].num_found == 4
    assert groups_of(gallery, "pair_wins")[0].num_found == 1


def test_models_with_the_same_answers_have_no_wins_or_losses(tmp_path: Path) -> None:
    shared = sentences(list(range(20)))
    iou = [0.9, 0.1] * 10
    gallery = choose(write_runs(tmp_path, "a", shared, iou), write_runs(tmp_path, "b", shared, iou))
    assert [groups_of(gallery, kind)[0].num_found for kind in ("wins", "losses")] == [0, 0]
    assert len(shown(gallery, "joint_failures")) == 4
    assert (gallery.seed, gallery.against_seed) == (7, 7)


def test_a_dataset_without_images_has_no_examples(tmp_path: Path) -> None:
    shared = sentences(list(range(4)))
    gallery = choose(write_runs(tmp_path, "a", shared, [0.1] * 4), images_dir=None)
    assert (gallery.has_images, gallery.groups) == (False, [])


def verdict_with(rival: str | None) -> Verdict:
    return Verdict.model_validate(
        {
            "case": "no_hit" if rival is None else "outperforms",
            "best": "a",
            "rival": rival,
            "beaten": [],
            "open": [],
            "ahead": [],
            "possibly_too_small": False,
            "remarks": [],
        }
    )


def compared(**differences: float) -> list[Comparison]:
    """Of `a` with others."""
    return [
        Comparison.model_construct(
            label="a", against=label, difference=Interval(mean=difference, low=None, high=None)
        )
        for label, difference in differences.items()
    ]


@pytest.mark.parametrize(
    ("baseline", "rival", "expected"),
    [
        (None, "c", 2),
        ("b", "c", 1),
        ("a", "c", 2),  # The best is the baseline.
        ("upper bound", "c", 2),  # Not compared.
        (None, None, 3),  # The smallest difference.
    ],
)
def test_the_opponent_is_the_baseline_or_the_rival(
    baseline: str | None, rival: str | None, expected: int
) -> None:
    labels = ["a", "b", "c", "d"]
    comparisons = compared(b=0.3, c=0.2, d=-0.1)
    assert find_opponent(labels, baseline, verdict_with(rival), comparisons) == expected
    assert find_opponent(["a"], baseline, verdict_with(None), []) is None
