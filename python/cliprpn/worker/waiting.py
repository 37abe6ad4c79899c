"""Takes attempts that wait in a queue, the first one first."""

from __future__ import annotations

from collections import deque

from cliprpn.contract.generated import QueuedAttempt
from cliprpn.errors import CliprpnError
from cliprpn.worker.paths import Replaced, missing_path, with_local_paths
from cliprpn.worker.queue_folder import QueueFolder


class WaitingAttempts:
    """What waits in a queue. Its folder is listed only when all names of the last listing have been tried.

    What is submitted later comes later, so an earlier listing holds what comes first; and with thousands of attempts a
    look costs no more than with one.

    Args:
        replaced: see `with_local_paths`.
    """

    def __init__(self, queue: QueueFolder, replaced: Replaced) -> None:
        self._queue, self._replaced = queue, replaced
        self._names: deque[str] = deque()

    def take(self) -> tuple[str, QueuedAttempt] | None:
        """Takes the first attempt that no other pilot has; None if there is none now.

        Returns:
            Its entry, and the attempt with the paths of this machine.

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
            attempt = with_local_paths(attempt, self._replaced)
            _require_paths(attempt)
            entry = self._queue.claim(name)
            if entry is not None:
                return entry, attempt
        return None


def _require_paths(attempt: QueuedAttempt) -> None:
    """
    Raises:
        CliprpnError: not_found.
    """
    missing = missing_path(attempt)
    if missing is not None:
        raise CliprpnError(
            "not_found",
            f"{missing}: expected this path of the machine that runs the sweep, found nothing here; share the folder, "
            "or say where it is with --replace FROM=TO",
        )
