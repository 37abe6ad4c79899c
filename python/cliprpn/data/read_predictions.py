"""Reads predictions, for figures; what a trial predicts does not depend on it."""

from __future__ import annotations

from pathlib import Path, PurePath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cliprpn.data.predictions import SCHEMA_VERSION, VERSION_KEY, PredictionColumns
from cliprpn.errors import CliprpnError

TEXT_COLUMNS = ("split", "sentence", "category", "stratum", "image_file")
BOX_COLUMNS = ("gt_box_xyxy", "pred_box_xyxy")
# Of the sentences and their images, the same for all models.
SHARED_COLUMNS = (
    "sent_id",
    "image_id",
    "pair_id",
    "num_same_category",
    "width",
    "height",
    "upright",
    "gt_box_xyxy",
)
NUMBER_COLUMNS = ("iou", "intersection", "union", "pointing", "pred_box_xyxy")


def read_predictions(path: Path, names: tuple[str, ...] | None = None) -> PredictionColumns:
    """The columns of the sentences and images, and those of the predictions; missing pair ids are -1, missing strata
    are None.

    Args:
        names: columns of the predictions; all of them by default.

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    table = _read_table(path, None if names is None else [*TEXT_COLUMNS, *SHARED_COLUMNS, *names])
    try:
        columns = {name: np.asarray(table[name].to_pylist(), dtype=object) for name in TEXT_COLUMNS}
        for name in (*SHARED_COLUMNS, *NUMBER_COLUMNS) if names is None else (*SHARED_COLUMNS, *names):
            table[name]  # A KeyError names it.
        columns |= {name: _numbers(table, name) for name in table.column_names if name not in TEXT_COLUMNS}
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(path, error) from error
    for name in set(columns["image_file"]):
        # A file from another machine must not name other images of this one.
        if not isinstance(name, str) or PurePath(name).is_absolute() or ".." in PurePath(name).parts:
            raise _broken(path, f"the image {name!r}")
    return columns


def read_numbers(path: Path, names: tuple[str, ...]) -> PredictionColumns:
    """Some columns of numbers, [S], or boxes, [S, 4]; without reading the others.

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    table = _read_table(path, list(names))
    try:
        return {name: _numbers(table, name) for name in names}
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(path, error) from error


def column_names(path: Path) -> list[str]:
    """The columns of a file of predictions.

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    if not path.is_file():
        raise _missing(path)
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise _broken(path, error) from error


def _numbers(table: pa.Table, name: str) -> np.ndarray:
    """
    Raises:
        KeyError, TypeError, ValueError: the column is missing, or has values of another kind.
    """
    column = table[name]
    if name in BOX_COLUMNS:
        values = pc.list_flatten(column).to_numpy().astype(np.float64)
        if values.shape != (len(table) * 4,):
            raise ValueError(f"{name}: {len(values)} numbers in {len(table)} boxes")
        values = values.reshape(-1, 4)
    else:
        values = (column.fill_null(-1) if name == "pair_id" else column).to_numpy()
    if name in (*SHARED_COLUMNS, *NUMBER_COLUMNS):
        if values.dtype.kind not in "iufb":
            raise ValueError(f"{name}: {column.type}")
        is_known = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if not is_known.all():
            raise ValueError(f"no {name} in {(~is_known).sum():,} of {len(values):,} rows")
    return values


def _broken(path: Path, problem: object) -> CliprpnError:
    # Arrow has further lines.
    found = str(problem).partition("\n")[0]
    return CliprpnError(
        "data_invalid",
        f"{path}: expected predictions that cliprpn wrote, found {found}; remove the file, and evaluate the split "
        "again",
    )


def _missing(path: Path) -> CliprpnError:
    return CliprpnError(
        "not_found", f"{path}: expected a trial's predictions, found no file; evaluate that split first"
    )


def _read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """
    Raises:
        CliprpnError: not_found; data_invalid, if it is broken; bad_input, if a newer cliprpn wrote the file.
    """
    if not path.is_file():
        raise _missing(path)
    try:
        # Not pq.read_table: it imports pyarrow.dataset, a fifth of a second, and takes twice as long for each file.
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            version = int((schema.metadata or {}).get(VERSION_KEY, SCHEMA_VERSION))
            missing = [name for name in columns or () if name not in schema.names]
            table = None if missing or version > SCHEMA_VERSION else file.read(columns)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise _broken(path, error) from error
    if version > SCHEMA_VERSION:
        raise CliprpnError(
            "bad_input",
            f"{path}: expected version {SCHEMA_VERSION} of the format, found {version}; a newer cliprpn wrote it, use "
            "that version",
        )
    if table is None:
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected predictions with the column {missing[0]}, found none; an earlier cliprpn wrote the "
            "file: evaluate the split again with this version",
        )
    return table
