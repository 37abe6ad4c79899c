"""A cache of typed rows by text key in one SQLite file, which survives a kill at any byte."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal

from cliprpn.errors import CliprpnError, disk_has_failed, disk_is_full
from cliprpn.storage.durable import COMMIT_EVERY_S, failed_disk
from cliprpn.storage.lock import file_lock
from cliprpn.storage.lock_owner import LockLostError

# One embedding of 1024 halves would leave most of SQLite's default page of 4 KiB empty.
PAGE_BYTES = 1 << 15
# Old builds of SQLite allow 999.
KEYS_PER_QUERY = 500
# SQLITE_IOERR_READ, _WRITE and _FSYNC, which Python tells since 3.11; other I/O errors have a damaged file as well.
DISK_FAILED = (266, 778, 1034)
# Longest wait for a transaction of another process.
BUSY_TIMEOUT_S = 60.0

Kind = Literal["real", "integer", "text", "blob"]
ColumnTypes = dict[str, Kind]
# The rows of one key, each with its values in the columns' order.
Rows = list[tuple[float | int | str | bytes, ...]]
# Adds a key with its rows.
Put = Callable[[str, Rows], None]


def get_or_compute(
    path: Path,
    columns: ColumnTypes,
    keys: list[str],
    compute: Callable[[list[str], Put], None],
    on_wait: Callable[[], None],
    should_stop: Callable[[], bool],
    own_stores: Path | None = None,
) -> dict[str, Rows]:
    """The rows of each key, from the file or computed and added to it.

    If another process is computing, waits for it instead of computing the same rows, also if it took over because this
    one was suspended. Does not write to the file if no key is missing. Rows that a shared cache has are not copied.

    Args:
        path: the file; created with its folder if missing.
        columns: name and type of a row's values, in order.
        compute: gets the missing keys, in order, and calls `put` with the rows of each. Rows that were put are kept
            even if it raises. Called again, with what is still missing then, if the lock was lost.
        on_wait: called once if another process is writing to the file.
        own_stores: folder on this machine's own disk: rows are added to a file there, and `path` is only read. For a
            cache that several machines share, since SQLite's locks are not safe there.

    Raises:
        CliprpnError: interrupted, no_space, bad_input (the folder is not writable), data_invalid (the file is damaged
            or has other columns).
    """
    unique = list(dict.fromkeys(keys))
    own = written_store(path, own_stores)
    rows = _read_existing(own, columns, unique)
    if own != path:
        with suppress(OSError):
            os.utime(own)  # Unused ones are removed: see unused_copies.py.
        rows |= _read_only(path, columns, [key for key in unique if key not in rows])
    rows |= _read_shared(path, columns, [key for key in unique if key not in rows])
    if len(rows) == len(unique):
        return rows
    while True:
        with file_lock(_lock_file(own), on_wait, should_stop) as lock:
            rows |= _read_existing(own, columns, [key for key in unique if key not in rows])
            missing = [key for key in unique if key not in rows]
            if missing:
                try:
                    with KeyedStore(own, columns, require_lock=lock.require) as store:
                        compute(missing, store.put)
                except LockLostError:
                    continue  # What was not written yet is thrown away: another machine computes it.
                rows |= _read_existing(own, columns, missing)
            return rows


def written_store(path: Path, own_stores: Path | None) -> Path:
    """The file that rows are added to: that of the same name on the machine's own disk, if there is such a folder."""
    return path if own_stores is None else own_stores / path.parent.name / path.name


