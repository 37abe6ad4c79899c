"""Takes what waits in a queue: what trials share, and then attempts, the first one first."""

from __future__ import annotations

from collections import deque

from cliprpn.errors import CliprpnError
from cliprpn.worker.paths import Roots
from cliprpn.worker.queue_folder import Queued, QueueFolder
from cliprpn.worker.wait_for_preparation import PreparationWait


class WaitingAttempts:
    """What waits in a queue. Its folder is listed only when all names of the last listing have been tried.

    What is submitted later comes later, so an earlier listing holds what comes first; and with thousands of attempts a
    look costs no more than with one.

    Args:
        roots: where the folders of attempts are on this machine.
        lease_s: a pilot without a heartbeat for this time is lost.

    Attributes:
        is_blocked: whether another pilot makes what trials share, so that there will be more to do after it.
    """

    def __init__(self, queue: QueueFolder, roots: Roots, lease_s: float) -> None:
        self._queue, self._roots = queue, roots
        self._names: deque[str] = deque()
        self._preparation = PreparationWait(queue, lease_s)
        self.is_blocked = False

    def take(self) -> tuple[str, Queued] | None:
        """Takes the first one that no other pilot has; None if there is none now, or another pilot prepares.

        Returns:
            Its entry, and the attempt as it was queued.

        Raises:
            CliprpnError: not_found, if the attempt needs a path that does not exist here; contract_violation.
            OSError: the queue cannot be read.
        """
        preparations = self._queue.preparations()
        for each in preparations:
            if each.pilot is None:
                found = self._take(each.name, self._queue.read_preparation(each.name))
                if found is not None:
                    return found
        self.is_blocked = len(preparations) > 0
        if self.is_blocked:
            self._preparation.watch(preparations)
            return None
        if not self._names:
            self._names.extend(self._queue.waiting())
        while self._names:
            name = self._names.popleft()
            found = self._take(name, self._queue.read_waiting(name))
            if found is not None:
                return found
        return None

    def _take(self, name: str, attempt: Queued | None) -> tuple[str, Queued] | None:
        if attempt is None:
            return None
        missing = self._roots.missing(attempt)
        if missing is not None:
            raise CliprpnError("not_found", missing)
        entry = self._queue.claim(name)
        return None if entry is None else (entry, attempt)
