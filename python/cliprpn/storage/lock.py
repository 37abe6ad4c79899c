"""A lock between processes, which the kernel releases when its holder dies."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cliprpn.errors import CliprpnError


@contextmanager
def file_lock(path: Path, on_wait: Callable[[], None], should_stop: Callable[[], bool]) -> Iterator[None]:
    """Holds a lock on `path`; waits while another process holds it.

    Args:
        on_wait: called once if the lock is not free.
        should_stop: checked while waiting.

    Raises:
        CliprpnError: interrupted, if `should_stop` becomes true while waiting.
    """
    with path.open("a") as file:
        has_waited = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not has_waited:
                    on_wait()
                    has_waited = True
                if should_stop():
                    raise CliprpnError(
                        "interrupted", f"{path}: stopped while waiting for another process"
                    ) from None
                time.sleep(0.1)
        yield
