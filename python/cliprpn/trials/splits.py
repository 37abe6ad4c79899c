"""Selects the sentences of a split, and writes its predictions and metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.contract.generated import Limits, Metrics
from cliprpn.data.index import DatasetIndex
from cliprpn.data.predictions import SCHEMA_VERSION, PredictionColumns, predictions_file, write_predictions
from cliprpn.data.read_predictions import read_predictions
from cliprpn.errors import CliprpnError
from cliprpn.metrics import split_metrics
from cliprpn.storage.durable import write_json


def split_rows(index: DatasetIndex, split: str, limit: int | None) -> np.ndarray:
    """Rows of a split's sentences in the index: [S].

    Raises:
        CliprpnError: data_invalid, if the split is empty.
    """
    rows = index.split(split, limit)
    if len(rows) == 0:
        raise CliprpnError(
            "data_invalid", f"{index.root}: expected sentences in the split {split}, found none"
        )
    return rows


def limit_of(limits: Limits, split: str) -> int | None:
    """Maximum number of sentences of a split; testA and testB use the limit of test."""
    limit: int | None = getattr(limits, "test" if split.startswith("test") else split)
    return limit


def save_predictions(
    out_dir: Path, index: DatasetIndex, split: str, rows: np.ndarray, columns: PredictionColumns
) -> Metrics:
    """Writes `predictions-SPLIT.parquet` and `metrics-SPLIT.json`. Returns the metrics.

    Raises:
        CliprpnError: no_space.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    path = predictions_file(out_dir, split)
    write_predictions(path, index, rows, columns)
    metrics = Metrics.model_validate(split_metrics(read_predictions(path)))
    write_json(
        out_dir / f"metrics-{split}.json",
        {"schema_version": SCHEMA_VERSION, **metrics.model_dump(mode="json")},
    )
    return metrics
