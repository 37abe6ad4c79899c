"""Predictions of a split as Parquet: one row per sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cliprpn.data.index import DatasetIndex
from cliprpn.storage.durable import write_durably

# A row per sentence, [S] or [S, 4] each.
PredictionColumns = dict[str, np.ndarray]
# Of the columns. Files of the first version do not name it.
SCHEMA_VERSION = 1
VERSION_KEY = b"schema_version"


def predictions_file(folder: Path, split: str) -> Path:
    """Path of a trial's predictions of a split."""
    return folder / f"predictions-{split}.parquet"


def write_predictions(
    path: Path, index: DatasetIndex, rows: np.ndarray, predictions: PredictionColumns
) -> None:
    """Writes the columns of the sentences, of their images, and of the predictions, atomically.

    Args:
        rows: [S], rows of the index's sentences.

    Raises:
        CliprpnError: no_space.
    """
    table = index.sentences.take(pa.array(rows))
    sizes = index.image_sizes(rows).astype(np.int64)
    files = index.images["file_name"].take(pa.array(index.image_rows[rows]))
    table = table.append_column("image_file", files)
    upright = index.images["upright"].take(pa.array(index.image_rows[rows]))
    table = table.append_column("upright", upright)
    table = table.append_column("width", pa.array(sizes[:, 0]))
    table = table.append_column("height", pa.array(sizes[:, 1]))
    for name, values in predictions.items():
        column = pa.array(values.tolist()) if values.ndim > 1 else pa.array(values)
        table = table.append_column(name, column)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), VERSION_KEY: str(SCHEMA_VERSION)})
    content = pa.BufferOutputStream()
    # Without checksums, a flipped bit would only change a figure.
    pq.write_table(table, content, write_page_checksum=True)
    write_durably(path, content.getvalue().to_pybytes())
