"""A lock between processes that the kernel gives back when its holder dies."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cliprpn.errors import CliprpnError


@contextmanager
def file_lock(path: Path, on_wait: Callable[[], None], should_stop: Callable[[], bool]) -> Iterator[None]:
    """Holds `path` locked; while another holds it, waits and says so once.

    Raises:
        CliprpnError: interrupted, when asked to stop while waiting.
    """
    with path.open("a") as file:
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    on_wait()
                    told = True
                if should_stop():
                    raise CliprpnError("interrupted", "stopped while waiting for features") from None
                time.sleep(0.1)
        yield
