"""A .npy file that is appended row by row and survives a kill at any byte."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import numpy as np

from cliprpn.errors import CliprpnError
from cliprpn.storage.durable import disk_errors

# Large enough for the header of any array stored here; numpy aligns data to 64 bytes.
HEADER_BYTES = 128
CHUNK_BYTES = 1 << 24


class GrowingArray:
    """An array whose rows are appended first; the header, which contains their number, is written last.

    Args:
        path: created if missing.
        row_shape: shape of one row.
        num_rows: number of rows of an earlier run to keep; the rest of the file is truncated.

    Raises:
        CliprpnError: no_space; data_invalid, if the file has fewer rows.
    """

    def __init__(self, path: Path, row_shape: tuple[int, ...], dtype: np.dtype, num_rows: int) -> None:
        self.path = path
        self.row_shape = row_shape
        self.dtype = dtype
        self.num_rows = num_rows
        self._digest = hashlib.sha256()
        row_bytes = int(np.prod(row_shape, dtype=np.int64)) * dtype.itemsize
        kept_bytes = HEADER_BYTES + num_rows * row_bytes
        if num_rows > 0 and not (path.is_file() and path.stat().st_size >= kept_bytes):
            raise CliprpnError(
                "data_invalid",
                f"{path}: expected {num_rows} rows of an earlier run, found fewer; delete {path.parent} and "
                "re-run the same command",
            )
        with disk_errors(path):
            self._file = path.open("r+b" if num_rows > 0 else "w+b")
            self._file.truncate(kept_bytes)
            self._file.seek(HEADER_BYTES)
            while chunk := self._file.read(CHUNK_BYTES):
                self._digest.update(chunk)

    def append(self, rows: np.ndarray) -> None:
        """Appends rows; they are on disk only after `sync`.

        Args:
            rows: [n, *row_shape], of the array's dtype.

        Raises:
            CliprpnError: no_space.
            ValueError: the rows have another shape or dtype.
        """
        if rows.shape[1:] != self.row_shape or rows.dtype != self.dtype:
            raise ValueError(
                f"expected rows {self.row_shape} {self.dtype}, found {rows.shape[1:]} {rows.dtype}"
            )
        content = np.ascontiguousarray(rows).data.cast("B")
        with disk_errors(self.path):
            self._file.write(content)
        self._digest.update(content)
        self.num_rows += len(rows)

    def sync(self) -> None:
        """Writes all appended rows to disk."""
        with disk_errors(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())

    def finish(self) -> dict[str, object]:
        """Writes the header. Returns the array's entry in the manifest."""
        shape = (self.num_rows, *self.row_shape)
        with disk_errors(self.path):
            self._file.seek(0)
            self._file.write(_header(shape, self.dtype))
        self.sync()
        return {"shape": shape, "dtype": self.dtype.name, "data_sha256": self._digest.hexdigest()}

    def close(self) -> None:
        """Closes the file; without `finish`, it stays incomplete."""
        self._file.close()


def _header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """numpy's header (format 1.0), padded to the fixed length."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"shape": shape, "fortran_order": False, "descr": np.lib.format.dtype_to_descr(dtype)}
    )
    written = header.getvalue()
    if len(written) != HEADER_BYTES:
        raise ValueError(f"expected a header of {HEADER_BYTES} bytes, found {len(written)}")
    return written
