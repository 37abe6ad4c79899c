"""Takes attempts that wait in a queue, the first one first."""

from __future__ import annotations

from collections import deque

from cliprpn.contract.generated import QueuedAttempt
from cliprpn.errors import CliprpnError
from cliprpn.worker.paths import Roots
from cliprpn.worker.queue_folder import QueueFolder


class WaitingAttempts:
    """What waits in a queue. Its folder is listed only when all names of the last listing have been tried.

    What is submitted later comes later, so an earlier listing holds what comes first; and with thousands of attempts a
    look costs no more than with one.

    Args:
        roots: where the folders of attempts are on this machine.
    """

    def __init__(self, queue: QueueFolder, roots: Roots) -> None:
        self._queue, self._roots = queue, roots
        self._names: deque[str] = deque()

    def take(self) -> tuple[str, QueuedAttempt] | None:
        """Takes the first attempt that no other pilot has; None if there is none now.

        Returns:
            Its entry, and the attempt as it was queued.

        Raises:
            CliprpnError: not_found, if the attempt needs a path that does not exist here; contract_violation.
            OSError: the queue cannot be read.
        """
        if not self._names:
            self._names.extend(self._queue.waiting())
        while self._names:
            name = self._names.popleft()
            attempt = self._queue.read_waiting(name)
            if attempt is None:
                continue
            missing = self._roots.missing(attempt)
            if missing is not None:
                raise CliprpnError("not_found", missing)
            entry = self._queue.claim(name)
            if entry is not None:
                return entry, attempt
        return None
