"""Figures of a sweep from its trials' predictions: seeds, intervals, differences, floors, examples."""

from __future__ import annotations

import json
import shutil
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import HEIGHT, WIDTH, make_records, prepared, write_dataset

from cliprpn.contract.generated import (
    Case,
    EvaluatedTrial,
    Gallery,
    SummarizeParams,
    Summary,
    TrialDataset,
    TrialGroup,
)
from cliprpn.data import index as index_module
from cliprpn.data.index import DatasetIndex, open_dataset, read_facts
from cliprpn.data.predictions import PredictionColumns, predictions_file, write_predictions
from cliprpn.data.read_predictions import read_numbers, read_predictions
from cliprpn.errors import CliprpnError
from cliprpn.figures import expressions as expressions_module
from cliprpn.figures import runs as runs_module
from cliprpn.figures import summarize as summarize_module
from cliprpn.figures.error_classes import ERROR_CLASSES, split_objects
from cliprpn.figures.error_summary import error_examples, error_summary
from cliprpn.figures.floors import fit_constant_box
from cliprpn.figures.runs import Runs
from cliprpn.figures.setting_figures import SettingFigures, setting_figures
from cliprpn.figures.split_table import read_split_table
from cliprpn.figures.summarize import summarize

# IoU of each sentence: three images of test, each with a relational pair.
BEST = [[0.9, 0.8, 0.7, 0.6, 0.9, 0.1], [0.9, 0.8, 0.7, 0.2, 0.9, 0.6]]
OTHER = [[0.9, 0.1, 0.7, 0.1, 0.1, 0.1], [0.9, 0.2, 0.1, 0.2, 0.0, 0.6]]
RUNS = {"best": BEST[0], "other": OTHER[0]}


@pytest.fixture
def index(tmp_path: Path) -> DatasetIndex:
    instances, refs = make_records(18)
    for ref in refs:
        first, second = ref["sentences"]
        first |= {"stratum": "relation", "pair_id": ref["ref_id"]}
        second |= {"stratum": "attribute" if ref["ref_id"] % 4 == 2 else "relation", "pair_id": ref["ref_id"]}
    root = write_dataset(tmp_path / "data", instances, refs)
    return open_dataset(*prepared(root, tmp_path))


def write_trial(
    folder: Path, index: DatasetIndex, seed: int, ious: list[float], rows: np.ndarray | None = None
) -> EvaluatedTrial:
    """Predictions on test with these IoUs. Returns the trial, whose Acc@0.5 on val is that on test."""
    folder.mkdir(parents=True)
    rows = index.split("test") if rows is None else rows
    iou = np.array(ious)
    boxes = index.gt_boxes[rows].astype(float)
    boxes[:, 2] = boxes[:, 0] + (boxes[:, 2] - boxes[:, 0]) * iou
    predictions = {
        "pred_box_xyxy": boxes,
        "objectness": np.linspace(0.9, 0.5, len(iou)).astype(np.float32),
        "iou": iou,
        "intersection": iou * 100,
        "union": np.full(len(iou), 100.0),
        "pointing": iou > 0.3,
        "iou_at_5": np.maximum(iou, 0.5),
        "iou_at_10": np.maximum(iou, 0.5),
        "iou_at_100": np.ones(len(iou)),
        "iou_blank": np.array([0.6, 0.6, 0.0, 0.0, 0.0, 0.0]),
    }
    write_predictions(predictions_file(folder, "test"), index, rows, predictions)
    return EvaluatedTrial(
        trial_id=f"{seed:016x}",
        seed=seed,
        val_acc_at_50=float((iou >= 0.5).mean()),
        val_acc_by_epoch=[],
        predictions_dir=str(folder),
    )


def write_baseline(folder: Path, index: DatasetIndex, ious: list[float]) -> EvaluatedTrial:
    """A baseline with one run; a better box than the one ranked first is among its boxes."""
    trial = write_trial(folder, index, 0, ious)
    path = predictions_file(folder, "test")
    table = pq.read_table(path)
    best = np.maximum(ious, 0.5)
    columns = {f"proposal_iou_at_{k}": np.array(ious) for k in (1, 5, 10)}
    columns |= {"proposal_iou_at_100": best, "proposal_iou_best": best, "num_boxes": np.full(len(best), 3)}
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values))
    pq.write_table(table, path)
    return trial


