"""A folder of arrays that is filled block by block, survives a kill at any byte, and is whole once it has a manifest.

`<name>.npy` per array; `progress.json` while it is filled: what is surely on the disk; `manifest.json`, written
last: what the arrays are and what they were made from.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from cliprpn.errors import CliprpnError
from cliprpn.storage.durable import write_durably
from cliprpn.storage.growing_array import GrowingArray

# A kill costs at most the work of this time; syncing after every block would cost a fast device more.
COMMIT_EVERY_S = 1.0

Arrays = dict[str, tuple[tuple[int, ...], type[np.generic]]]


def open_store(folder: Path) -> dict[str, np.ndarray] | None:
    """The arrays, memory-mapped, read-only; None until the store is whole.

    Raises:
        CliprpnError: data_invalid, when the files are not those of the manifest.
    """
    manifest_file = folder / "manifest.json"
    if not manifest_file.is_file():
        return None
    arrays = {}
    for name, entry in _read_json(manifest_file, "arrays").items():
        path = folder / f"{name}.npy"
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise _damaged(folder, f"{path}: {error}") from error
        expected, found = (entry["shape"], entry["dtype"]), (list(array.shape), array.dtype.name)
        if found != expected:
            raise _damaged(folder, f"{path}: expected {expected}, found {found}")
        arrays[name] = array
    return arrays


def _read_json(path: Path, key: str) -> dict[str, Any]:
    """A file of the store, which has an object under this key."""
    try:
        return json.loads(path.read_bytes())[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path.parent, f"{path}: {type(error).__name__}: {error}") from error


class StoreWriter:
    """Fills a store, going on after what an earlier, killed run had finished. The caller holds the lock.

    Args:
        folder: made where there is none.
        arrays: name to the shape of one row and the type of its numbers.
        facts: what the arrays are made from; goes into the manifest.

    Attributes:
        done: how many items (images, sentences) are finished.
    """

    def __init__(self, folder: Path, arrays: Arrays, facts: dict[str, object]) -> None:
        self.folder = folder
        self._facts = facts
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
        """Adds the rows of so many items to every array.

        Raises:
            CliprpnError: no_space.
        """
        for name, rows in blocks.items():
            self._arrays[name].append(rows)
        self.done += num_items
        if time.monotonic() - self._committed_at >= COMMIT_EVERY_S:
            self.commit()

    def commit(self) -> None:
        """What is done so far will not be done again: first the rows, then the count, reach the disk."""
        for array in self._arrays.values():
            array.sync()
        rows = {name: array.num_rows for name, array in self._arrays.items()}
        self._write("progress.json", {"progress": {"done": self.done, "rows": rows}})
        self._committed_at = time.monotonic()

    def finish(self) -> None:
        """Makes the store whole."""
        arrays = {name: array.finish() for name, array in self._arrays.items()}
        self._write("manifest.json", {"made_from": self._facts, "arrays": arrays})
        (self.folder / "progress.json").unlink(missing_ok=True)

    def _read_progress(self) -> tuple[int, dict[str, int]]:
        """How many items are done, and how many rows that makes per array."""
        path = self.folder / "progress.json"
        if not path.is_file():
            return 0, {}
        progress = _read_json(path, "progress")
        return progress["done"], progress["rows"]

    def _write(self, name: str, value: dict[str, object]) -> None:
        write_durably(self.folder / name, f"{json.dumps(value, indent=2)}\n".encode())


def _damaged(folder: Path, what: str) -> CliprpnError:
    return CliprpnError(
        "data_invalid", f"the kept features are damaged: {what}; delete {folder} and run again"
    )
