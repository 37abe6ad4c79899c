"""The expressions and answers that REPORT.html shows one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_summarize import BEST, OTHER, group_of, index, write_trial

from cliprpn.contract.generated import Explorer
from cliprpn.data.index import DatasetIndex
from cliprpn.data.predictions import predictions_file, read_predictions
from cliprpn.figures.explorer import MAX_SETTINGS, choose_shown, make_explorer
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable, read_split_table
from cliprpn.figures.subsets import find_subsets

__all__ = ["index"]  # The fixture.


def explorer_of(index: DatasetIndex, tmp_path: Path, **kinds: str) -> tuple[Explorer, SplitTable]:
    groups = []
    for label, ious in (("best", BEST), ("other", OTHER)):
        trials = [
            write_trial(tmp_path / f"{label}-{seed}", index, seed, run)
            for seed, run in enumerate(ious, start=3)
        ]
        groups.append(group_of(label, *trials, kind=kinds.get(label, "cliprpn")))
    runs = [Runs(group, "test") for group in groups]
    table = read_split_table(runs[0].files[0], "test")
    return make_explorer(table, find_subsets(table), runs, None, Path("/images")), table


def test_columns_have_the_values_of_the_first_seed(index: DatasetIndex, tmp_path: Path) -> None:
    explorer, table = explorer_of(index, tmp_path)
    assert [(setting.label, setting.seed) for setting in explorer.settings] == [("best", 3), ("other", 3)]
    assert (explorer.num_settings, explorer.split, explorer.images_dir) == (2, "test", "/images")
    for setting, ious in zip(explorer.settings, (BEST, OTHER), strict=True):
        assert setting.iou == ious[0]
        assert [code == 0 for code in setting.error_class] == [iou >= 0.5 for iou in ious[0]]
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
    runs = Runs(group_of("best", write_trial(tmp_path / "again", index, 0, BEST[0])), "test")
    categories = make_explorer(several, [], [runs], None, Path("/images")).subsets[0]
    assert [categories.groups[group] for group in categories.group] == ["cup", "unknown", "plate"] * 2


def test_a_baseline_has_no_seed(index: DatasetIndex, tmp_path: Path) -> None:
    explorer, _ = explorer_of(index, tmp_path, other="baseline")
    assert [setting.seed for setting in explorer.settings] == [3, None]


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