def group_of(
    label: str, *trials: EvaluatedTrial, kind: str = "cliprpn", is_upper_bound: bool = False
) -> TrialGroup:
    values = {"label": label, "kind": kind, "is_upper_bound": is_upper_bound, "trials": trials}
    values["num_planned_seeds"] = len(trials)
    return TrialGroup.model_validate(values)


def summarize_on(
    index: DatasetIndex, *groups: TrialGroup, split: str = "test", cache: Path | None = None
) -> Summary:
    return summarize(params_of(index, list(groups), split, cache or index.root / "cache"))


def params_of(index: DatasetIndex, groups: list[TrialGroup], split: str, cache: Path) -> SummarizeParams:
    facts = read_facts(index.root)
    dataset = TrialDataset(id=index.dataset_id, name="blocks", root=str(index.root), split_by=facts.split_by)
    (cache / "out").mkdir(parents=True, exist_ok=True)
    values = {"split": split, "dataset": dataset, "groups": groups, "baseline": None, "alpha": 0.05}
    folders = {"out_dir": str(cache / "out"), "cache_dir": str(cache)}
    return SummarizeParams.model_validate({**values, **folders, "smallest_difference": None})


def summary_of(index: DatasetIndex, tmp_path: Path) -> Summary:
    groups = []
    for label, runs in (("fusion=other", OTHER), ("fusion=best", BEST)):
        trials = [
            write_trial(tmp_path / f"{label}-{seed}", index, seed, run) for seed, run in enumerate(runs)
        ]
        groups.append(group_of(label, *trials))
    return summarize_on(index, *groups)


def test_the_deviation_of_seeds_is_that_of_their_accuracies(index: DatasetIndex, tmp_path: Path) -> None:
    runs = [[0.9] * 3 + [0.1] * 3, [0.9] * 4 + [0.1] * 2, [0.9] * 6]
    trials = [write_trial(tmp_path / str(seed), index, seed, run) for seed, run in enumerate(runs)]
    (setting,) = summarize_on(index, group_of("film", *trials)).settings
    assert setting.seed_sd == pytest.approx(np.std([3 / 6, 4 / 6, 6 / 6], ddof=1))


def test_settings_are_sorted_best_first_with_a_figure_per_seed(index: DatasetIndex, tmp_path: Path) -> None:
    summary = summary_of(index, tmp_path)
    assert summary.schema_version == 2
    assert [setting.trial_ids for setting in summary.settings] == [["0" * 16, f"{1:016x}"]] * 2
    assert (summary.num_sentences, summary.num_images) == (6, 3)
    assert [setting.label for setting in summary.settings] == ["fusion=best", "fusion=other"]
    figures = {figure.metric: figure for figure in summary.settings[0].figures}
    acc = figures["acc_at_50"]
    assert [(figure.seed, figure.value) for figure in acc.per_seed] == [(0, 5 / 6), (1, 5 / 6)]
    assert acc.interval.mean == pytest.approx(5 / 6)
    assert (acc.interval.low, acc.interval.high) == (None, None)  # There are only three images.
    assert figures["miou"].interval.mean == pytest.approx(np.mean(BEST))
    assert figures["oiou"].interval.mean == pytest.approx(np.mean(BEST))  # All unions are equal here.
    assert figures["pointing"].interval.mean == pytest.approx(np.mean(np.array(BEST) > 0.3))
    pairs = figures["pair_accuracy"]
    assert [figure.value for figure in pairs.per_seed] == [2 / 3, 2 / 3]


