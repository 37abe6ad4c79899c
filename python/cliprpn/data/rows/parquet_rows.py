"""Reads rows from Parquet in batches, in bounded memory; images inside become files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cliprpn.data.checks import Record
from cliprpn.data.problems import Problems
from cliprpn.data.rows.embedded_images import EmbeddedImages
from cliprpn.data.rows.fields import Fields
from cliprpn.errors import CliprpnError

MAX_ROWS = 50_000_000
ROWS_PER_BATCH = 4096
# A batch with images is held in memory, and they have up to megabytes.
ROWS_PER_BATCH_WITH_IMAGES = 32
BUFFER_BYTES = 2**20


def read_parquet(
    path: Path, fields: Fields, images: EmbeddedImages, problems: Problems
) -> Iterator[tuple[str, Record]]:
    """Yields location and values of each row, of the columns that are used.

    Args:
        images: takes the images inside; their rows get the names of the files.

    Raises:
        CliprpnError: data_invalid, if the file is not Parquet or is broken; no_space.
    """
    try:
        with pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
            yield from _rows(file, path, fields, images, problems)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected Parquet, found a broken file: {_first_line(error)}"
        ) from error


def _rows(
    file: pq.ParquetFile, path: Path, fields: Fields, images: EmbeddedImages, problems: Problems
) -> Iterator[tuple[str, Record]]:
    if file.metadata.num_rows > MAX_ROWS:
        raise CliprpnError(
            "data_invalid", f"{path}: expected at most {MAX_ROWS:,} rows, found {file.metadata.num_rows:,}"
        )
    schema = file.schema_arrow
    missing = fields.missing(schema.names)
    if missing:
        reasons = "; ".join(f"{key}: {reason}" for key, reason in missing.items())
        problems.add(f"{path.name}: expected columns for {', '.join(missing)}, found {reasons}")
        return
    used = {keys[0] for paths in fields.places(tuple(schema.names)).paths.values() for keys in paths}
    has_images = {name for name in used if _has_bytes(schema.field(name).type)}
    image_path = fields.places(tuple(schema.names)).paths["image"][0]
    image_column = image_path[0] if len(image_path) == 1 and image_path[0] in has_images else None
    size = ROWS_PER_BATCH if image_column is None else ROWS_PER_BATCH_WITH_IMAGES
    columns = [name for name in schema.names if name in used]
    number = 0
    for batch in file.iter_batches(batch_size=size, columns=columns, use_threads=False):
        for row in batch.to_pylist():
            number += 1
            if image_column is not None:
                row[image_column] = images.add(row[image_column])
            # Messages name all columns of the file.
            yield f"{path.name}: row {number}", {name: _text(value) for name, value in row.items()}


def _has_bytes(kind: pa.DataType) -> bool:
    """Whether values are images: bytes, or Hugging Face's `{bytes, path}`, or a list of these."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _has_bytes(kind.value_type)
    if pa.types.is_struct(kind):
        return any(
            field.name == "bytes" and (_has_bytes(field.type) or pa.types.is_null(field.type))
            for field in kind
        )
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _text(value: Any) -> Any:
    """Text that was stored as bytes."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value[:100]


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return "".join(char for char in (text[0] if text else type(error).__name__)[:300] if char.isprintable())
