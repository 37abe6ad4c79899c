"""The pilot's side of `queue/` of a sweep, which src/engine/queue/queue-folder.ts describes."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from cliprpn.contract.generated import CancelRequest, EndedAttempt, PilotFacts, QueuedAttempt, QueueSettings
from cliprpn.storage.durable import write_durably

Model = TypeVar("Model", bound=BaseModel)


class QueueFolder:
    """A queue as one pilot sees it. Other processes change it at any time, and the disk may be slow to show that.

    Args:
        pilot: the name of this pilot.
    """

    def __init__(self, folder: Path, pilot: str) -> None:
        self.folder, self.pilot = folder, pilot

    def settings(self) -> QueueSettings:
        """
        Raises:
            OSError, ValueError: there is no queue, or one of another version.
        """
        return QueueSettings.model_validate_json((self.folder / "queue.json").read_text(), strict=True)

    def is_stopped(self) -> bool:
        """Whether pilots are asked to end."""
        return (self.folder / "stop").exists()

    def register(self, facts: PilotFacts) -> None:
        """Makes this pilot known, or changes what is known about it; also a heartbeat."""
        self._write(self._pilot_file, facts)

    def unregister(self) -> None:
        """Call it when the pilot ends."""
        self._pilot_file.unlink(missing_ok=True)

    def beat(self) -> bool:
        """A heartbeat. Returns False if the controller has removed this pilot."""
        try:
            os.utime(self._pilot_file)  # The file server's time, not this machine's.
        except FileNotFoundError:
            return False
        return True

    def is_barred(self) -> bool:
        """Whether this pilot must take nothing more, since it counted as lost."""
        return (self.folder / "barred" / self.pilot).exists()

    def waiting(self) -> list[str]:
        """Attempts that wait, the first one first."""
        files = []
        for entry in os.scandir(self.folder / "waiting"):
            if entry.name.endswith(".json") and not entry.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):  # Another pilot has taken it meanwhile.
                    files.append((entry.stat().st_mtime_ns, entry.name))
        return [name.removesuffix(".json") for _, name in sorted(files)]

    def read_waiting(self, entry: str) -> QueuedAttempt | None:
        """An attempt that waits; None if another pilot has it meanwhile.

        Raises:
            ValueError: it is not one of this version.
        """
        return _read(QueuedAttempt, self.folder / "waiting" / f"{entry}.json")

    def claim(self, entry: str) -> bool:
        """Takes an attempt. Returns False if another pilot was faster."""
        claim = self._claim_file(entry)
        try:
            os.rename(self.folder / "waiting" / f"{entry}.json", claim)
        except FileNotFoundError:
            # NFS may repeat a request whose reply was lost.
            return claim.exists()
        return True

    def is_taken_away(self, entry: str) -> bool:
        """Whether the attempt that this pilot runs is none of its business any more."""
        return (self.folder / "ended" / f"{entry}.json").exists() or not self._claim_file(entry).exists()

    def cancel_request(self, entry: str) -> CancelRequest | None:
        """The request to end the attempt, if there is one."""
        return _read(CancelRequest, self.folder / "cancel" / f"{entry}.json")

    def events_file(self, entry: str) -> Path:
        """Receives the events of an attempt."""
        return self.folder / "events" / f"{entry}.jsonl"

    def end(self, entry: str, ended: EndedAttempt) -> bool:
        """Says how the attempt ended. Returns False if the controller has taken it away; nothing changes then."""
        if not self._claim_file(entry).exists():
            return False
        return self._create(self.folder / "ended" / f"{entry}.json", ended)

    @property
    def _pilot_file(self) -> Path:
        return self.folder / "pilots" / f"{self.pilot}.json"

    def _claim_file(self, entry: str) -> Path:
        return self.folder / "claimed" / f"{entry}@{self.pilot}.json"

    def _create(self, file: Path, content: BaseModel) -> bool:
        """Creates a complete file in one step. Returns False if it exists."""
        staging = file.with_name(f".{file.name}.{secrets.token_hex(8)}.new")
        self._write(staging, content)
        try:
            os.link(staging, file)  # Exclusive on network disks, too.
        except FileExistsError:
            return staging.stat().st_nlink == 2  # NFS may repeat a request whose reply was lost.
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(staging)
        return True

    def _write(self, file: Path, content: BaseModel) -> None:
        write_durably(file, f"{content.model_dump_json()}\n".encode())


def _read(model: type[Model], file: Path) -> Model | None:
    try:
        return model.model_validate_json(file.read_text(), strict=True)
    except FileNotFoundError:
        return None
