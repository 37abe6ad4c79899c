"""Which copies on a machine's own disk are used, and the removal of those that are not.

A process that uses a copy holds a shared lock on its folder (`flock`) until it ends, and sets the folder's time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cliprpn.errors import CliprpnError
from cliprpn.storage.durable import has_space
from cliprpn.storage.lock import file_lock

UNUSED_DAYS = 30
# What a killed process has left is removed after this time. As src/runs/other-removals.ts.
LEFTOVER_DAYS = 1
# The lock of each copy that this process uses: a descriptor of its folder.
_held: dict[Path, int] = {}


def copy_lock(copy: Path) -> Path:
    """The lock file of whoever makes or removes a copy."""
    return copy.with_name(f".{copy.name}.lock")


def staging_folder(copy: Path) -> Path:
    """Where a copy is made; another name for each process."""
    return copy.with_name(f".{copy.name}.{secrets.token_hex(8)}.part")


def hold(copy: Path) -> bool:
    """Marks a copy as used by this process until it ends. Returns False if there is none, or it is being removed."""
    try:
        descriptor = os.open(copy, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        is_there = os.path.samestat(os.fstat(descriptor), os.stat(copy))
    except (BlockingIOError, FileNotFoundError):
        is_there = False
    if not is_there:
        os.close(descriptor)
        return False
    with contextlib.suppress(PermissionError):  # Another user's copy, whose time only that one sets.
        os.utime(copy)
    earlier = _held.get(copy)
    _held[copy] = descriptor
    if earlier is not None:
        os.close(earlier)
    return True


def remove_unused(copies: Path, stores: Path, say: Callable[[str], None]) -> None:
    """Removes copies and stores that nobody has used for a month, and what killed processes have left.

    Args:
        copies: folder of copies.
        stores: folder of SQLite files, `<kind>/<name>.sqlite`.
        say: called with a line about what was removed.
    """
    sizes = [
        *(_remove_copy(copy, UNUSED_DAYS) for copy in _copies_by_use(copies)),
        *(_remove_store(store) for store in stores.glob("*/*.sqlite")),
    ]
    removed = [size for size in sizes if size is not None]
    if removed:
        say(
            f"{copies.parent}: removed {len(removed)} copies of features and stores that were not used for "
            f"{UNUSED_DAYS} days, {sum(removed) / 1e9:.2f} GB"
        )
    for left in copies.glob(".*.part"):
        copy = copies / left.name.removeprefix(".").removesuffix(".part").rpartition(".")[0]
        if _unused_days(left) > LEFTOVER_DAYS:
            with _if_free(copy_lock(copy)) as is_free:
                if is_free:
                    shutil.rmtree(left, ignore_errors=True)


def make_room(copies: Path, needed: int) -> None:
    """Removes copies that no process uses, the one that was used longest ago first, until the disk has space.

    Args:
        needed: bytes.
    """
    for copy in _copies_by_use(copies):
        if has_space(copies, needed):
            return
        _remove_copy(copy, 0)


def _copies_by_use(copies: Path) -> list[Path]:
    """The copies, beginning with the one that was used longest ago."""
    found = [copy for copy in copies.glob("*") if not copy.name.startswith(".")]
    return sorted(found, key=_unused_days, reverse=True)


def _remove_copy(copy: Path, unused_days: float) -> int | None:
    """Removes a copy unless it was used since, or a process uses or makes it.

    Returns:
        the bytes that were removed; None if the copy stays.
    """
    if _unused_days(copy) <= unused_days:
        return None
    with _if_free(copy_lock(copy)) as is_free:
        return _remove_if_unused(copy, unused_days) if is_free else None


def _remove_if_unused(copy: Path, unused_days: float) -> int | None:
    try:
        descriptor = os.open(copy, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _unused_days(copy) <= unused_days:
            return None
        num_bytes = sum(file.stat().st_size for file in copy.iterdir())
        removed = staging_folder(copy)
        copy.rename(removed)  # In one step, since a copy that has its name is whole.
        shutil.rmtree(removed, ignore_errors=True)
        return num_bytes
    except OSError:  # A process uses it, it is another user's, or its file system has no such locks.
        return None
    finally:
        os.close(descriptor)


def _remove_store(store: Path) -> int | None:
    """As `_remove_copy`. A process that reads the file at this moment reads all of it."""
    if _unused_days(store) <= UNUSED_DAYS:
        return None
    with _if_free(store.with_suffix(".lock")) as is_free:
        # With a journal, its writer was killed: the next one completes or undoes the change.
        if not is_free or store.with_name(f"{store.name}-journal").exists():
            return None
        try:
            num_bytes = store.stat().st_size
            store.unlink()
        except OSError:
            return None
        return num_bytes


@contextlib.contextmanager
def _if_free(lock: Path) -> Iterator[bool]:
    """Takes a lock, unless a process holds it, or it is another user's. Says whether it was taken."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(file_lock(lock, lambda: None, lambda: True))
        except (CliprpnError, OSError):
            is_free = False
        else:
            is_free = True
        yield is_free


def _unused_days(path: Path) -> float:
    """Days since a copy or a store was used; 0 if it is gone."""
    try:
        return (time.time() - path.stat().st_mtime) / 86_400
    except FileNotFoundError:
        return 0.0
