"""Reads and writes Parquet tables; writes are atomic."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cliprpn.errors import CliprpnError
from cliprpn.storage.durable import write_durably


def write_table(rows: list[dict[str, object]], schema: pa.Schema, path: Path) -> None:
    """Writes rows, given as dictionaries, atomically.

    Raises:
        CliprpnError: no_space.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink)
    write_durably(path, sink.getvalue().to_pybytes())


def read_table(path: Path) -> pa.Table:
    """Reads one of the tables of a dataset's index.

    Raises:
        CliprpnError: data_invalid, if the file is missing or broken.
    """
    try:
        with pq.ParquetFile(path) as file:  # pq.read_table would import pyarrow.dataset, a fifth of a second.
            return file.read()
    except (pa.ArrowInvalid, OSError) as error:
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected a table of the dataset's index: {error}; delete {path.parent / 'dataset.json'} and "
            "prepare it again",
        ) from error