def test_settings_are_sorted_by_val_for_every_split(index: DatasetIndex, tmp_path: Path) -> None:
    """On test, `other` beats the setting that val selects; it stays second, and the difference is negative."""
    groups = []
    for label, runs, on_val in (("other", BEST, [0.9, 0.3]), ("chosen", OTHER, [0.7, 0.6])):
        trials = [
            write_trial(tmp_path / f"{label}-{seed}", index, seed, run) for seed, run in enumerate(runs)
        ]
        trials = [
            trial.model_copy(update={"val_acc_at_50": acc}) for trial, acc in zip(trials, on_val, strict=True)
        ]
        groups.append(group_of(label, *trials))
    summary = summarize_on(index, *groups)
    assert [setting.label for setting in summary.settings] == ["chosen", "other"]
    (comparison,) = summary.comparisons
    assert (comparison.label, comparison.against) == ("chosen", "other")
    assert comparison.difference.mean < 0
    assert (summary.gallery.label, summary.gallery.against) == ("chosen", "other")


def test_a_baseline_is_compared_with_the_mean_over_seeds(index: DatasetIndex, tmp_path: Path) -> None:
    trained = [write_trial(tmp_path / f"best-{seed}", index, seed, run) for seed, run in enumerate(BEST)]
    baseline = group_of("yolo", write_baseline(tmp_path / "yolo", index, OTHER[0]), kind="baseline")
    summary = summarize_on(index, baseline, group_of("best", *trained))
    best, yolo = summary.settings
    assert (best.kind, best.proposals, yolo.kind) == ("cliprpn", None, "baseline")
    assert yolo.proposals is not None
    assert (yolo.proposals.lost_by_ranking.mean, yolo.proposals.mean_num_boxes) == (pytest.approx(4 / 6), 3)
    (comparison,) = summary.comparisons
    assert (comparison.label, comparison.against) == ("best", "yolo")
    assert comparison.difference.mean == pytest.approx(5 / 6 - 2 / 6)


def test_an_upper_bound_is_not_compared(index: DatasetIndex, tmp_path: Path) -> None:
    """With the annotated boxes it would be the best of every sweep."""
    bound = write_baseline(tmp_path / "gt", index, [0.9] * 6)
    upper_bound = group_of("gt", bound, kind="baseline", is_upper_bound=True)
    trained = write_trial(tmp_path / "trained", index, 0, BEST[0])
    weaker = write_trial(tmp_path / "weaker", index, 0, OTHER[0])
    summary = summarize_on(index, upper_bound, group_of("weaker", weaker), group_of("trained", trained))
    assert [setting.label for setting in summary.settings] == ["trained", "weaker", "gt"]
    assert [comparison.against for comparison in summary.comparisons] == ["weaker"]
    assert (summary.gallery.label, summary.gallery.against) == ("trained", "weaker")
    alone = summarize_on(index, upper_bound.model_copy(update={"label": "other"}), upper_bound)
    assert [(comparison.label, comparison.against) for comparison in alone.comparisons] == [("gt", "other")]


def test_the_difference_is_paired_by_sentence(index: DatasetIndex, tmp_path: Path) -> None:
    (difference,) = summary_of(index, tmp_path).comparisons
    assert (difference.label, difference.against) == ("fusion=best", "fusion=other")
    hits = [(np.array(runs) >= 0.5).mean(axis=0) for runs in (BEST, OTHER)]
    assert difference.difference.mean == pytest.approx((hits[0] - hits[1]).mean())


def test_subsets_have_figures(index: DatasetIndex, tmp_path: Path) -> None:
    best = summary_of(index, tmp_path).settings[0]
    sizes = {subset.stratum: (subset.num_sentences, subset.num_pairs) for subset in best.strata}
    assert sizes == {"attribute": (1, 0), "relation": (5, 2)}
    assert {breakdown.by for breakdown in best.breakdowns} >= {"stratum", "area_tercile", "sentence_length"}


