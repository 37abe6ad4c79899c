"""A folder of arrays that is written block by block and survives a kill at any byte.

Each array is `<name>.npy`. While the store is being written, `progress.json` counts the rows that are safely on disk.
`manifest.json`, written last, lists the arrays and everything they depend on; with it, the store is complete.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from cliprpn.errors import CliprpnError
from cliprpn.storage.damaged_arrays import DAMAGED_ARRAYS
from cliprpn.storage.durable import COMMIT_EVERY_S, write_durably
from cliprpn.storage.growing_array import GrowingArray

# By name of the array: shape of one row, and type of the numbers.
ArraySpecs = dict[str, tuple[tuple[int, ...], type[np.generic]]]


def open_store(folder: Path) -> dict[str, np.ndarray] | None:
    """The arrays, memory-mapped, read-only; None if the store is not complete.

    Raises:
        CliprpnError: data_invalid, if the files do not match the manifest.
    """
    manifest_file = folder / "manifest.json"
    if not manifest_file.is_file():
        return None
    arrays = {}
    for name, entry in _read_json(manifest_file, "arrays").items():
        path = folder / f"{name}.npy"
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except DAMAGED_ARRAYS as error:
            raise damaged_features(folder, f"{path}: {error}") from error
        expected, found = (entry["shape"], entry["dtype"]), (list(array.shape), array.dtype.name)
        if found != expected:
            raise damaged_features(folder, f"{path}: expected {expected}, found {found}")
        arrays[name] = array
    return arrays


def _read_json(path: Path, key: str) -> dict[str, Any]:
    """The value under a key of one of the store's JSON files.

    Raises:
        CliprpnError: data_invalid.
    """
    try:
        return json.loads(path.read_bytes())[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged_features(path.parent, f"{path}: {type(error).__name__}: {error}") from error


class StoreWriter:
    """Writes a store; resumes after the items that a killed run has finished. The caller holds the lock.

    Args:
        folder: created if missing.
        arrays: shape of a row and type of each array.
        made_from: everything that the arrays depend on; written to the manifest.
        require_lock: called before anything is written; raises `LockLostError` if the caller does not hold the lock any
            more. Another machine may write the same files then, or have completed them.

    Attributes:
        done: number of finished items (images, sentences).

    Raises:
        CliprpnError: no_space, data_invalid.
    """

    def __init__(
        self,
        folder: Path,
        arrays: ArraySpecs,
        made_from: dict[str, object],
        require_lock: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = folder
        self._made_from = made_from
        self._require_lock = require_lock
        folder.mkdir(parents=True, exist_ok=True)
        self.done, num_rows = self._read_progress()
        self._committed_at = time.monotonic()
        self._arrays = {
            name: GrowingArray(folder / f"{name}.npy", row_shape, np.dtype(kind), num_rows.get(name, 0))
            for name, (row_shape, kind) in arrays.items()
        }

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for array in self._arrays.values():
            array.close()

    def append(self, num_items: int, blocks: dict[str, np.ndarray]) -> None:
        """Appends the rows of `num_items` items to every array.

        Raises:
            CliprpnError: no_space; LockLostError.
        """
        self._require_lock()
        for name, rows in blocks.items():
            self._arrays[name].append(rows)
        self.done += num_items
        if time.monotonic() - self._committed_at >= COMMIT_EVERY_S:
            self.commit()

    def commit(self) -> None:
        """Makes everything appended so far durable: first the rows, then their number.

        Raises:
            CliprpnError: no_space; LockLostError.
        """
        self._require_lock()
        for array in self._arrays.values():
            array.sync()
        rows = {name: array.num_rows for name, array in self._arrays.items()}
        self._write("progress.json", {"progress": {"done": self.done, "rows": rows}})
        self._committed_at = time.monotonic()

    def finish(self) -> None:
        """Completes the store.

        Raises:
            CliprpnError: no_space; LockLostError.
        """
        self._require_lock()
        arrays = {name: array.finish() for name, array in self._arrays.items()}
        self._write("manifest.json", {"made_from": self._made_from, "arrays": arrays})
        (self.folder / "progress.json").unlink(missing_ok=True)

    def _read_progress(self) -> tuple[int, dict[str, int]]:
        """Number of finished items, and of rows per array."""
        path = self.folder / "progress.json"
        if not path.is_file():
            return 0, {}
        progress = _read_json(path, "progress")
        return progress["done"], progress["rows"]

    def _write(self, name: str, value: dict[str, object]) -> None:
        write_durably(self.folder / name, f"{json.dumps(value, indent=2)}\n".encode())


def damaged_features(folder: Path, what: str) -> CliprpnError:
    return CliprpnError(
        "data_invalid",
        f"the cached features are damaged: {what}; delete {folder} and re-run the same command",
    )
