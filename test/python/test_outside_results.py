"""Figures of outside models: files of boxes, often without scores, alone or with models that were trained here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers import make_records, prepared, write_dataset
from made_splits import combine_params
from numpy.typing import NDArray

from cliprpn.contract.generated import (
    EndpointParams,
    EvaluatedTrial,
    OnlyList,
    SummarizeParams,
    Summary,
    TrialDataset,
    TrialGroup,
)
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.predictions import predictions_file, write_predictions
from cliprpn.figures.combine import combine
from cliprpn.figures.summarize import summarize
from cliprpn.metrics import RECALL_AT

NUM = 80  # Expressions of test, two an image.


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> DatasetIndex:
    folder = tmp_path_factory.mktemp("outside")
    return open_dataset(*prepared(write_dataset(folder / "data", *make_records(240)), folder))


def hits_with(misses: NDArray[np.int64] | range) -> NDArray[np.bool_]:
    hits = np.ones(NUM, dtype=bool)
    hits[misses] = False
    return hits


def write_run(
    folder: Path, index: DatasetIndex, hits: NDArray[np.bool_], is_trained: bool, seed: int
) -> EvaluatedTrial:
    """Boxes of an IoU of 0.8 or 0.2; a trained model has scores, other proposals and image-only answers, too."""
    rows = index.split("test")
    iou = np.where(hits, 0.8, 0.2)
    truth = index.gt_boxes[rows].astype(float)
    boxes = truth.copy()
    boxes[:, 2] = truth[:, 0] + (truth[:, 2] - truth[:, 0]) * iou
    area = (truth[:, 2:] - truth[:, :2]).prod(axis=1)
    columns = {
        "pred_box_xyxy": boxes,
        "iou": iou,
        "intersection": area * iou,
        "union": area,
        "pointing": hits,
    }
    if is_trained:
        columns |= {f"iou_at_{k}": np.maximum(iou, 0.5) for k in RECALL_AT[1:]}
        columns |= {"objectness": np.linspace(0.9, 0.5, NUM), "iou_blank": np.zeros(NUM)}
    folder.mkdir(parents=True)
    write_predictions(predictions_file(folder, "test"), index, rows, columns)
    return EvaluatedTrial(
        trial_id=f"{seed:016x}",
        seed=seed,
        val_acc_at_50=0.7 if is_trained else None,
        val_acc_by_epoch=[],
        predictions_dir=str(folder),
    )


def make_group(
    folder: Path, index: DatasetIndex, label: str, *runs: NDArray[np.bool_], kind: str = "results"
) -> TrialGroup:
    trials = [
        write_run(folder / label / str(seed), index, hits, kind == "cliprpn", seed)
        for seed, hits in enumerate(runs)
    ]
    repeats = "decoding" if kind == "results" and len(runs) > 1 else None
    values = {"label": label, "kind": kind, "is_upper_bound": False, "trials": trials, "repeats": repeats}
    return TrialGroup.model_validate({**values, "num_planned_seeds": len(runs)})


def dataset_of(index: DatasetIndex) -> TrialDataset:
    return TrialDataset(id=index.dataset_id, name="blocks", root=str(index.root), split_by="umd")


def summarize_on(folder: Path, index: DatasetIndex, *groups: TrialGroup, only: Path | None = None) -> Summary:
    (folder / "out").mkdir(exist_ok=True)
    listed = None if only is None else OnlyList(name="reviewed", file=str(only))
    return summarize(
        SummarizeParams(
            split="test",
            dataset=dataset_of(index),
            groups=list(groups),
            baseline=None,
            alpha=0.05,
            smallest_difference=None,
            out_dir=str(folder / "out"),
            cache_dir=str(folder / "cache"),
            only=listed,
        )
    )


def test_a_file_of_boxes_has_all_figures_of_boxes_and_none_of_scores(
    index: DatasetIndex, tmp_path: Path
) -> None:
    group = make_group(tmp_path, index, "a", hits_with(range(8)))
    (setting,) = summarize_on(tmp_path, index, group).settings
    figures = {figure.metric: figure.interval.mean for figure in setting.figures}
    assert set(figures) == {
        *(
            "acc_at_25",
            "acc_at_50",
            "acc_at_75",
            "acc_at_90",
            "macc",
            "miou",
            "oiou",
            "pointing",
            "recall_at_1",
        ),
    }
    assert figures["acc_at_50"] == figures["acc_at_75"] == pytest.approx(0.9)
    assert figures["miou"] == pytest.approx(0.9 * 0.8 + 0.1 * 0.2)
    assert figures["macc"] == pytest.approx(0.9 * 7 / 10)
    assert setting.blank is None and setting.calibration is None and setting.proposals is None
    assert (setting.population, setting.seed_sd, setting.repeats) == ("checkpoints", None, None)


def test_one_file_is_a_fixed_model_and_several_are_a_procedure(index: DatasetIndex, tmp_path: Path) -> None:
    runs = [hits_with(range(start, start + num)) for start, num in ((0, 8), (20, 16), (40, 24))]
    several = make_group(tmp_path, index, "several", *runs)
    one = make_group(tmp_path, index, "one", hits_with(range(0, 80, 2)))
    summary = summarize_on(tmp_path, index, several, one)
    settings = {setting.label: setting for setting in summary.settings}
    assert settings["several"].population == "procedure"
    assert settings["several"].repeats == "decoding"
    assert settings["several"].seed_sd == pytest.approx(np.std([0.9, 0.8, 0.7], ddof=1))
    assert settings["one"].population == "checkpoints"
    # Two fixed models are compared as they are: this is no comparison of single seeds.
    fixed = summarize_on(tmp_path, index, one, make_group(tmp_path, index, "better", hits_with(range(4))))
    assert fixed.comparisons[0].population == "checkpoints"
    assert fixed.verdict.case == "outperforms"
    (again,) = summary.comparisons
    assert again.population == "procedure"
    assert again.num_seeds_needed is not None


def test_the_best_of_files_is_chosen_here_so_that_all_pairs_are_a_family(
    index: DatasetIndex, tmp_path: Path
) -> None:
    groups = [
        make_group(tmp_path, index, label, hits_with(range(start, start + num)))
        for label, start, num in (("c", 0, 30), ("a", 30, 12), ("b", 45, 20))
    ]
    summary = summarize_on(tmp_path, index, *groups)
    assert summary.selection == "this_split"
    assert [setting.label for setting in summary.settings] == ["a", "b", "c"]
    assert summary.optimism is not None and summary.optimism > 0
    smallest = min(each.p_value for each in summary.comparisons)
    assert min(each.p_adjusted for each in summary.comparisons) == pytest.approx(3 * smallest)


@pytest.mark.parametrize("num_seeds", [1, 3])
def test_files_stand_beside_a_model_that_was_trained_here(
    index: DatasetIndex, tmp_path: Path, num_seeds: int
) -> None:
    """The trained one is chosen by no figure that the file lacks: the best of this split comes first."""
    file = make_group(tmp_path, index, "file", hits_with(range(4)))
    runs = [hits_with(range(k, 30 + k)) for k in range(num_seeds)]
    trained = make_group(tmp_path, index, "trained", *runs, kind="cliprpn")
    summary = summarize_on(tmp_path, index, trained, file)
    assert summary.selection == "this_split"
    assert [setting.label for setting in summary.settings] == ["file", "trained"]
    of_file, of_trained = summary.settings
    assert of_file.blank is None and of_trained.blank is not None
    assert of_file.calibration is None and of_trained.calibration is not None
    assert {"recall_at_5"} <= {figure.metric for figure in of_trained.figures}
    assert summary.verdict.case == ("checkpoints" if num_seeds == 1 else "outperforms")
    alone = summarize_on(tmp_path, index, trained)
    assert (alone.selection, alone.optimism) == ("val", None)


def test_one_endpoint_has_the_numbers_of_the_report_of_its_split(index: DatasetIndex, tmp_path: Path) -> None:
    runs = [hits_with(range(start, start + num)) for start, num in ((0, 8), (20, 16), (40, 24))]
    groups = [
        make_group(tmp_path, index, "several", *runs),
        make_group(tmp_path, index, "trained", *runs[::-1][:2], kind="cliprpn"),
        make_group(tmp_path, index, "one", hits_with(range(0, 80, 2))),
    ]
    summary = summarize_on(tmp_path, index, *groups)
    endpoint = EndpointParams(
        name="blocks:test", dataset=dataset_of(index), split="test", in_primary=True, groups=groups
    )
    combined = combine(combine_params(endpoint))
    assert [each.label for each in combined.settings] == [each.label for each in summary.settings]
    for one, other in zip(combined.settings, summary.settings, strict=True):
        acc = next(figure.interval for figure in other.figures if figure.metric == "acc_at_50")
        assert one.primary == acc == one.per_endpoint[0]
        assert one.population == other.population
    same = {"label", "against", "difference", "population", "p_value", "p_adjusted", "same_answers"}
    same |= {"detectable", "equivalent"}
    assert [each.model_dump(include=same) for each in combined.comparisons] == [
        each.model_dump(include=same) for each in summary.comparisons
    ]
    assert combined.optimism == summary.optimism
    assert combined.verdict.case == summary.verdict.case


def test_a_reviewed_list_has_figures_ranks_and_says_whether_the_order_changes(
    index: DatasetIndex, tmp_path: Path
) -> None:
    """`a` is right on what reviewers keep, `b` on what they drop; `c` and `d` are equal, by other seeds."""
    thirds = [hits_with(range(k * 20, k * 20 + 60)) for k in range(2)]
    groups = [
        make_group(tmp_path, index, "a", hits_with(range(50, 80))),
        make_group(tmp_path, index, "b", hits_with(range(20))),
        make_group(tmp_path, index, "c", *thirds, hits_with(range(60))),
        make_group(tmp_path, index, "d", hits_with(range(60)), *thirds),
    ]
    ids = index.sentences["sent_id"].take(index.split("test")).to_pylist()
    only = tmp_path / "reviewed.txt"
    only.write_text("sent_id\n" + "\n".join(map(str, ids[:40])) + "\n")
    reviewed = summarize_on(tmp_path, index, *groups, only=only).reviewed
    assert reviewed is not None
    assert (reviewed.name, reviewed.num_sentences, reviewed.num_images) == ("reviewed", 40, 20)
    ranks = {each.label: (each.rank_all, each.rank_reviewed) for each in reviewed.settings}
    assert ranks == {"a": (2, 1), "b": (1, 2), "c": (3, 3), "d": (3, 3)}
    accuracies = {each.label: each.acc_at_50.mean for each in reviewed.settings}
    assert accuracies["a"] == 1 and accuracies["b"] == 0.5
    assert all(each.acc_at_50.low is None for each in reviewed.settings)  # Of 20 images.
    assert reviewed.order_changes
    assert reviewed.comparisons == []
    only.write_text("sent_id\n" + "\n".join(map(str, ids)) + "\n")
    everything = summarize_on(tmp_path, index, *groups, only=only).reviewed
    assert everything is not None and not everything.order_changes
    assert {each.against for each in everything.comparisons} == {"a", "c", "d"}
    assert all(each.acc_at_50.low is not None for each in everything.settings)


def test_equal_models_share_a_rank_although_thirds_are_rounded(index: DatasetIndex, tmp_path: Path) -> None:
    """The same number of hits: of all runs on some expressions, or of one run on three times as many."""
    whole, thirds = (np.tile(np.arange(NUM) < 3, (3, 1)) for _ in range(2))
    whole[:, 3:5] = True
    thirds[0, 3:9] = True
    groups = [
        make_group(tmp_path, index, label, *runs) for label, runs in (("whole", whole), ("thirds", thirds))
    ]
    ids = index.sentences["sent_id"].take(index.split("test")).to_pylist()
    only = tmp_path / "reviewed.txt"
    only.write_text("sent_id\n" + "\n".join(map(str, ids)) + "\n")
    reviewed = summarize_on(tmp_path, index, *groups, only=only).reviewed
    assert reviewed is not None
    assert [(each.rank_all, each.rank_reviewed) for each in reviewed.settings] == [(1, 1), (1, 1)]


def test_the_hits_by_other_conventions_are_those_counted_by_hand(index: DatasetIndex, tmp_path: Path) -> None:
    """Truth is 40.5 x 30.25 pixels. Of four kinds of boxes, each is a hit by some conventions only."""
    rows = index.split("test")
    truth = index.gt_boxes[rows].astype(float)
    boxes = truth.copy()
    kinds = np.arange(NUM) % 4
    # Exactly half of the width: 0.5, with the last pixel (21.25 x 31.25) / (41.5 x 31.25) = 0.51.
    boxes[kinds == 0, 2] = truth[kinds == 0, 0] + 20.25
    # A bit less: 20.2 / 40.5 = 0.499; with the last pixel 21.2 / 41.5 = 0.511; rounded 20 / 40.5 = 0.49.
    boxes[kinds == 1, 2] = truth[kinds == 1, 0] + 20.2
    # 19.6 / 40.5 = 0.484; with the last pixel 20.6 / 41.5 = 0.496; rounded 20 / 40.5 and a height of 30 of 30.25.
    boxes[kinds == 2, 2] = truth[kinds == 2, 0] + 19.6
    # No answer is no hit by any of them, though with its last pixel it would have an area.
    boxes[kinds == 3] = 0
    width = boxes[:, 2] - boxes[:, 0]
    iou = np.where(kinds == 3, 0, width / 40.5)
    folder = tmp_path / "run"
    folder.mkdir()
    area = (truth[:, 2:] - truth[:, :2]).prod(axis=1)
    columns = {"pred_box_xyxy": boxes, "iou": iou, "intersection": area * iou, "union": area}
    write_predictions(predictions_file(folder, "test"), index, rows, {**columns, "pointing": iou > 0.4})
    trial = EvaluatedTrial(
        trial_id="0" * 16, seed=0, val_acc_at_50=None, val_acc_by_epoch=[], predictions_dir=str(folder)
    )
    group = TrialGroup(label="a", kind="results", is_upper_bound=False, trials=[trial], num_planned_seeds=1)
    (setting,) = summarize_on(tmp_path, index, group).settings
    assert setting.conventions is not None
    accuracy = next(figure.interval.mean for figure in setting.figures if figure.metric == "acc_at_50")
    assert accuracy == 0.25
    assert {each.convention: each.acc_at_50 for each in setting.conventions} == {
        "plus_one_pixel": 0.5,
        "above": 0.0,
        "rounded": 0.0,
    }
