"""Folders on the own disk of a machine of a cluster, which its pilot tells the worker in the environment.

The cache is on a share there: files that several machines would write at the same time must not be, and large files are
read faster from the own disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from cliprpn.storage.unused_copies import remove_unused

# Where trials write what they add to a store: SQLite is not made for several machines.
STORES = "CLIPRPN_NODE_STORES"
# Where features are copied to; unset if they are read from the share.
FEATURES = "CLIPRPN_NODE_CACHE"
# Of the folders of pilots without a cache on the node.
PREFIX = "cliprpn-node-"
NEW_PREFIX = "cliprpn-new-"


def node_stores() -> Path | None:
    """Where trials write what they add to a store; None for the cache itself."""
    return _folder(STORES)


def node_copies() -> Path | None:
    """Where features are copied to; None if they are read where they are."""
    cache = _folder(FEATURES)
    return None if cache is None else copies_folder(cache)


def copies_folder(cache: Path) -> Path:
    """The folder of copies in a folder that was chosen for a node."""
    return cache / "features"


def _folder(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


@contextlib.contextmanager
def node_environment(
    cache: str | None, say: Callable[[str], None] = lambda line: None
) -> Iterator[dict[str, str]]:
    """The variables for a pilot's workers. First removes what nobody has used for long.

    Args:
        cache: the folder for copies of features, which stays, with the stores; may contain variables of this machine,
            such as `$TMPDIR`. None for no copies. Without it, or if it cannot be written, stores are in a temporary
            folder that is removed at the end, also those of pilots that were killed.
        say: called with a line about what was removed, or why nothing is.
    """
    chosen = None if cache is None else Path(os.path.expandvars(cache))
    features = {} if chosen is None else {FEATURES: str(chosen)}
    if chosen is not None and _can_write(chosen / "stores"):
        try:
            remove_unused(copies_folder(chosen), chosen / "stores", say)
        except OSError as error:
            say(f"{chosen}: what nobody has used for long is not removed: {error.strerror}")
        yield features | {STORES: str(chosen / "stores")}
        return
    with _temporary_folder() as folder:
        yield features | {STORES: str(folder)}


def _can_write(folder: Path) -> bool:
    if not folder.is_absolute():
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    parent = Path(tempfile.gettempdir())
    _remove_leftovers(parent)
    new = Path(tempfile.mkdtemp(prefix=NEW_PREFIX, dir=parent))
    folder = parent / f"{PREFIX}{new.name.removeprefix(NEW_PREFIX)}"
    try:
        with _held(new):
            new.rename(folder)  # Only now does it look like one that may be left.
            yield folder
    finally:
        for each in (new, folder):
            shutil.rmtree(each, ignore_errors=True)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Holds a lock on a folder as long as this process lives."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _remove_leftovers(parent: Path) -> None:
    """Removes the folders of this user's pilots that were killed."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # Another user's, in use, or another pilot removes it.
            if folder.stat().st_uid != os.getuid():
                continue
            with _held(folder):
                shutil.rmtree(folder, ignore_errors=True)
