"""The rows of a Parquet file as records, without images, and in memory that the file cannot choose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cliprpn.answers.printable import one_line
from cliprpn.data.checks import Record
from cliprpn.errors import CliprpnError

MAX_COLUMNS = 10_000
# A dictionary lets a file of a kilobyte hold gigabytes.
MAX_UNPACKED_BYTES = 2**31


def read_parquet_records(path: Path) -> Iterator[tuple[str, Record]]:
    """Yields the place and the values of each row; decimals are floats.

    Raises:
        CliprpnError: data_invalid, if the file is broken or too large when unpacked.
    """
    try:
        with pq.ParquetFile(path, buffer_size=2**20, pre_buffer=False, read_dictionary=_texts(path)) as file:
            names = [field.name for field in file.schema_arrow if not _is_bytes(field.type)]
            if len(names) > MAX_COLUMNS:
                raise CliprpnError(
                    "data_invalid", f"{path}: expected at most {MAX_COLUMNS:,} columns, found {len(names):,}"
                )
            number = num_bytes = 0
            for batch in file.iter_batches(batch_size=4096, columns=names, use_threads=False):
                num_bytes += sum(map(_unpacked_bytes, batch.columns))
                if num_bytes > MAX_UNPACKED_BYTES:
                    raise CliprpnError(
                        "data_invalid",
                        f"{path}: expected at most {MAX_UNPACKED_BYTES:,} bytes when unpacked; found more by row "
                        f"{number + len(batch):,}",
                    )
                for row in _plain(batch).to_pylist():
                    number += 1
                    yield f"{path.name}: row {number}", row
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected Parquet, found a broken file: {one_line(error)}"
        ) from error


def _texts(path: Path) -> list[str]:
    """Paths of columns of texts, which stay dictionaries until their size is known."""
    schema = pq.read_metadata(path).schema
    columns = [schema.column(i) for i in range(len(schema))]
    return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]


def _is_bytes(kind: pa.DataType) -> bool:
    """Images inside, which are not needed."""
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" for field in kind)
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _unpacked_bytes(values: pa.Array) -> int:
    """Bytes of all values, with those of a dictionary counted each time."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        lengths = pc.binary_length(values.dictionary) if _has_lengths(kind.value_type) else None
        return values.nbytes if lengths is None else pc.sum(lengths.take(values.indices)).as_py() or 0
    if pa.types.is_struct(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        children = values.flatten() if pa.types.is_struct(kind) else [values.flatten()]
        return sum(map(_unpacked_bytes, children))
    return int(values.nbytes)


def _has_lengths(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_large_binary(kind)
    )


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Without dictionaries, which are slow to read, and without decimals."""
    columns = []
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        columns.append(column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
