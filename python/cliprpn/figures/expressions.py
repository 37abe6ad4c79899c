"""The results of each referring expression, as a Parquet table for analyses of one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable
from cliprpn.figures.subsets import Subset
from cliprpn.metrics import HIT_IOU
from cliprpn.storage.durable import write_durably

SCHEMA_VERSION = 1
# An IoU takes up to four bytes a row: with more configurations, the file would be large, and slow to write.
MAX_IOU_COLUMNS = 50


@dataclass(frozen=True)
class SettingHits:
    """The hits of a configuration.

    Attributes:
        mean_hit: [S], fraction of its seeds with a hit, float32.
    """

    runs: Runs
    mean_hit: NDArray[np.float32]


def write_expressions(
    path: Path, table: SplitTable, subsets: list[Subset], settings: list[SettingHits]
) -> None:
    """Writes a row per referring expression, in the order of the predictions.

    Columns: `sent_id`, `image_id`, `image_file`, `sentence`, `category` and `num_same_category` (null if unknown);
    `subset_<kind>` for each kind of subset (null outside of all its groups); `mean_hit/<label>`, the fraction of seeds
    whose box has an IoU of at least 0.5; and `iou/<label>`, the IoU of the first seed, for the first `MAX_IOU_COLUMNS`
    configurations. The metadata of a column (JSON) has its description, the label, and the trials with their seeds;
    that of the file has the split, and the labels without an IoU.

    Args:
        settings: in the order of the report.

    Raises:
        CliprpnError: no_space; not_found, data_invalid or bad_input if predictions cannot be read.
    """
    columns = [*_shared_columns(table), *_subset_columns(table, subsets)]
    for setting in settings:
        text = f"Fraction of seeds with an IoU of at least {HIT_IOU}"
        columns.append(_setting_column("mean_hit", setting.mean_hit, setting.runs, text))
    for setting in settings[:MAX_IOU_COLUMNS]:
        iou = setting.runs.column("iou")[0].astype(np.float32)
        columns.append(_setting_column("iou", iou, setting.runs, "IoU of the first seed's box"))
        setting.runs.forget()
    facts = {
        "schema_version": SCHEMA_VERSION,
        "split": table.split,
        "labels": [setting.runs.group.label for setting in settings],
        "labels_without_iou": [setting.runs.group.label for setting in settings[MAX_IOU_COLUMNS:]],
    }
    schema = pa.schema([field for field, _ in columns], metadata={"cliprpn": json.dumps(facts)})
    content = pa.BufferOutputStream()
    rows = pa.Table.from_arrays([values for _, values in columns], schema=schema)
    pq.write_table(rows, content, compression="zstd")
    write_durably(path, content.getvalue().to_pybytes())


_Column = tuple[pa.Field, pa.Array]


def _column(name: str, values: pa.Array, **facts: object) -> _Column:
    metadata = {"cliprpn": json.dumps(facts)} if facts else None
    return pa.field(name, values.type, metadata=metadata), values


def _shared_columns(table: SplitTable) -> list[_Column]:
    known = table.num_same_category
    return [
        _column("sent_id", pa.array(table.sent_id)),
        _column("image_id", pa.array(table.image_id)),
        _column("image_file", pa.array(table.image_file, pa.string())),
        _column("sentence", pa.array(table.sentence, pa.string())),
        _column("category", pa.array([name or None for name in table.category], pa.string())),
        _column("num_same_category", pa.array(known, mask=known < 1)),
    ]


def _subset_columns(table: SplitTable, subsets: list[Subset]) -> list[_Column]:
    """The group of each row, for each kind of subset."""
    groups: dict[str, NDArray] = {}
    for subset in subsets:
        of_kind = groups.setdefault(subset.by, np.full(len(table.sent_id), None, dtype=object))
        of_kind[subset.rows] = subset.group
    return [_column(f"subset_{kind}", pa.array(names, pa.string())) for kind, names in groups.items()]


def _setting_column(name: str, values: NDArray, runs: Runs, description: str) -> _Column:
    trials = [{"trial_id": trial.trial_id, "seed": trial.seed} for trial in runs.group.trials]
    label = runs.group.label
    return _column(f"{name}/{label}", pa.array(values), description=description, label=label, trials=trials)
