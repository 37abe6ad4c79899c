"""A lock between processes, also of several machines that share the disk."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cliprpn.errors import CliprpnError
from cliprpn.storage.lock_owner import LockOwner, OwnerWatch

POLL_S = 0.1


@contextmanager
def file_lock(
    path: Path, on_wait: Callable[[], None], should_stop: Callable[[], bool]
) -> Iterator[LockOwner]:
    """Holds a lock on `path`; waits while another process holds it.

    On one machine, the kernel releases the lock (`flock`) when its holder dies. Between machines, that is so only where
    the share says so, which depends on how it is mounted. So the holder also leaves a file that names its machine and
    has a heartbeat; it counts as dead if that does not change for a while.

    Args:
        on_wait: called once if the lock is not free.
        should_stop: checked while waiting.

    Yields:
        This holder, which can lose the lock if it was suspended: see `LockOwner.require`.

    Raises:
        CliprpnError: interrupted, if `should_stop` becomes true while waiting.
    """
    has_waited = False

    def wait() -> None:
        nonlocal has_waited
        if not has_waited:
            on_wait()
            has_waited = True
        if should_stop():
            raise CliprpnError("interrupted", f"{path}: stopped while waiting for another process") from None
        time.sleep(POLL_S)

    with path.open("a") as file:
        while not _try_flock(file.fileno()):
            wait()
        watch = OwnerWatch(path)
        while (owner := watch.try_take()) is None:
            wait()
        try:
            yield owner
        finally:
            owner.release()


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
