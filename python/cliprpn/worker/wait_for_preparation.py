"""Whether a pilot has to wait: it takes no trial while another one makes what trials share."""

from __future__ import annotations

import time
from collections.abc import Callable

from cliprpn.worker.queue_folder import Preparation, QueueFolder

# In a longer gap this pilot was suspended, or the disk did not answer. As src/engine/queue/pilot-watch.ts.
MAX_GAP_S = 1.0


class PreparationWait:
    """Keeps a pilot from trials until the preparation has ended, or its pilot is lost.

    Whoever runs the sweep notices a lost pilot and has another one prepare. With `--detach` nobody runs it: so every
    pilot that waits watches the heartbeat, too, and the first one that misses it for the time of the lease ends the
    preparation. Then trials make what is missing.

    Args:
        lease_s: time without a heartbeat after which a pilot is lost. Only time counts in which this pilot looks: while
            the disk does not answer, the other one cannot have a heartbeat either.
        now: a clock, in seconds.
    """

    def __init__(self, queue: QueueFolder, lease_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._queue, self._lease_s, self._now = queue, lease_s, now
        # The preparation, its pilot and that one's last heartbeat; and for how long this pilot has seen the same.
        self._seen: tuple[str, str, int | None] | None = None
        self._unchanged_s = 0.0
        self._looked_at = 0.0

    def watch(self, preparations: list[Preparation]) -> None:
        """Call it again and again while there are preparations that have not ended."""
        for each in preparations:
            if each.pilot is None:
                continue
            seen = (each.entry, each.pilot, self._queue.heartbeat_of(each.pilot))
            now = self._now()
            passed_s, self._looked_at = min(now - self._looked_at, MAX_GAP_S), now
            if seen != self._seen:
                self._seen, self._unchanged_s = seen, 0.0
                return
            self._unchanged_s += passed_s
            if self._unchanged_s > self._lease_s:
                reason = f"it gave no sign of life for {self._lease_s:g} s"
                self._queue.end_for(each.entry, each.pilot, reason)
            return
