"""The expressions and answers that REPORT.html shows one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_summarize import BEST, OTHER, group_of, index, write_baseline, write_trial

from cliprpn.contract.generated import Explorer, TrialGroup
from cliprpn.data.index import DatasetIndex
from cliprpn.data.predictions import predictions_file
from cliprpn.data.read_predictions import read_predictions
from cliprpn.figures.error_classes import ERROR_CLASSES, split_objects
from cliprpn.figures.explorer import MAX_SETTINGS, choose_shown, make_explorer
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable, read_split_table
from cliprpn.figures.subsets import find_subsets

__all__ = ["index"]  # The fixture.


def explorer_of(index: DatasetIndex, tmp_path: Path) -> tuple[Explorer, SplitTable]:
    groups = []
    for label, ious in (("best", BEST), ("other", OTHER)):
        trials = [
            write_trial(tmp_path / f"{label}-{seed}", index, seed, run)
            for seed, run in enumerate(ious, start=3)
        ]
        groups.append(group_of(label, *trials))
    return explore(index, groups)


def explore(index: DatasetIndex, groups: list[TrialGroup]) -> tuple[Explorer, SplitTable]:
    runs = [Runs(group, "test") for group in groups]
    table = read_split_table(runs[0].files[0], "test")
    objects = split_objects(index, table.sent_id)
    return make_explorer(table, find_subsets(table), objects, runs, None, Path("/images")), table


def test_columns_have_the_values_of_the_first_seed(index: DatasetIndex, tmp_path: Path) -> None:
    explorer, table = explorer_of(index, tmp_path)
    assert [(setting.label, setting.seed) for setting in explorer.settings] == [("best", 3), ("other", 3)]
    assert explorer.error_classes == list(ERROR_CLASSES)
    assert (explorer.num_settings, explorer.split, explorer.images_dir) == (2, "test", "/images")
    for setting, ious in zip(explorer.settings, (BEST, OTHER), strict=True):
        assert setting.iou == ious[0]
        # The boxes are in the object that is referred to, so that every miss is a loose box.
        names = [explorer.error_classes[code] for code in setting.error_class]
        assert names == ["hit" if iou >= 0.5 else "loose_box" for iou in ious[0]]
        written = read_predictions(predictions_file(tmp_path / f"{setting.label}-3", "test"))
        boxes = np.array(setting.pred_box_xyxy).reshape(-1, 4)
        np.testing.assert_allclose(boxes, written["pred_box_xyxy"], atol=0.05)
        np.testing.assert_allclose(setting.score, np.array(written["objectness"], dtype=float), rtol=1e-3)
    columns = explorer.expressions
    assert columns.sent_id == table.sent_id.tolist()
    assert columns.sentence == table.sentence.tolist()
    np.testing.assert_allclose(np.array(columns.gt_box_xyxy).reshape(-1, 4), table.gt_box_xyxy, atol=0.05)


def test_each_image_is_listed_once(index: DatasetIndex, tmp_path: Path) -> None:
    explorer, table = explorer_of(index, tmp_path)
    assert len(explorer.images.file) == table.groups.num_images == 3
    assert [explorer.images.file[image] for image in explorer.expressions.image] == list(table.image_file)
    assert [explorer.images.width[image] for image in explorer.expressions.image] == table.width.tolist()


def test_groups_of_a_subset_name_every_row_once(index: DatasetIndex, tmp_path: Path) -> None:
    explorer, table = explorer_of(index, tmp_path)
    division = {each.by: each for each in explorer.subsets}
    strata = division["stratum"]
    assert [strata.groups[group] for group in strata.group] == list(table.stratum)
    for by in ("area_tercile", "sentence_length", "num_same_category"):
        assert min(division[by].group) >= 0
    assert "category" not in division  # All objects have the same one.
    several = replace(table, category=np.array(["cup", "", "plate"] * 2, dtype=object))
    objects = split_objects(index, table.sent_id)
    runs = Runs(group_of("best", write_trial(tmp_path / "again", index, 0, BEST[0])), "test")
    categories = make_explorer(several, [], objects, [runs], None, None).subsets[0]
    assert [categories.groups[group] for group in categories.group] == ["cup", "unknown", "plate"] * 2


def test_a_baseline_has_no_seed_and_may_find_nothing(index: DatasetIndex, tmp_path: Path) -> None:
    trial = write_baseline(tmp_path / "detector", index, BEST[1])
    path = predictions_file(tmp_path / "detector", "test")
    predictions = pq.read_table(path)
    found = pa.array([3, 3, 3, 0, 3, 3])
    pq.write_table(
        predictions.set_column(predictions.column_names.index("num_boxes"), "num_boxes", found), path
    )
    explorer, _ = explore(index, [group_of("detector", trial, kind="baseline")])
    assert explorer.settings[0].seed is None
    assert explorer.error_classes[explorer.settings[0].error_class[3]] == "no_answer"


@pytest.mark.parametrize(
    ("num_settings", "baseline", "expected"),
    [
        (3, None, [0, 1, 2]),
        (3, "s1", [0, 1, 2]),
        (40, None, list(range(MAX_SETTINGS))),
        (40, "s30", [*range(MAX_SETTINGS - 1), 30]),
        (40, "gone", list(range(MAX_SETTINGS))),
    ],
)
def test_the_first_settings_and_the_declared_baseline_are_shown(
    num_settings: int, baseline: str | None, expected: list[int]
) -> None:
    assert choose_shown([f"s{number}" for number in range(num_settings)], baseline) == expected