def test_floors_are_computed_on_the_split(index: DatasetIndex, tmp_path: Path) -> None:
    summary = summary_of(index, tmp_path)
    floors = {floor.name: floor for floor in summary.floors}
    test, train = (index.gt_boxes[index.split(name)].astype(float) for name in ("test", "train"))
    size = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT])
    area = (test[:, 2] - test[:, 0]) * (test[:, 3] - test[:, 1])
    assert floors["whole_image"].miou.mean == pytest.approx((area / (WIDTH * HEIGHT)).mean(), abs=1e-6)
    constant = fit_constant_box(train / size) * size
    low, high = np.maximum(constant[:2], test[:, :2]), np.minimum(constant[2:], test[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    iou = shared / (area + (constant[2:] - constant[:2]).prod() - shared)
    assert floors["constant_box"].miou.mean == pytest.approx(iou.mean(), abs=1e-6)
    assert floors["constant_box"].acc_at_50.mean == pytest.approx((iou >= 0.5).mean())
    blank = summary.settings[0].blank
    assert blank.acc_at_50.mean == pytest.approx(2 / 6)
    assert blank.difference.mean == pytest.approx(5 / 6 - 2 / 6)


def test_without_a_train_split_no_constant_box_is_fitted(tmp_path: Path) -> None:
    instances, refs = make_records(18)
    test_refs = [ref for ref in refs if ref["split"] == "test"]
    root = write_dataset(tmp_path / "data", instances, test_refs)
    index = open_dataset(*prepared(root, tmp_path))
    trial = write_trial(tmp_path / "trial", index, 0, BEST[0])
    floors = [floor.name for floor in summarize_on(index, group_of("a", trial)).floors]
    assert floors == ["whole_image"]


def test_the_gallery_shows_the_images_of_the_dataset(index: DatasetIndex, tmp_path: Path) -> None:
    gallery = summary_of(index, tmp_path).gallery
    assert (gallery.label, gallery.against, gallery.has_images) == ("fusion=best", "fusion=other", True)
    cases = cases_of(gallery)
    assert all(Path(case.image_file).is_file() and not case.upright for case in cases)
    assert all(
        [prediction.label for prediction in case.predictions] == ["fusion=best", "fusion=other"]
        for case in cases
    )


def cases_of(gallery: Gallery) -> list[Case]:
    return [case for group in gallery.groups for example in group.examples for case in example.cases]


def test_error_classes_are_means_over_seeds(index: DatasetIndex, tmp_path: Path) -> None:
    for setting in summary_of(index, tmp_path).settings:
        by_name = {each.error_class: each for each in setting.error_classes}
        assert list(by_name) == list(ERROR_CLASSES)
        assert sum(each.num_sentences for each in by_name.values()) == 6
        accuracy = next(figure for figure in setting.figures if figure.metric == "acc_at_50")
        assert by_name["hit"].fraction == accuracy.interval
        assert by_name["hit"].sent_ids == []
    # Of "other": an IoU of 0 is an empty box.
    counts = {name: each.num_sentences for name, each in by_name.items() if each.num_sentences > 0}
    assert counts == {"hit": 2, "loose_box": 3.5, "no_answer": 0.5}
    assert by_name["loose_box"].sent_ids == [9, 21, 32]  # One per image, the highest score first.
    assert by_name["no_answer"].sent_ids == []  # Only in the second seed.


def test_examples_of_errors_show_no_image_twice(index: DatasetIndex, tmp_path: Path) -> None:
    trial = write_trial(tmp_path / "mixed", index, 0, [0.0, 0.2, 0.2, 0.0, 0.3, 0.9])
    runs = Runs(group_of("mixed", trial), "test")
    table = read_split_table(runs.files[0], "test")
    classes = error_summary(runs, table, split_objects(index, table.sent_id), 0.95)
    folder = tmp_path / "images"

    def chosen(*shown_elsewhere: int) -> dict[str, int]:
        examples = error_examples(classes, runs, table, folder, shown_elsewhere)
        return {example.error_class: example.sent_id for example in examples}

    assert chosen() == {"loose_box": 9, "no_answer": 21}
    assert chosen(8) == {"loose_box": 20}  # Then no empty box is left that has an image of its own.
    assert chosen(8, 20, 32) == {}
    (example, _) = error_examples(classes, runs, table, folder, ())
    assert (example.iou, example.gt_box_xyxy) == (0.2, table.gt_box_xyxy[1].tolist())
    assert example.image_file == str(folder / table.image_file[1])
    assert error_examples(classes, runs, table, None, ()) == []


def test_settings_with_different_sentences_are_rejected(index: DatasetIndex, tmp_path: Path) -> None:
    rows = index.split("test")
    first = write_trial(tmp_path / "first", index, 0, BEST[0])
    second = write_trial(tmp_path / "second", index, 0, [0.1] * 6, rows[::-1].copy())
    with pytest.raises(CliprpnError, match=r"^b: ") as caught:
        summarize_on(index, group_of("a", first), group_of("b", second))
    assert caught.value.code == "data_invalid"
    with pytest.raises(CliprpnError, match="evaluate that split first") as caught:
        summarize_on(index, group_of("a", first), split="val")
    assert caught.value.code == "not_found"


def test_a_changed_dataset_is_rejected(index: DatasetIndex, tmp_path: Path) -> None:
    trial = write_trial(tmp_path / "trial", index, 0, BEST[0])
    params = params_of(index, [group_of("a", trial)], "test", tmp_path)
    facts = json.loads((index.root / "dataset.json").read_text())
    (index.root / "dataset.json").write_text(json.dumps(facts | {"id": "other"}))
    index_module._opened.clear()  # Like a new process.
    with pytest.raises(CliprpnError, match="has changed") as caught:
        summarize(params)
    assert caught.value.code == "data_invalid"


def test_each_example_records_whether_it_is_upright(index: DatasetIndex, tmp_path: Path) -> None:
    turned = [number == 4 for number in range(index.images.num_rows)]
    place = index.images.schema.get_field_index("upright")
    images = index.images.set_column(place, "upright", [turned])
    trial = write_trial(tmp_path / "trial", replace(index, images=images), 0, BEST[0])
    gallery = summarize_on(index, group_of("a", trial)).gallery
    upright = {Path(case.image_file).name: case.upright for case in cases_of(gallery)}
    names = {f"COCO_train2014_{number:012d}.png": number == 4 for number in (4, 10, 16)}
    assert upright == names


def test_predictions_name_their_version_and_those_of_a_newer_one_are_refused(
    index: DatasetIndex, tmp_path: Path
) -> None:
    write_trial(tmp_path / "trial", index, 0, BEST[0])
    path = predictions_file(tmp_path / "trial", "test")
    table = pq.read_table(path)
    assert table.schema.metadata[b"schema_version"] == b"1"
    pq.write_table(table.replace_schema_metadata(None), path)
    assert len(read_predictions(path)["iou"]) == 6
    pq.write_table(table.replace_schema_metadata({"schema_version": "2"}), path)
    with pytest.raises(CliprpnError, match=r"expected version 1 .*found 2") as caught:
        read_predictions(path)
    assert caught.value.code == "bad_input"


def test_the_predictions_in_memory_do_not_grow_with_the_settings(
    index: DatasetIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read, and not yet freed, at the same time."""
    columns: list[weakref.ref[np.ndarray]] = []
    num_alive: list[int] = []

    def read(path: Path, names: tuple[str, ...]) -> PredictionColumns:
        numbers = read_numbers(path, names)
        if "iou" in names:
            columns.append(weakref.ref(numbers["iou"]))
            num_alive.append(sum(column() is not None for column in columns))
        return numbers

    monkeypatch.setattr(runs_module, "read_numbers", read)
    groups = [
        group_of(str(number), write_trial(tmp_path / str(number), index, 0, OTHER[0])) for number in range(20)
    ]
    assert len(summarize_on(index, *groups).settings) == 20
    assert len(num_alive) >= 20
    assert max(num_alive) <= 3  # The best, the one before, and the next.


def test_figures_of_unchanged_predictions_are_kept(
    index: DatasetIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []

    def compute(runs: Runs, *args: object) -> SettingFigures:
        computed.append(runs.group.label)
        return setting_figures(runs, *args)

    monkeypatch.setattr(summarize_module, "setting_figures", compute)
    trials = {name: write_trial(tmp_path / name, index, 0, ious) for name, ious in RUNS.items()}
    groups = [group_of(name, trial) for name, trial in trials.items()]
    first = summarize_on(index, *groups)
    assert sorted(computed) == ["best", "other"]
    computed.clear()
    assert summarize_on(index, *groups) == first
    assert computed == []
    # Only the new configuration and a damaged file are computed again.
    kept = sorted((index.root / "cache/figures").iterdir())
    kept[0].write_bytes(kept[0].read_bytes()[:-40])
    added = group_of("new", write_trial(tmp_path / "new", index, 0, OTHER[1]))
    summarize_on(index, *groups, added)
    assert len(computed) == 2
    assert "new" in computed
    # Other predictions at the same place are other figures.
    computed.clear()
    shutil.rmtree(tmp_path / "other")
    write_trial(tmp_path / "other", index, 0, BEST[1])
    assert summarize_on(index, *groups) != first
    assert computed == ["other"]


def test_the_order_of_configurations_and_seeds_changes_nothing(index: DatasetIndex, tmp_path: Path) -> None:
    trials = {
        name: [write_trial(tmp_path / f"{name}-{seed}", index, seed, run) for seed, run in enumerate(runs)]
        for name, runs in (("best", BEST), ("other", OTHER))
    }
    groups = [group_of(name, *runs) for name, runs in trials.items()]
    turned = [group_of(name, *runs) for name, runs in reversed(trials.items())]
    assert summarize_on(index, *groups) == summarize_on(index, *turned)


def broken_tables(good: pa.Table) -> dict[str, pa.Table]:
    texts = pa.array(["x"] * len(good))
    return {
        "missing column": good.drop_columns(["iou"]),
        "text for numbers": good.set_column(good.column_names.index("iou"), "iou", texts),
        "absolute path": good.set_column(
            good.column_names.index("image_file"), "image_file", pa.array(["/etc/motd.png"] * len(good))
        ),
        "path out of the folder": good.set_column(
            good.column_names.index("image_file"), "image_file", pa.array(["../../a.png"] * len(good))
        ),
        "boxes of three numbers": good.set_column(
            good.column_names.index("pred_box_xyxy"), "pred_box_xyxy", pa.array([[1.0, 2.0, 3.0]] * len(good))
        ),
        "no width": good.set_column(
            good.column_names.index("width"), "width", pa.nulls(len(good), pa.int64())
        ),
        "an IoU that is no number": good.set_column(
            good.column_names.index("iou"), "iou", pa.array([np.nan, *[0.5] * (len(good) - 1)])
        ),
    }


def test_a_flipped_bit_of_the_predictions_is_found(tmp_path: Path, index: DatasetIndex) -> None:
    write_trial(tmp_path / "trial", index, 0, BEST[0])
    path = predictions_file(tmp_path / "trial", "test")
    group = pq.read_metadata(path).row_group(0)
    chunks = [group.column(number) for number in range(group.num_columns)]
    [chunk] = [chunk for chunk in chunks if chunk.path_in_schema == "iou"]
    content = bytearray(path.read_bytes())
    # The end of the chunk is in the data of its last page.
    content[chunk.dictionary_page_offset + chunk.total_compressed_size - 1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CliprpnError) as caught:
        read_numbers(path, ("iou",))
    assert caught.value.code == "data_invalid"


def test_broken_predictions_are_an_error_that_names_the_file(tmp_path: Path, index: DatasetIndex) -> None:
    write_trial(tmp_path / "good", index, 0, BEST[0])
    path = predictions_file(tmp_path / "good", "test")
    good, content = pq.read_table(path), path.read_bytes()
    for name, table in broken_tables(good).items():
        pq.write_table(table, path)
        with pytest.raises(CliprpnError, match=str(path)) as raised:
            read_predictions(path)
        assert raised.value.code == "data_invalid", name
    for damaged in (b"", b"no table", content[:-30], content[:40] + b"\0" * 200 + content[240:]):
        path.write_bytes(damaged)
        with pytest.raises(CliprpnError, match=str(path)) as raised:
            read_predictions(path)
        assert raised.value.code == "data_invalid"


@pytest.mark.parametrize("name", ["upright", "iou_blank", "objectness", "union", "image_file", "sent_id"])
def test_predictions_of_an_earlier_format_are_refused_with_the_missing_column(
    tmp_path: Path, index: DatasetIndex, name: str
) -> None:
    trial = write_trial(tmp_path / "old", index, 0, BEST[0])
    path = predictions_file(tmp_path / "old", "test")
    pq.write_table(pq.read_table(path).drop_columns([name]), path)
    with pytest.raises(CliprpnError, match=rf"^{path}: .*column {name}, found none.*evaluate") as caught:
        summarize_on(index, group_of("a", trial))
    assert caught.value.code == "data_invalid"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.slice(1), r"5 in place of 6"),
        (lambda table: table.take([1, 0, 2, 3, 4, 5]), r"another sent_id in 2 of 6 rows, first in row 1"),
        (lambda table: changed(table, "sent_id", lambda value: value + 1000), r"another sent_id in 6 of 6"),
        (lambda table: changed(table, "image_id", lambda value: value + 1), r"another image in 6 of 6"),
        (
            lambda table: changed(table, "gt_box_xyxy", lambda box: [box[0] + 1, *box[1:]]),
            r"another ground truth in 6 of 6",
        ),
    ],
)
def test_predictions_for_other_expressions_are_refused_with_what_differs(
    tmp_path: Path, index: DatasetIndex, change: Callable[[pa.Table], pa.Table], message: str
) -> None:
    """As those of another machine may be, whose dataset has the same id."""
    trials = [write_trial(tmp_path / name, index, 0, BEST[0]) for name in ("a", "b")]
    path = predictions_file(tmp_path / "b", "test")
    pq.write_table(change(pq.read_table(path)), path)
    with pytest.raises(CliprpnError, match=rf"^b: .*as a, found {message}") as caught:
        summarize_on(index, group_of("a", trials[0]), group_of("b", trials[1]))
    assert caught.value.code == "data_invalid"


def changed(table: pa.Table, name: str, change: Callable[[Any], Any]) -> pa.Table:
    values = pa.array([change(value) for value in table[name].to_pylist()], table.schema.field(name).type)
    return table.set_column(table.column_names.index(name), name, values)


def test_each_expression_has_a_row_with_the_results_of_each_configuration(
    index: DatasetIndex, tmp_path: Path
) -> None:
    summary_of(index, tmp_path)
    table = pq.read_table(index.root / "cache/out/expressions.parquet")
    facts = json.loads(table.schema.metadata[b"cliprpn"])
    assert facts == {
        "schema_version": 1,
        "split": "test",
        "labels": ["fusion=best", "fusion=other"],
        "labels_without_iou": [],
    }
    assert table["mean_hit/fusion=best"].to_pylist() == [1, 1, 1, 0.5, 1, 0.5]
    assert table["iou/fusion=other"].to_pylist() == pytest.approx(OTHER[0])
    rows = index.sentences.take(pa.array(index.split("test")))
    for name in ("sent_id", "sentence", "category"):
        assert table[name].to_pylist() == rows[name].to_pylist()
    assert table["subset_stratum"].to_pylist() == rows["stratum"].to_pylist()
    assert set(table["subset_sentence_length"].to_pylist()) <= {"5 or fewer", "6 to 10", "11 or more"}
    described = json.loads(table.schema.field("mean_hit/fusion=best").metadata[b"cliprpn"])
    assert described["trials"] == [{"trial_id": f"{seed:016x}", "seed": seed} for seed in (0, 1)]


def test_with_many_configurations_the_ious_of_the_last_ones_are_left_out(
    index: DatasetIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expressions_module, "MAX_IOU_COLUMNS", 1)
    summary_of(index, tmp_path)
    table = pq.read_table(index.root / "cache/out/expressions.parquet")
    assert [name for name in table.column_names if "/" in name] == [
        "mean_hit/fusion=best",
        "mean_hit/fusion=other",
        "iou/fusion=best",
    ]
    assert json.loads(table.schema.metadata[b"cliprpn"])["labels_without_iou"] == ["fusion=other"]


def test_a_missing_column_is_named_in_one_line(index: DatasetIndex, tmp_path: Path) -> None:
    trial = write_trial(tmp_path / "0", index, 0, BEST[0])
    path = predictions_file(tmp_path / "0", "test")
    pq.write_table(pq.read_table(path).drop_columns(["iou_blank"]), path)
    with pytest.raises(CliprpnError, match=r"^[^\n]*iou_blank[^\n]*$") as caught:
        summarize_on(index, group_of("film", trial))
    assert caught.value.code == "data_invalid"
