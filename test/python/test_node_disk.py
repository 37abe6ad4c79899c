"""What a machine of a cluster keeps on its own disk, and locks between machines."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from cliprpn.errors import CliprpnError
from cliprpn.storage import lock_owner, node_copy, node_disk, unused_copies
from cliprpn.storage.array_store import StoreWriter, open_store
from cliprpn.storage.keyed_store import KeyedStore, get_or_compute
from cliprpn.storage.lock import file_lock
from cliprpn.storage.lock_owner import OwnerWatch, owner_file
from cliprpn.storage.node_copy import copy_to_node, is_whole
from cliprpn.storage.node_disk import node_environment

ROWS = np.arange(60_000, dtype=np.float32).reshape(-1, 6)


def made_store(folder: Path) -> Path:
    with StoreWriter(folder, {"maps": ((6,), np.float32), "fits": ((), np.bool_)}, {"of": "test"}) as store:
        store.append(len(ROWS), {"maps": ROWS, "fits": ROWS[:, 0] > 9})
        store.finish()
    return folder


def copied(folder: Path, cache: Path, warnings: list[str] | None = None) -> Path:
    warn = (lambda message: None) if warnings is None else warnings.append
    return copy_to_node(folder, cache, warn, lambda done, total: None, lambda: False)


def rows_in(folder: Path) -> np.ndarray:
    arrays = open_store(folder)
    assert arrays is not None
    return arrays["maps"]


def test_a_store_is_copied_once_and_mapped_from_the_copy(tmp_path: Path) -> None:
    store = made_store(tmp_path / "share/maps-1")
    copy = copied(store, tmp_path / "node")
    assert copy == tmp_path / "node/maps-1"
    assert np.array_equal(rows_in(copy), ROWS)
    assert isinstance(rows_in(copy), np.memmap)
    inode = (copy / "maps.npy").stat().st_ino
    assert copied(store, tmp_path / "node") == copy
    assert (copy / "maps.npy").stat().st_ino == inode
    assert [path.name for path in (tmp_path / "node").iterdir() if path.is_dir()] == ["maps-1"]


def test_workers_of_a_machine_that_start_together_copy_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = made_store(tmp_path / "share/maps-1")
    copies: list[Path] = []
    copy_files, all_there = node_copy._copy, threading.Barrier(3)

    def count(folder: Path, copy: Path, *others: object) -> None:
        copies.append(copy)
        time.sleep(0.2)  # The others find the lock taken.
        copy_files(folder, copy, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(node_copy, "_copy", count)
    warnings: list[str] = []
    found: list[Path] = []

    def work() -> None:
        all_there.wait()
        found.append(copied(store, tmp_path / "node", warnings))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(copies) == 1
    assert found == [tmp_path / "node/maps-1"] * 3
    assert all("another worker of this machine copies" in warning for warning in warnings)


def test_two_processes_copy_once(tmp_path: Path) -> None:
    store = made_store(tmp_path / "share/maps-1")
    code = (
        "import sys; from pathlib import Path; from cliprpn.storage import node_copy as n; copy = n._copy\n"
        "def said(*a): print('copies', flush=True); copy(*a)\n"
        "n._copy = said; n.copy_to_node(Path(sys.argv[1]), Path(sys.argv[2]), print, lambda a, b: None, lambda: False)"
    )
    command = [sys.executable, "-c", code, str(store), str(tmp_path / "node")]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    output = [worker.communicate()[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert "".join(output).count("copies\n") == 1
    assert np.array_equal(rows_in(tmp_path / "node/maps-1"), ROWS)


def test_a_truncated_copy_is_not_used_but_made_again(tmp_path: Path) -> None:
    store = made_store(tmp_path / "share/maps-1")
    copy = copied(store, tmp_path / "node")
    os.truncate(copy / "maps.npy", 1000)
    assert not is_whole(copy, (store / "manifest.json").read_bytes())
    assert np.array_equal(rows_in(copied(store, tmp_path / "node")), ROWS)


def test_a_killed_copy_does_not_count(tmp_path: Path) -> None:
    store = made_store(tmp_path / "share/maps-1")
    code = (
        "import os, sys; from pathlib import Path; from cliprpn.storage.node_copy import copy_to_node\n"
        "copy_to_node(Path(sys.argv[1]), Path(sys.argv[2]), print, lambda a, b: os._exit(9), lambda: False)"
    )
    command = [sys.executable, "-c", code, str(store), str(tmp_path / "node")]
    assert subprocess.run(command, check=False).returncode == 9
    assert not (tmp_path / "node/maps-1").exists()
    assert len(list((tmp_path / "node").glob(".maps-1.*.part"))) == 1
    assert np.array_equal(rows_in(copied(store, tmp_path / "node")), ROWS)
    assert not list((tmp_path / "node").glob(".maps-1.*.part"))


def test_changed_features_are_copied_again(tmp_path: Path) -> None:
    store = made_store(tmp_path / "share/maps-1")
    copy = copied(store, tmp_path / "node")
    manifest = json.loads((store / "manifest.json").read_text())
    (store / "manifest.json").write_text(json.dumps(manifest | {"made_from": {"of": "another test"}}))
    assert not is_whole(copy, (store / "manifest.json").read_bytes())
    assert "another test" in (copied(store, tmp_path / "node") / "manifest.json").read_text()


def test_a_store_with_other_content_than_its_manifest_is_not_copied(tmp_path: Path) -> None:
    store = made_store(tmp_path / "share/maps-1")
    with (store / "maps.npy").open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff")
    with pytest.raises(CliprpnError, match=r"maps\.npy.*delete") as caught:
        copied(store, tmp_path / "node")
    assert caught.value.code == "data_invalid"
    assert not (tmp_path / "node/maps-1").exists()


def test_a_full_disk_falls_back_to_the_share_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = made_store(tmp_path / "share/maps-1")

    def full(descriptor: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(node_copy.os, "fsync", full)
    warnings: list[str] = []
    assert copied(store, tmp_path / "node", warnings) == store
    assert warnings == [
        f"{tmp_path / 'node'}: features are not copied to this machine, and are read from {store.parent}: "
        "No space left on device"
    ]
    assert not list((tmp_path / "node").glob("*maps-1*.part"))


@pytest.mark.parametrize("cache", ["$NO_SUCH_VARIABLE/cache", "/proc/none"])
def test_a_folder_that_cannot_be_made_falls_back_to_the_share(tmp_path: Path, cache: str) -> None:
    store = made_store(tmp_path / "share/maps-1")
    warnings: list[str] = []
    assert copied(store, Path(cache), warnings) == store
    assert len(warnings) == 1


def let_age(path: Path, days: float) -> None:
    at = time.time() - days * 86_400
    os.utime(path, (at, at))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if ".lock" not in path.name)


def forget_copies() -> None:
    """As if the process that used copies had ended."""
    for descriptor in unused_copies._held.values():
        os.close(descriptor)
    unused_copies._held.clear()


def start_worker(node: Path) -> list[str]:
    said: list[str] = []
    with node_environment(str(node), said.append):
        return said


def test_a_worker_that_starts_removes_copies_that_nobody_has_used_for_a_month(tmp_path: Path) -> None:
    node = tmp_path / "node"
    for name in ("maps-old", "maps-new"):
        copied(made_store(tmp_path / "share" / name), node / "features")
    forget_copies()
    let_age(node / "features/maps-old", 31)
    let_age(node / "features/maps-new", 29)
    (said,) = start_worker(node)
    assert "removed 1 " in said and "30 days" in said
    assert names_in(node / "features") == ["maps-new"]
    assert start_worker(node) == []
    copied(tmp_path / "share/maps-old", node / "features")
    assert names_in(node / "features") == ["maps-new", "maps-old"]


def test_a_worker_starts_also_if_old_copies_cannot_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(node_disk, "remove_unused", fail)
    (said,) = start_worker(tmp_path)
    assert said.endswith("not removed: Input/output error")


def test_the_use_of_a_copy_starts_its_month_again(tmp_path: Path) -> None:
    copy = copied(made_store(tmp_path / "share/maps-1"), tmp_path / "node/features")
    let_age(copy, 31)
    copied(tmp_path / "share/maps-1", tmp_path / "node/features")
    forget_copies()
    assert start_worker(tmp_path / "node") == []
    assert copy.exists()


def test_a_copy_is_not_removed_while_a_process_uses_it(tmp_path: Path) -> None:
    store = made_store(tmp_path / "share/maps-1")
    code = (
        "import sys; from pathlib import Path; from cliprpn.storage.node_copy import copy_to_node\n"
        "copy = copy_to_node(Path(sys.argv[1]), Path(sys.argv[2]), print, lambda a, b: None, lambda: False)\n"
        "print(copy, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(store), str(tmp_path / "node/features")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        copy = Path(worker.stdout.readline().strip())
        let_age(copy, 400)
        assert start_worker(tmp_path / "node") == []
        unused_copies.make_room(tmp_path / "node/features", 1 << 62)
        assert np.array_equal(rows_in(copy), ROWS)
        worker.communicate()
    let_age(copy, 400)
    assert len(start_worker(tmp_path / "node")) == 1
    assert not copy.exists()


def test_a_copy_that_is_being_made_is_not_removed(tmp_path: Path) -> None:
    copy = copied(made_store(tmp_path / "share/maps-1"), tmp_path / "node/features")
    forget_copies()
    let_age(copy, 400)
    with file_lock(unused_copies.copy_lock(copy), lambda: None, lambda: False):
        assert start_worker(tmp_path / "node") == []
    assert copy.exists()


def test_a_copy_that_is_removed_while_it_is_opened_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the folder and the lock on it."""
    store, node = made_store(tmp_path / "share/maps-1"), tmp_path / "node"
    copy = copied(store, node / "features")
    forget_copies()
    let_age(copy, 31)
    flock = unused_copies.fcntl.flock

    def remove_first(descriptor: int, operation: int) -> None:
        monkeypatch.undo()
        assert len(start_worker(node)) == 1
        flock(descriptor, operation)

    monkeypatch.setattr(unused_copies.fcntl, "flock", remove_first)
    assert np.array_equal(rows_in(copied(store, node / "features")), ROWS)
    let_age(copy, 31)
    assert start_worker(node) == []  # This process holds the new one.