def _lock_file(path: Path) -> Path:
    """Creates the lock file of a store.

    Raises:
        CliprpnError: no_space, bad_input.
    """
    lock = path.with_suffix(".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
    except OSError as error:
        if disk_is_full(error):
            raise _no_space(path) from error
        if disk_has_failed(error):
            raise failed_disk(path) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise _not_writable(path) from error
        raise
    return lock


def _read_existing(path: Path, columns: ColumnTypes, keys: list[str]) -> dict[str, Rows]:
    """The rows of those keys that the file has; none if there is no file."""
    if not keys or not path.exists():
        return {}
    try:
        with KeyedStore(path, columns, create=False) as store:
            return store.rows(keys)
    except CliprpnError:
        if path.exists():
            raise
        return {}  # Nobody had used it for long, and it was removed a moment ago.


def _read_only(path: Path, columns: ColumnTypes, keys: list[str]) -> dict[str, Rows]:
    """As `_read_existing`, for a file that other machines read, too; none if its last change is not complete."""
    if not keys or not path.exists():
        return {}
    try:
        with KeyedStore(path, columns, create=False, read_only=True) as store:
            return store.rows(keys)
    except CliprpnError as error:
        # The process that wrote was killed, and only one that writes may complete or undo its change.
        if error.code != "environment_broken":
            raise
        return {}


def _read_shared(path: Path, columns: ColumnTypes, keys: list[str]) -> dict[str, Rows]:
    """The rows of those keys that the file of the same name in CLIPRPN_SHARED_CACHE has, which is only read."""
    root = os.environ.get("CLIPRPN_SHARED_CACHE")
    if not root:
        return {}
    shared = Path(root) / path.parent.name / path.name
    return {} if shared == path else _read_existing(shared, columns, keys)


class KeyedStore:
    """The file as a table of keys, each with any number of rows, including none.

    Args:
        path: the file.
        columns: name and type of a row's values, in order.
        create: creates the file if missing; requires that the caller holds the lock.
        read_only: never changes the file.
        require_lock: called in each transaction; raises `LockLostError` if the caller does not hold the lock any more.

    Raises:
        CliprpnError: no_space, bad_input, locked, data_invalid.
    """

    def __init__(
        self,
        path: Path,
        columns: ColumnTypes,
        create: bool = True,
        read_only: bool = False,
        require_lock: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = path
        self._columns = columns
        self._require_lock = require_lock
        self._pending: list[tuple[str, Rows]] = []
        self._committed_at = time.monotonic()
        # `rw` falls back to reading if the file is not writable.
        mode = "rwc" if create else "ro" if read_only else "rw"
        with _sqlite_errors(path):
            # Rows may be put by another thread than the one that opens the file; by one at a time.
            self._file = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                BUSY_TIMEOUT_S,
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            self._is_new = self._check_tables()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> KeyedStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with closing(self._file):
            self.commit()

    def rows(self, keys: list[str]) -> dict[str, Rows]:
        """The rows of those keys that the file has.

        Raises:
            CliprpnError: data_invalid.
        """
        rows: dict[str, Rows] = {}
        if self._is_new:
            return rows
        names = ", ".join(self._columns)
        with _sqlite_errors(self.path):
            for start in range(0, len(keys), KEYS_PER_QUERY):
                batch = keys[start : start + KEYS_PER_QUERY]
                query = (
                    f"SELECT key, place, {names} FROM items LEFT JOIN rows USING (item) "
                    f"WHERE key IN ({', '.join('?' * len(batch))}) ORDER BY item, place"
                )
                for key, place, *values in self._file.execute(query, batch):
                    rows_of_key = rows.setdefault(key, [])
                    if place is not None:
                        rows_of_key.append(tuple(values))
        return rows

    def put(self, key: str, rows: Rows) -> None:
        """Adds a new key; commits about every second.

        Raises:
            CliprpnError: no_space, data_invalid; LockLostError.
        """
        self._pending.append((key, rows))
        if time.monotonic() - self._committed_at >= COMMIT_EVERY_S:
            self.commit()

    def commit(self) -> None:
        """Makes everything put so far durable.

        Raises:
            CliprpnError: no_space, data_invalid; LockLostError, and nothing of it is written.
        """
        pending, self._pending = self._pending, []
        if pending:
            with _sqlite_errors(self.path), self._transaction():
                self._write(pending)
        self._committed_at = time.monotonic()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A transaction. Readers wait only for this, not while rows are computed."""
        if self._is_new:
            self._file.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        self._file.execute("BEGIN IMMEDIATE")
        try:
            self._require_lock()
            # A machine that was suspended within its first transaction may have completed it meanwhile.
            self._is_new = self._is_new and self._check_tables()
            yield
            self._file.execute("COMMIT")
        except BaseException:
            if self._file.in_transaction:  # SQLite has already rolled back if the disk is full.
                self._file.execute("ROLLBACK")
            raise
        self._is_new = False

    def _write(self, pending: list[tuple[str, Rows]]) -> None:
        if self._is_new:
            for statement in _tables(self._columns):
                self._file.execute(statement)
        places = ", ".join("?" * (2 + len(self._columns)))
        for key, rows in pending:
            inserted = self._file.execute("INSERT OR IGNORE INTO items (key) VALUES (?)", (key,))
            if inserted.rowcount == 0:
                continue  # As above: the rows that are there stay.
            item = inserted.lastrowid
            numbered = ((item, place, *row) for place, row in enumerate(rows))
            self._file.executemany(f"INSERT INTO rows VALUES ({places})", numbered)

    def _check_tables(self) -> bool:
        """Whether the file is empty, as after a run that was killed before the first rows.

        Raises:
            CliprpnError: data_invalid, if it has other tables.
        """
        with _sqlite_errors(self.path):
            query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
            statements = [sql for (sql,) in self._file.execute(query)]
        if statements and statements != _tables(self._columns):
            raise _damaged_cache(self.path, "it has other tables")
        return not statements


def _tables(columns: ColumnTypes) -> list[str]:
    """The SQL statements that create the tables."""
    checked = "".join(
        f", {name} {kind} NOT NULL CHECK (typeof({name}) = '{kind}')" for name, kind in columns.items()
    )
    return [
        "CREATE TABLE items (item INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE)",
        f"CREATE TABLE rows (item INTEGER NOT NULL, place INTEGER NOT NULL{checked}, PRIMARY KEY (item, place))",
    ]


@contextmanager
def _sqlite_errors(path: Path) -> Iterator[None]:
    """Turns SQLite's errors within the context into CliprpnErrors; an IntegrityError is a bug and stays unchanged.

    Raises:
        CliprpnError: no_space, bad_input, locked, data_invalid.
    """
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        message = str(error)
        if "is full" in message:
            raise _no_space(path) from error
        if getattr(error, "sqlite_errorcode", None) in DISK_FAILED:
            raise failed_disk(path) from error
        if "readonly" in message or "unable to open" in message:
            raise _not_writable(path) from error
        if "is locked" in message:
            raise CliprpnError(
                "locked",
                f"{path}: another process has locked the file for {BUSY_TIMEOUT_S:.0f} s; stop it and "
                "re-run the same command",
            ) from error
        raise _damaged_cache(path, message) from error


def _damaged_cache(path: Path, what: str) -> CliprpnError:
    return CliprpnError(
        "data_invalid",
        f"{path}: expected a cache written by cliprpn, found a different or damaged file ({what}); delete {path} "
        "and re-run the same command",
    )


def _no_space(path: Path) -> CliprpnError:
    return CliprpnError(
        "no_space",
        f"{path}: no space left on the disk; free some space, or set CLIPRPN_CACHE to a folder on another disk",
    )


def _not_writable(path: Path) -> CliprpnError:
    return CliprpnError(
        "environment_broken",
        f"{path}: entries are missing, and the file is not writable; set CLIPRPN_CACHE to another folder",
    )
