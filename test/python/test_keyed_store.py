"""The keyed store: typed rows, computed once, kept after a kill, shared, and distinguished from other files."""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import wait_until

from cliprpn.errors import CliprpnError
from cliprpn.storage import keyed_store
from cliprpn.storage.keyed_store import ColumnTypes, KeyedStore, Put, Rows, get_or_compute
from cliprpn.storage.lock_owner import owner_file

COLUMNS: ColumnTypes = {"score": "real", "count": "integer", "name": "text", "bytes": "blob"}


def rows_of(key: str) -> Rows:
    """One row per letter of the key."""
    return [(0.1 * place, 2**60 + place, f"{key} ü\0", bytes([place % 256, 0])) for place in range(len(key))]


def read_or_compute(
    path: Path,
    keys: list[str],
    computed: list[str] | None = None,
    on_wait: Callable[[], object] = lambda: None,
    after: Callable[[str], object] = lambda key: None,
) -> dict[str, Rows]:
    """The rows; `computed` receives the keys that were computed, `after` is called after each."""

    def compute(missing: list[str], put: Put) -> None:
        for key in missing:
            put(key, rows_of(key))
            if computed is not None:
                computed.append(key)
            after(key)

    return get_or_compute(path, COLUMNS, keys, compute, on_wait, lambda: False)


def never(key: str) -> None:
    raise AssertionError("nothing is missing, so nothing may be computed")


def test_stored_rows_are_returned_exactly_and_only_missing_ones_computed(tmp_path: Path) -> None:
    path = tmp_path / "odd #?%20 ü" / "deep" / "a.sqlite"
    computed: list[str] = []
    # "" is a key without rows, which differs from a missing key; "aa" is requested twice.
    first = read_or_compute(path, ["aa", "", "b", "aa"], computed)
    assert first == {key: rows_of(key) for key in ("aa", "", "b")}
    assert computed == ["aa", "", "b"]
    assert read_or_compute(path, ["ccc", "b", ""], computed) == {
        key: rows_of(key) for key in ("ccc", "b", "")
    }
    assert computed == ["aa", "", "b", "ccc"]
    assert read_or_compute(path, [], after=never) == {}


def test_more_keys_than_fit_into_a_query(tmp_path: Path) -> None:
    keys = [f"{number:06}" for number in range(2 * keyed_store.KEYS_PER_QUERY + 1)]
    path = tmp_path / "a.sqlite"
    assert (
        read_or_compute(path, keys)
        == read_or_compute(path, keys, after=never)
        == {key: rows_of(key) for key in keys}
    )


@pytest.mark.parametrize(
    "row", [("high", 1, "a", b""), (0.5, 1.5, "a", b""), (0.5, 1, b"a", b""), (0.5, 1, None, b"")]
)
def test_a_value_of_another_type_is_rejected(
    tmp_path: Path, row: tuple[float | int | str | bytes, ...]
) -> None:
    def compute(missing: list[str], put: Put) -> None:
        put("a", [row])

    with pytest.raises(sqlite3.IntegrityError):
        get_or_compute(tmp_path / "a.sqlite", COLUMNS, ["a"], compute, lambda: None, lambda: False)