def test_a_full_disk_loses_the_copies_that_were_used_longest_ago(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "node"
    for number, days in enumerate((2, 9, 5, 1)):
        let_age(copied(made_store(tmp_path / f"share/maps-{number}"), copies), days)
    forget_copies()
    unused_copies.hold(copies / "maps-1")  # It was used just now, by a process that lives.
    let_age(copies / "maps-1", 9)
    num_fitting = 3
    monkeypatch.setattr(
        unused_copies, "has_space", lambda folder, needed: len(list(folder.glob("maps-*"))) < num_fitting
    )
    copied(made_store(tmp_path / "share/maps-4"), copies)
    assert names_in(copies) == ["maps-1", "maps-3", "maps-4"]


def test_what_killed_workers_have_left_is_removed_after_a_day(tmp_path: Path) -> None:
    copies = tmp_path / "node/features"
    for name, days in ((".maps-1.ab.part", 2.0), (".maps-2.cd.part", 0.5)):
        (copies / name).mkdir(parents=True)
        let_age(copies / name, days)
    start_worker(tmp_path / "node")
    assert names_in(copies) == [".maps-2.cd.part"]


def test_stores_on_the_node_that_nobody_has_used_for_a_month_are_removed(tmp_path: Path) -> None:
    shared, node = tmp_path / "share/vectors", tmp_path / "node"
    stores = {name: node / "stores/vectors" / f"{name}.sqlite" for name in ("old", "read", "written", "torn")}
    for name, store in stores.items():
        rows_of(shared / store.name, ["a"], node / "stores", [])
        let_age(store, 31)
        if name == "torn":
            store.with_name(f"{store.name}-journal").touch()
    rows_of(shared / "read.sqlite", ["a"], node / "stores", [])
    with file_lock(stores["written"].with_suffix(".lock"), lambda: None, lambda: False):
        (said,) = start_worker(node)
    assert "removed 1 " in said
    assert [name for name, store in stores.items() if store.exists()] == ["read", "written", "torn"]
    computed: list[str] = []
    assert rows_of(shared / "old.sqlite", ["a"], node / "stores", computed) == {"a": [(1,)]}
    assert computed == ["a"]


def take_lock(lock: Path) -> None:
    """As another machine does, since this process was suspended; by the next look, that machine has ended, too."""
    owner_file(lock).write_text(owner_file(lock).read_text().replace('"pid"', '"was"'))


@pytest.mark.parametrize("moment", ["copying", "publication"])
def test_a_worker_that_was_suspended_leaves_the_copy_of_the_worker_that_took_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    store, cache = made_store(tmp_path / "share/maps-1"), tmp_path / "node"
    copy = cache / "maps-1"
    num_copies = 0
    copy_files, rename = node_copy._copy, os.rename

    def other_worker() -> None:
        take_lock(unused_copies.copy_lock(copy))
        for left in cache.glob(".*.part"):
            shutil.rmtree(left)
        shutil.copytree(store, copy)
        (copy / "theirs").touch()

    def count(*arguments: object) -> None:
        nonlocal num_copies
        num_copies += 1
        copy_files(*arguments)  # type: ignore[arg-type]

    def rename_late(source: Path, target: Path) -> None:
        if target == copy:
            monkeypatch.setattr(node_copy.os, "rename", rename)
            other_worker()
        rename(source, target)

    def on_copied(done: int, total: int) -> None:
        if moment == "copying" and not copy.exists():
            other_worker()

    monkeypatch.setattr(node_copy, "_copy", count)
    if moment == "publication":
        monkeypatch.setattr(node_copy.os, "rename", rename_late)
    warnings: list[str] = []
    assert copy_to_node(store, cache, warnings.append, on_copied, lambda: False) == copy
    assert np.array_equal(rows_in(copy), ROWS)
    assert (copy / "theirs").exists()
    assert (num_copies, warnings, names_in(cache)) == (1, [], ["maps-1"])


def test_an_interrupted_copy_leaves_nothing(tmp_path: Path) -> None:
    store = made_store(tmp_path / "share/maps-1")
    with pytest.raises(CliprpnError, match="copying") as caught:
        copy_to_node(store, tmp_path / "node", print, lambda done, total: None, lambda: True)
    assert caught.value.code == "interrupted"
    assert [path for path in (tmp_path / "node").iterdir() if path.is_dir()] == []


COLUMNS = {"value": "integer"}


def rows_of(
    path: Path, keys: list[str], own: Path | None, computed: list[str]
) -> dict[str, list[tuple[object]]]:
    def compute(missing: list[str], put: object) -> None:
        computed.extend(missing)
        for key in missing:
            put(key, [(len(key),)])  # type: ignore[operator]

    return get_or_compute(path, COLUMNS, keys, compute, lambda: None, lambda: False, own)  # type: ignore[arg-type,return-value]


def test_what_trials_add_to_a_store_of_the_share_goes_to_the_nodes_disk(tmp_path: Path) -> None:
    shared = tmp_path / "share/vectors/a.sqlite"
    computed: list[str] = []
    rows_of(shared, ["a"], None, computed)
    before = shared.read_bytes(), sorted(path.name for path in shared.parent.iterdir())
    found = rows_of(shared, ["a", "bb"], tmp_path / "node", computed)
    assert found == {"a": [(1,)], "bb": [(2,)]}
    assert computed == ["a", "bb"]
    assert (shared.read_bytes(), sorted(path.name for path in shared.parent.iterdir())) == before
    assert (tmp_path / "node/vectors/a.sqlite").exists()
    assert rows_of(shared, ["bb"], tmp_path / "node", computed) == {"bb": [(2,)]}
    assert computed == ["a", "bb"]


def test_a_store_whose_writer_was_killed_is_not_changed_by_its_readers(tmp_path: Path) -> None:
    shared = tmp_path / "share/vectors/a.sqlite"
    rows_of(shared, ["a"], None, [])
    code = (
        "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA cache_size = 1'); db.execute('PRAGMA cache_spill = 1'); db.execute('BEGIN IMMEDIATE')\n"
        "for i in range(2000): db.execute('INSERT INTO items (key) VALUES (?)', (f'{i:0200}',))\n"
        "os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(shared)], check=False).returncode == 9
    journal = shared.with_name("a.sqlite-journal")
    assert journal.exists(), "the test needs a change that is not complete"
    before = shared.read_bytes(), journal.read_bytes()
    computed: list[str] = []
    assert rows_of(shared, ["a"], tmp_path / "node", computed) == {"a": [(1,)]}
    assert computed == ["a"]
    assert (shared.read_bytes(), journal.read_bytes()) == before
    with KeyedStore(shared, COLUMNS, create=False) as store:  # type: ignore[arg-type]
        assert store.rows(["a"]) == {"a": [(1,)]}  # One that writes undoes it.


def test_a_lock_names_its_holder_while_it_is_held(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with file_lock(lock, lambda: None, lambda: False) as owner:
        facts = json.loads(owner_file(lock).read_text())
        assert facts["pid"] == os.getpid()
        assert facts["host"] == os.uname().nodename
        assert not owner.has_lost()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_the_lock_of_a_dead_process_of_this_machine_is_taken_at_once(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = (
        "import os, sys; from pathlib import Path; from cliprpn.storage.lock import file_lock\n"
        "held = file_lock(Path(sys.argv[1]), print, lambda: False); held.__enter__(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(lock)], check=False).returncode == 9
    assert owner_file(lock).exists()
    with file_lock(lock, lambda: None, lambda: False):
        assert json.loads(owner_file(lock).read_text())["pid"] == os.getpid()


def test_whoever_takes_the_lock_of_a_dead_process_has_not_waited(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    owner = OwnerWatch(lock).try_take()
    assert owner is not None
    owner._released.set()  # As if its process were gone.
    waits: list[str] = []
    with file_lock(lock, lambda: waits.append("waits"), lambda: False):
        assert owner.has_lost()
    assert waits == []


def test_a_process_of_this_machine_on_another_mount_counts_as_one_of_another_machine(tmp_path: Path) -> None:
    """As in containers that mount the share for themselves: the kernel keeps their locks apart."""
    lock = tmp_path / "lock"
    lock.touch()
    machine, _, device = lock_owner._kernel_of(lock).rpartition(" ")
    theirs = OwnerWatch(lock, f"{machine} {int(device) + 1}").try_take()
    assert theirs is not None
    assert OwnerWatch(lock).try_take() is None
    theirs.release()


def test_the_lock_of_another_machine_counts_while_it_has_a_heartbeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a share that keeps the locks of its machines apart."""
    monkeypatch.setattr(lock_owner, "BEAT_S", 0.01)
    lock, now = tmp_path / "lock", 0.0
    theirs = OwnerWatch(lock, "theirs", lambda: now).try_take()
    assert theirs is not None
    ours = OwnerWatch(lock, "ours", lambda: now)
    for at in (0.0, 29.0, 58.0, 87.0):
        now = at
        version = lock_owner._version(owner_file(lock))
        assert ours.try_take() is None
        while lock_owner._version(owner_file(lock)) == version:
            time.sleep(0.005)
    theirs._released.set()  # It is suspended, and has no heartbeat.
    theirs._thread.join()
    assert ours.try_take() is None
    now += 31
    owner = ours.try_take()
    assert owner is not None
    assert theirs.has_lost()
    theirs.release()
    assert not owner.has_lost()
    owner.release()
    assert list(tmp_path.iterdir()) == []


def test_stores_without_a_cache_on_the_node_last_as_long_as_the_pilot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_disk.tempfile, "gettempdir", lambda: str(tmp_path))
    with node_environment(None) as env, node_environment(None) as other:
        folders = [Path(each[node_disk.STORES]) for each in (env, other)]
        assert len({*folders}) == 2
        assert all(folder.is_dir() for folder in folders)
        assert node_disk.FEATURES not in env
    assert list(tmp_path.iterdir()) == []


def test_no_folder_is_left_if_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(node_disk.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(OSError, match="No space"), node_environment(None):
        pass
    assert list(tmp_path.iterdir()) == []


def test_stores_of_a_killed_pilot_are_removed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_disk.tempfile, "gettempdir", lambda: str(tmp_path))
    left = tmp_path / f"{node_disk.PREFIX}left"
    (left / "vectors").mkdir(parents=True)
    with node_environment(None):
        assert not left.exists()


def test_a_cache_on_the_node_may_be_named_by_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SCRATCH", str(tmp_path))
    with node_environment("$MY_SCRATCH/cliprpn") as env:
        assert env == {
            node_disk.FEATURES: f"{tmp_path}/cliprpn",
            node_disk.STORES: f"{tmp_path}/cliprpn/stores",
        }


@pytest.mark.parametrize("cache", ["$NO_SUCH_VARIABLE/cache", "/proc/none"])
def test_stores_are_in_a_temporary_folder_if_the_cache_on_the_node_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: str
) -> None:
    monkeypatch.setattr(node_disk.tempfile, "gettempdir", lambda: str(tmp_path))
    with node_environment(cache) as env:
        assert Path(env[node_disk.STORES]).parent == tmp_path
        assert env[node_disk.FEATURES] == cache  # What opens features says that it cannot be used.
    assert list(tmp_path.iterdir()) == []
