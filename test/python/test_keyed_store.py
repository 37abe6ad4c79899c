"""A keyed store: typed, made once, kept through any kill, shared, and told apart from other files."""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cliprpn.errors import CliprpnError
from cliprpn.storage import keyed_store
from cliprpn.storage.keyed_store import ColumnTypes, KeyedStore, Put, Rows, get_or_compute

COLUMNS: ColumnTypes = {"score": "real", "count": "integer", "name": "text", "bytes": "blob"}


def rows_of(key: str) -> Rows:
    """As many rows as the key has letters."""
    return [(0.1 * place, 2**60 + place, f"{key} ü\0", bytes([place % 256, 0])) for place in range(len(key))]


def ask(
    path: Path,
    keys: list[str],
    made: list[str] | None = None,
    on_wait: Callable[[], None] = lambda: None,
    after: Callable[[str], object] = lambda key: None,
) -> dict[str, Rows]:
    """What is kept or made; `made` gets the keys that were made, `after` is called behind each."""

    def make(missing: list[str], put: Put) -> None:
        for key in missing:
            put(key, rows_of(key))
            if made is not None:
                made.append(key)
            after(key)

    return get_or_compute(path, COLUMNS, keys, make, on_wait, lambda: False)


def never(key: str) -> None:
    raise AssertionError("nothing is missing, so nothing may be made")


def test_what_is_kept_comes_back_to_the_bit_and_only_the_rest_is_made(tmp_path: Path) -> None:
    path = tmp_path / "odd #?%20 ü" / "deep" / "a.sqlite"
    made: list[str] = []
    # "" is a key with no rows, which is something else than a missing one; "aa" is asked for twice.
    first = ask(path, ["aa", "", "b", "aa"], made)
    assert first == {key: rows_of(key) for key in ("aa", "", "b")}
    assert made == ["aa", "", "b"]
    assert ask(path, ["ccc", "b", ""], made) == {key: rows_of(key) for key in ("ccc", "b", "")}
    assert made == ["aa", "", "b", "ccc"]
    assert ask(path, [], after=never) == {}


def test_more_keys_than_a_query_takes(tmp_path: Path) -> None:
    keys = [f"{number:06}" for number in range(2 * keyed_store.KEYS_A_QUERY + 1)]
    path = tmp_path / "a.sqlite"
    assert ask(path, keys) == ask(path, keys, after=never) == {key: rows_of(key) for key in keys}


@pytest.mark.parametrize(
    "row", [("high", 1, "a", b""), (0.5, 1.5, "a", b""), (0.5, 1, b"a", b""), (0.5, 1, None, b"")]
)
def test_a_value_of_another_type_is_refused(
    tmp_path: Path, row: tuple[float | int | str | bytes, ...]
) -> None:
    def make(missing: list[str], put: Put) -> None:
        put("a", [row])

    with pytest.raises(sqlite3.IntegrityError):
        get_or_compute(tmp_path / "a.sqlite", COLUMNS, ["a"], make, lambda: None, lambda: False)