def test_rows_put_before_an_error_are_kept(tmp_path: Path) -> None:
    def stop_at_third(key: str) -> None:
        if key == "c":
            raise CliprpnError("interrupted", "stopped")

    path = tmp_path / "a.sqlite"
    with pytest.raises(CliprpnError, match="stopped"):
        read_or_compute(path, ["a", "b", "c", "d"], after=stop_at_third)
    computed: list[str] = []
    read_or_compute(path, ["a", "b", "c", "d"], computed)
    assert computed == ["d"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_kill_at_any_moment_loses_only_what_was_not_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_store, "COMMIT_EVERY_S", 0.0)  # Each key is on disk before the next.
    keys = [f"{number:04}" for number in range(5000)]
    path = tmp_path / "a.sqlite"
    num_kept = 0
    for num_reported in (1, 2, 3, 5, 8, 13):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                read_or_compute(path, keys, after=lambda key: os.write(writer, b"."))  # noqa: B023
            finally:
                os._exit(1)
        for _ in range(num_reported):
            os.read(reader, 1)
        os.kill(pid, signal.SIGKILL)  # It is at its next transaction by now.
        os.waitpid(pid, 0)
        os.close(reader), os.close(writer)
        with KeyedStore(path, COLUMNS) as store:
            rows = store.rows(keys)
        assert rows == {key: rows_of(key) for key in keys[: len(rows)]}
        assert num_kept + num_reported <= len(rows) < len(keys)
        num_kept = len(rows)
    computed: list[str] = []
    assert read_or_compute(path, keys[: num_kept + 2], computed) == {
        key: rows_of(key) for key in keys[: num_kept + 2]
    }
    assert computed == keys[num_kept : num_kept + 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_of_two_processes_one_computes_and_the_other_waits(tmp_path: Path) -> None:
    path, computing, waiting = tmp_path / "a.sqlite", tmp_path / "computing", tmp_path / "waiting"
    pid = os.fork()
    if pid == 0:
        try:
            read_or_compute(
                path, ["aa", "b"], after=lambda key: (computing.touch(), wait_until(waiting.exists))
            )
            os._exit(0)
        finally:
            os._exit(1)
    wait_until(computing.exists)
    waits: list[int] = []
    rows = read_or_compute(path, ["b", "aa"], on_wait=lambda: (waits.append(1), waiting.touch()), after=never)
    assert rows == {key: rows_of(key) for key in ("b", "aa")}
    assert waits == [1]
    assert os.waitpid(pid, 0)[1] == 0


def test_a_reader_does_not_wait_while_other_keys_are_computed(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    read_or_compute(path, ["a"])
    results: list[dict[str, Rows]] = []
    read_or_compute(path, ["b"], after=lambda key: results.append(read_or_compute(path, ["a"], after=never)))
    assert results == [{"a": rows_of("a")}]


def test_a_process_that_was_suspended_leaves_the_rows_to_the_machine_that_took_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_store, "COMMIT_EVERY_S", 0.0)
    path, theirs = tmp_path / "a.sqlite", [(0.5, 1, "theirs", b"")]
    computed: list[str] = []

    def other_machine(key: str) -> None:
        if key != "a":
            return
        owner = owner_file(path.with_suffix(".lock"))
        owner.write_text(owner.read_text().replace('"pid"', '"was"'))  # It has ended, too, by the next look.
        with KeyedStore(path, COLUMNS) as store:
            store.put("b", theirs)

    rows = read_or_compute(path, ["a", "b", "c"], computed, after=other_machine)
    assert rows == {"a": rows_of("a"), "b": theirs, "c": rows_of("c")}
    assert computed == ["a", "c"]


@pytest.mark.parametrize("is_new", [True, False])
def test_rows_that_a_machine_adds_after_it_lost_the_lock_stay(tmp_path: Path, is_new: bool) -> None:
    """It was suspended within its transaction, where it cannot look again."""
    path, theirs = tmp_path / "a.sqlite", [(0.5, 1, "theirs", b"")]
    if not is_new:
        read_or_compute(path, ["x"])

    def other_machine(key: str) -> None:
        if key == "a":
            with KeyedStore(path, COLUMNS) as store:
                store.put("a", theirs)

    assert read_or_compute(path, ["a", "b"], after=other_machine) == {"a": theirs, "b": rows_of("b")}


def broken(path: Path) -> dict[str, bytes]:
    read_or_compute(path, ["a" * 30, "b" * 3000])
    complete = path.read_bytes()
    half = complete[: len(complete) // 2]
    other = path.with_name("other.sqlite")
    with sqlite3.connect(other) as file:
        file.execute("CREATE TABLE items (item INTEGER PRIMARY KEY, key TEXT)")
    file.close()
    flipped = complete[:100] + bytes(255 - byte for byte in complete[100:300]) + complete[300:]
    return {"text": b"not a database" * 100, "half": half, "foreign": other.read_bytes(), "flipped": flipped}


def test_a_damaged_or_foreign_file_is_reported_and_not_changed(tmp_path: Path) -> None:
    for name, content in broken(tmp_path / "complete.sqlite").items():
        path = tmp_path / f"{name}.sqlite"
        path.write_bytes(content)
        with pytest.raises(CliprpnError, match=rf"delete .*{name}\.sqlite") as caught:
            read_or_compute(path, ["a" * 30, "b" * 3000, "c"], after=never)
        assert (caught.value.code, path.read_bytes() == content) == ("data_invalid", True), name


def test_a_store_with_other_columns_is_rejected(tmp_path: Path) -> None:
    read_or_compute(tmp_path / "a.sqlite", ["a"])
    with pytest.raises(CliprpnError, match="other tables"):
        get_or_compute(
            tmp_path / "a.sqlite", {"score": "real"}, ["a"], lambda *_: None, lambda: None, lambda: False
        )


def test_an_empty_file_is_an_empty_store(tmp_path: Path) -> None:
    """A run that is killed before its first rows leaves an empty file."""
    (tmp_path / "a.sqlite").touch()
    assert read_or_compute(tmp_path / "a.sqlite", ["a"]) == {"a": rows_of("a")}


def test_a_full_disk_keeps_earlier_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    read_or_compute(path, ["a"])
    with pytest.raises(CliprpnError) as caught, KeyedStore(path, COLUMNS) as store:
        # SQLite then fails as on a full disk.
        pages = store._file.execute("PRAGMA page_count").fetchone()[0]
        store._file.execute(f"PRAGMA max_page_count = {pages + 2}")
        store.put("b" * 5000, rows_of("b" * 5000))
    assert caught.value.code == "no_space" and str(path) in caught.value.message
    computed: list[str] = []
    read_or_compute(path, ["a", "b" * 5000], computed)
    assert computed == ["b" * 5000]


def test_a_read_only_folder_still_returns_stored_rows() -> None:
    # In /tmp itself, since other users may have no access to pytest's folders or TMPDIR.
    with tempfile.TemporaryDirectory(dir="/tmp") as parent:
        folder = Path(parent) / "cache"
        path = folder / "a.sqlite"
        read_or_compute(path, ["a"])
        (folder / "a.lock").unlink()
        os.chmod(parent, 0o755)
        os.chmod(folder, 0o555)
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(65534)
        try:
            assert read_or_compute(path, ["a"], after=never) == {"a": rows_of("a")}
            with pytest.raises(CliprpnError, match="CLIPRPN_CACHE") as caught:
                read_or_compute(path, ["a", "b"], after=never)
        finally:
            if is_root:
                os.seteuid(0)
            os.chmod(folder, 0o755)
        assert caught.value.code == "environment_broken"


def test_rows_of_a_shared_cache_are_read_and_not_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, own = tmp_path / "shared/vectors/a.sqlite", tmp_path / "own/vectors/a.sqlite"
    read_or_compute(shared, ["one", "two"])
    before = shared.read_bytes()
    monkeypatch.setenv("CLIPRPN_SHARED_CACHE", str(tmp_path / "shared"))
    computed: list[str] = []
    rows = read_or_compute(own, ["three", "two", "one"], computed)
    assert rows == {key: rows_of(key) for key in ("one", "two", "three")}
    assert computed == ["three"]
    assert shared.read_bytes() == before
    assert read_or_compute(own, ["one", "three"], computed) == {key: rows_of(key) for key in ("one", "three")}
    assert computed == ["three"]
