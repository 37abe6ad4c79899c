"""Intervals of configurations while a sweep runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from cliprpn.contract.generated import CompletedConfiguration, IntervalSoFar, IntervalsSoFarParams
from cliprpn.data.predictions import SCHEMA_VERSION, VERSION_KEY, predictions_file
from cliprpn.errors import CliprpnError
from cliprpn.figures.so_far import intervals_so_far
from cliprpn.statistics import ImageGroups, estimate, measure

NUM_IMAGES = 40
IMAGES = np.repeat(np.arange(NUM_IMAGES), 3)
IOUS = np.random.default_rng(0).random((3, len(IMAGES)))


def write_run(folder: Path, ious: NDArray, first_sentence: int = 0) -> str:
    folder.mkdir()
    columns = {
        "sent_id": first_sentence + np.arange(len(ious)),
        "image_id": IMAGES[: len(ious)],
        "iou": ious,
    }
    table = pa.table(columns).replace_schema_metadata({VERSION_KEY: str(SCHEMA_VERSION)})
    pq.write_table(table, predictions_file(folder, "val"))
    return str(folder)


def intervals(*configurations: tuple[bool, list[str]]) -> list[IntervalSoFar | None]:
    made = [CompletedConfiguration(has_seeds=has, predictions_dirs=dirs) for has, dirs in configurations]
    params = {"split": "val", "configurations": made, "confidence": 0.9}
    return intervals_so_far(IntervalsSoFarParams.model_validate(params)).intervals


def test_intervals_are_over_images_and_over_seeds_where_there_are_some(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / str(seed), row) for seed, row in enumerate(IOUS)]
    trained, fixed = intervals((True, runs), (False, runs[:1]))
    for interval, rows, has_seeds in ((trained, IOUS, True), (fixed, IOUS[:1], False)):
        expected = estimate(measure(rows >= 0.5, None, ImageGroups(IMAGES), has_seeds), 0.9)
        assert interval is not None
        assert (interval.low, interval.high) == (expected.low, expected.high)
    assert trained is not None and fixed is not None
    assert trained.high - trained.low != fixed.high - fixed.low


def test_one_trained_model_and_few_images_support_no_interval(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", IOUS[0])
    few = [write_run(tmp_path / f"few {seed}", row[: 3 * 29]) for seed, row in enumerate(IOUS)]
    assert intervals((True, [one]), (True, few), (False, few[:1])) == [None, None, None]


def test_runs_on_other_expressions_are_an_error_that_names_both_files(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / "a", IOUS[0]), write_run(tmp_path / "b", IOUS[1], first_sentence=1)]
    with pytest.raises(CliprpnError, match=r"b.predictions-val\.parquet.*a.predictions-val\.parquet"):
        intervals((True, runs))
