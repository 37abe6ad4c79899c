"""A cache of typed rows under text keys: one SQLite file, filled bit by bit, whole after a kill at any byte."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal

from cliprpn.errors import CliprpnError, disk_is_full
from cliprpn.storage.lock import file_lock

# A kill costs at most the work of this time; syncing after every item would cost a fast device more.
COMMIT_EVERY_S = 1.0
# SQLite's own 4 KiB would hold one vector of 1024 halves and leave the rest of the page empty.
PAGE_BYTES = 1 << 15
# Keys of one query; old builds of SQLite take 999.
KEYS_A_QUERY = 500
# How long a reader waits while another process puts a second's work on the disk.
BUSY_TIMEOUT_S = 60.0

Kind = Literal["real", "integer", "text", "blob"]
ColumnTypes = dict[str, Kind]
Row = tuple[float | int | str | bytes, ...]
Rows = list[Row]
Put = Callable[[str, Rows], None]


def get_or_compute(
    path: Path,
    columns: ColumnTypes,
    keys: list[str],
    make: Callable[[list[str], Put], None],
    on_wait: Callable[[], None],
    should_stop: Callable[[], bool],
) -> dict[str, Rows]:
    """The rows of each key, from the file, or made and put there.

    Two processes do not make the same: the second waits for the first. Nothing is written where nothing is missing.

    Args:
        path: the file; made, with its folder, where there is none.
        columns: name and type of a row's values, in their order.
        make: gets the keys that are missing, in their order, and puts the rows of each. What it has put is kept
            when it raises.
        on_wait: called once when another process is filling the file.

    Raises:
        CliprpnError: interrupted, no_space, bad_input (a folder that cannot be written to), data_invalid (a file
            that is damaged, or not of this kind).
    """
    wanted = list(dict.fromkeys(keys))
    kept = _kept(path, columns, wanted)
    if len(kept) == len(wanted):
        return kept
    with file_lock(_lock_file(path), on_wait, should_stop):
        kept |= _kept(path, columns, [key for key in wanted if key not in kept])
        missing = [key for key in wanted if key not in kept]
        if missing:
            with KeyedStore(path, columns) as store:
                make(missing, store.put)
            kept |= _kept(path, columns, missing)
    return kept


def _lock_file(path: Path) -> Path:
    lock = path.with_suffix(".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
    except OSError as error:
        if disk_is_full(error):
            raise _no_space(path) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise _not_writable(path) from error
        raise
    return lock


def _kept(path: Path, columns: ColumnTypes, keys: list[str]) -> dict[str, Rows]:
    """What the file has; a file that is not there has nothing."""
    if not keys or not path.exists():
        return {}
    with KeyedStore(path, columns, fill=False) as store:
        return store.rows(keys)


class KeyedStore:
    """A key is kept with all of its rows, of which there may be none.

    Args:
        path: the file.
        columns: name and type of a row's values, in their order.
        fill: whether the file is made where there is none. The caller holds the lock then.
    """

    def __init__(self, path: Path, columns: ColumnTypes, fill: bool = True) -> None:
        self.path = path
        self._columns = columns
        self._pending: list[tuple[str, Rows]] = []
        self._committed_at = time.monotonic()
        mode = "rwc" if fill else "rw"  # `rw` reads where writing is not allowed.
        with _sqlite_errors(path):
            self._file = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}", BUSY_TIMEOUT_S, uri=True, isolation_level=None
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
        """The rows of those keys that are kept.

        Raises:
            CliprpnError: data_invalid.
        """
        found: dict[str, Rows] = {}
        if self._is_new:
            return found
        names = ", ".join(self._columns)
        with _sqlite_errors(self.path):
            for start in range(0, len(keys), KEYS_A_QUERY):
                some = keys[start : start + KEYS_A_QUERY]
                query = (
                    f"SELECT key, place, {names} FROM items LEFT JOIN rows USING (item) "
                    f"WHERE key IN ({', '.join('?' * len(some))}) ORDER BY item, place"
                )
                for key, place, *values in self._file.execute(query, some):
                    own = found.setdefault(key, [])
                    if place is not None:
                        own.append(tuple(values))
        return found

    def put(self, key: str, rows: Rows) -> None:
        """Adds a key that is not there yet; about every second what was put reaches the disk.

        Raises:
            CliprpnError: no_space, data_invalid.
        """
        self._pending.append((key, rows))
        if time.monotonic() - self._committed_at >= COMMIT_EVERY_S:
            self.commit()

    def commit(self) -> None:
        """What was put so far will not be made again.

        Raises:
            CliprpnError: no_space, data_invalid.
        """
        pending, self._pending = self._pending, []
        if pending:
            with _sqlite_errors(self.path), self._transaction():
                self._write(pending)
        self._committed_at = time.monotonic()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; readers wait only for this, not while rows are made."""
        if self._is_new:
            self._file.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._file.execute("COMMIT")
        except BaseException:
            if self._file.in_transaction:  # SQLite has rolled back by itself where the disk is full.
                self._file.execute("ROLLBACK")
            raise
        self._is_new = False

    def _write(self, pending: list[tuple[str, Rows]]) -> None:
        if self._is_new:
            for statement in _tables(self._columns):
                self._file.execute(statement)
        places = ", ".join("?" * (2 + len(self._columns)))
        for key, rows in pending:
            item = self._file.execute("INSERT INTO items (key) VALUES (?)", (key,)).lastrowid
            numbered = ((item, place, *row) for place, row in enumerate(rows))
            self._file.executemany(f"INSERT INTO rows VALUES ({places})", numbered)

    def _check_tables(self) -> bool:
        """Whether the file is empty; a run that was killed before its first rows leaves it so."""
        with _sqlite_errors(self.path):
            query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
            found = [sql for (sql,) in self._file.execute(query)]
        if found and found != _tables(self._columns):
            raise _damaged(self.path, "it has other tables")
        return not found


def _tables(columns: ColumnTypes) -> list[str]:
    checked = "".join(
        f", {name} {kind} NOT NULL CHECK (typeof({name}) = '{kind}')" for name, kind in columns.items()
    )
    return [
        "CREATE TABLE items (item INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE)",
        f"CREATE TABLE rows (item INTEGER NOT NULL, place INTEGER NOT NULL{checked}, PRIMARY KEY (item, place))",
    ]


@contextmanager
def _sqlite_errors(path: Path) -> Iterator[None]:
    """SQLite's words for a person; what only a fault of ours can bring about stays as it is."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        said = str(error)
        if "is full" in said:
            raise _no_space(path) from error
        if "readonly" in said or "unable to open" in said:
            raise _not_writable(path) from error
        if "is locked" in said:
            raise CliprpnError(
                "locked",
                f"{path}: another process holds the file for {BUSY_TIMEOUT_S:.0f} s; end it and run again",
            ) from error
        raise _damaged(path, said) from error


def _damaged(path: Path, what: str) -> CliprpnError:
    return CliprpnError(
        "data_invalid",
        f"{path}: expected a cache that cliprpn wrote, found another or a damaged file ({what}); delete {path} "
        "and run again",
    )


def _no_space(path: Path) -> CliprpnError:
    return CliprpnError(
        "no_space",
        f"{path}: no room left on the disk; make room there, or set CLIPRPN_CACHE to a folder on another disk",
    )


def _not_writable(path: Path) -> CliprpnError:
    return CliprpnError(
        "bad_input",
        f"{path}: something is missing there, and the file cannot be written to; set CLIPRPN_CACHE to another folder",
    )
