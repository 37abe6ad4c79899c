"""The heartbeat of a pilot, in a thread of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable


class Heartbeat:
    """Beats until it is stopped, or until the controller has removed the pilot.

    Args:
        beat: returns False if the pilot is removed.
    """

    def __init__(self, beat: Callable[[], bool], every_s: float) -> None:
        self._beat, self._every_s = beat, every_s
        self._stopped = threading.Event()
        self.is_gone = False
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            with contextlib.suppress(OSError):  # A share that does not answer: the next one may succeed.
                if not self._beat():
                    self.is_gone = True
                    return
