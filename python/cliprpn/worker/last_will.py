"""What is to become of a pilot's attempt if the pilot is killed."""

from __future__ import annotations

from typing import Literal

from cliprpn.contract.generated import EndedAttempt
from cliprpn.worker.queue_folder import QueueFolder
from cliprpn.worker.survivor import Survivor, Will


class LastWill:
    """Has a small process end the attempt for the pilot: lost, or preempted if the pilot had been asked to leave."""

    def __init__(self, queue: QueueFolder) -> None:
        self._queue = queue
        self._survivor: Survivor | None = None
        self._entry: str | None = None
        self._signal = ""

    def make(self) -> None:
        """Starts the process. Call it when the pilot is registered.

        Raises:
            OSError: this machine starts no more processes.
        """
        self._survivor = Survivor(self._queue.pilot_file)

    def runs(self, entry: str | None) -> None:
        """The attempt that the pilot runs from now on; None if it has ended."""
        self._entry = entry
        self._tell()

    def leaves(self, signal: str) -> None:
        """The pilot was asked to leave. May be called by a signal handler."""
        self._signal = signal
        self._tell()

    def revoke(self) -> None:
        """The pilot ends by itself."""
        # First: a signal that comes meanwhile has nothing to tell.
        survivor, self._survivor = self._survivor, None
        if survivor is not None:
            survivor.release()

    def _tell(self) -> None:
        told: str | None = None
        while self._survivor is not None and told != self._signal:  # A signal may come meanwhile.
            told = self._signal
            self._survivor.tell(None if self._entry is None else self._will_of(self._entry, told))

    def _will_of(self, entry: str, signal: str) -> Will:
        how: Literal["lost", "preempted"] = "lost" if signal == "" else "preempted"
        reason = signal or "it was killed, as Linux does where memory is short"
        ended = EndedAttempt(schema_version=1, how=how, pilot=self._queue.pilot, reason=reason, error=None)
        return self._queue.will(entry, ended)