def test_what_was_put_before_an_error_is_kept(tmp_path: Path) -> None:
    def stop_at_third(key: str) -> None:
        if key == "c":
            raise CliprpnError("interrupted", "stopped")

    path = tmp_path / "a.sqlite"
    with pytest.raises(CliprpnError, match="stopped"):
        ask(path, ["a", "b", "c", "d"], after=stop_at_third)
    made: list[str] = []
    ask(path, ["a", "b", "c", "d"], made)
    assert made == ["d"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_kill_at_any_moment_costs_only_what_was_not_yet_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_store, "COMMIT_EVERY_S", 0.0)  # Each key on the disk before the next.
    keys = [f"{number:04}" for number in range(5000)]
    path = tmp_path / "a.sqlite"
    kept = 0
    for num_seen in (1, 2, 3, 5, 8, 13):
        done, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                ask(path, keys, after=lambda key: os.write(told, b"."))  # noqa: B023
            finally:
                os._exit(1)
        for _ in range(num_seen):
            os.read(done, 1)
        os.kill(pid, signal.SIGKILL)  # It is at its next transaction by now.
        os.waitpid(pid, 0)
        os.close(done), os.close(told)
        found = keyed_store._kept(path, COLUMNS, keys)
        assert found == {key: rows_of(key) for key in keys[: len(found)]}
        assert kept + num_seen <= len(found) < len(keys)
        kept = len(found)
    made: list[str] = []
    assert ask(path, keys[: kept + 2], made) == {key: rows_of(key) for key in keys[: kept + 2]}
    assert made == keys[kept : kept + 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_of_two_processes_one_makes_and_the_other_waits(tmp_path: Path) -> None:
    path, ready = tmp_path / "a.sqlite", tmp_path / "ready"
    pid = os.fork()
    if pid == 0:
        try:
            ask(path, ["aa", "b"], after=lambda key: (ready.touch(), time.sleep(0.15)))
            os._exit(0)
        finally:
            os._exit(1)
    while not ready.exists():
        time.sleep(0.005)
    waits: list[int] = []
    found = ask(path, ["b", "aa"], on_wait=lambda: waits.append(1), after=never)
    assert found == {key: rows_of(key) for key in ("b", "aa")}
    assert waits == [1]
    assert os.waitpid(pid, 0)[1] == 0


def test_who_reads_does_not_wait_for_who_makes_other_things(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    ask(path, ["a"])
    asked: list[dict[str, Rows]] = []
    ask(path, ["b"], after=lambda key: asked.append(ask(path, ["a"], after=never)))
    assert asked == [{"a": rows_of("a")}]


def broken(path: Path) -> dict[str, bytes]:
    ask(path, ["a" * 30, "b" * 3000])
    whole = path.read_bytes()
    half = whole[: len(whole) // 2]
    other = path.with_name("other.sqlite")
    with sqlite3.connect(other) as file:
        file.execute("CREATE TABLE items (item INTEGER PRIMARY KEY, key TEXT)")
    file.close()
    flipped = whole[:100] + bytes(255 - byte for byte in whole[100:300]) + whole[300:]
    return {"text": b"not a database" * 100, "half": half, "foreign": other.read_bytes(), "flipped": flipped}


def test_a_damaged_or_foreign_file_is_named_and_left_alone(tmp_path: Path) -> None:
    for name, content in broken(tmp_path / "whole.sqlite").items():
        path = tmp_path / f"{name}.sqlite"
        path.write_bytes(content)
        with pytest.raises(CliprpnError, match=rf"delete .*{name}\.sqlite and run again") as caught:
            ask(path, ["a" * 30, "b" * 3000, "c"], after=never)
        assert (caught.value.code, path.read_bytes() == content) == ("data_invalid", True), name


def test_a_store_with_other_columns_is_another(tmp_path: Path) -> None:
    ask(tmp_path / "a.sqlite", ["a"])
    with pytest.raises(CliprpnError, match="other tables"):
        get_or_compute(
            tmp_path / "a.sqlite", {"score": "real"}, ["a"], lambda *_: None, lambda: None, lambda: False
        )


def test_an_empty_file_is_a_store_with_nothing(tmp_path: Path) -> None:
    """A run that was killed before its first rows leaves one."""
    (tmp_path / "a.sqlite").touch()
    assert ask(tmp_path / "a.sqlite", ["a"]) == {"a": rows_of("a")}


def test_a_full_disk_keeps_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    ask(path, ["a"])
    with pytest.raises(CliprpnError) as caught, KeyedStore(path, COLUMNS) as store:
        # SQLite answers as on a full disk.
        pages = store._file.execute("PRAGMA page_count").fetchone()[0]
        store._file.execute(f"PRAGMA max_page_count = {pages + 2}")
        store.put("b" * 5000, rows_of("b" * 5000))
    assert caught.value.code == "no_space" and str(path) in caught.value.message
    made: list[str] = []
    ask(path, ["a", "b" * 5000], made)
    assert made == ["b" * 5000]


def test_a_folder_that_cannot_be_written_to_serves_what_it_has() -> None:
    # Below /tmp itself: pytest's own folders, and a TMPDIR, may be closed to other users.
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        folder = Path(made) / "cache"
        path = folder / "a.sqlite"
        ask(path, ["a"])
        (folder / "a.lock").unlink()
        os.chmod(made, 0o755)
        os.chmod(folder, 0o555)
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(65534)
        try:
            assert ask(path, ["a"], after=never) == {"a": rows_of("a")}
            with pytest.raises(CliprpnError, match="CLIPRPN_CACHE") as caught:
                ask(path, ["a", "b"], after=never)
        finally:
            if is_root:
                os.seteuid(0)
            os.chmod(folder, 0o755)
        assert caught.value.code == "bad_input"
