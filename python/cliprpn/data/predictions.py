"""Predictions of a split as Parquet: one row per sentence."""

from __future__ import annotations

from pathlib import Path, PurePath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError
from cliprpn.storage.durable import write_durably

# A row per sentence, [S] or [S, 4] each.
PredictionColumns = dict[str, np.ndarray]
TEXT_COLUMNS = ("split", "sentence", "category", "stratum", "image_file")
BOX_COLUMNS = ("gt_box_xyxy", "pred_box_xyxy")
NUMBER_COLUMNS = (
    "sent_id",
    "image_id",
    "pair_id",
    "width",
    "height",
    "iou",
    "intersection",
    "union",
    "pointing",
)
# Of the columns. Files of the first version do not name it.
SCHEMA_VERSION = 1
_VERSION_KEY = b"schema_version"


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
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _VERSION_KEY: str(SCHEMA_VERSION)}
    )
    content = pa.BufferOutputStream()
    pq.write_table(table, content)
    write_durably(path, content.getvalue().to_pybytes())


def read_predictions(path: Path) -> PredictionColumns:
    """Columns as arrays; missing pair ids are -1, missing strata are empty.

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    table = _read_table(path)
    try:
        columns = _columns(table)
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(path, error) from error
    for name in set(columns["image_file"]):
        # A file from another machine must not name other images of this one.
        if not isinstance(name, str) or PurePath(name).is_absolute() or ".." in PurePath(name).parts:
            raise _broken(path, f"the image {name!r}")
    return columns


def _columns(table: pa.Table) -> PredictionColumns:
    """
    Raises:
        KeyError, TypeError, ValueError: a column is missing, or has values of another kind.
    """
    columns = {name: np.asarray(table[name].to_pylist(), dtype=object) for name in TEXT_COLUMNS}
    for name in (*BOX_COLUMNS, *NUMBER_COLUMNS):
        table[name]  # A KeyError names it.
    for name in table.column_names:
        if name in BOX_COLUMNS:
            columns[name] = np.array(table[name].to_pylist(), dtype=np.float64)
            if columns[name].shape != (len(table), 4):
                raise ValueError(f"{name}: {columns[name].shape}")
        elif name in NUMBER_COLUMNS:
            columns[name] = (table[name].fill_null(-1) if name == "pair_id" else table[name]).to_numpy()
            if columns[name].dtype.kind not in "iufb":
                raise ValueError(f"{name}: {table[name].type}")
        elif name not in TEXT_COLUMNS:
            columns[name] = table[name].to_numpy()
    return columns


def _broken(path: Path, problem: object) -> CliprpnError:
    return CliprpnError(
        "data_invalid",
        f"{path}: expected predictions that cliprpn wrote, found {problem}; remove the file, and evaluate the split "
        "again",
    )


def read_sentence_ids(path: Path) -> np.ndarray:
    """[S], the sentence of each row.

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    return _read_table(path, ["sent_id"])["sent_id"].to_numpy()


def _read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """
    Raises:
        CliprpnError: not_found; data_invalid, if it is broken; bad_input, if a newer cliprpn wrote the file.
    """
    if not path.is_file():
        raise CliprpnError(
            "not_found",
            f"{path}: expected a trial's predictions, found no file; evaluate that split first",
        )
    try:
        table = pq.read_table(path, columns=columns)
        version = int((table.schema.metadata or {}).get(_VERSION_KEY, SCHEMA_VERSION))
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise _broken(path, error) from error
    if version > SCHEMA_VERSION:
        raise CliprpnError(
            "bad_input",
            f"{path}: expected version {SCHEMA_VERSION} of the format, found {version}; a newer cliprpn wrote it, use "
            "that version",
        )
    return table
