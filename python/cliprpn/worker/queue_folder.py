"""The pilot's side of `queue/` of a sweep, which src/engine/queue/queue-folder.ts describes."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from cliprpn.contract.generated import (
    CancelRequest,
    EndedAttempt,
    PilotFacts,
    QueuedAttempt,
    QueuedPreparation,
    QueueSettings,
)
from cliprpn.errors import CliprpnError
from cliprpn.storage.durable import disk_errors, write_durably
from cliprpn.worker.survivor import Will

Model = TypeVar("Model", bound=BaseModel)
Queued = QueuedAttempt | QueuedPreparation
# Errors for a file that another process has renamed or removed; the second one is NFS's.
GONE = (errno.ENOENT, errno.ESTALE)
# Files of attempts that wait: NUMBER-ENTRY.json, numbered in the order of submission.
WAITING = re.compile(r"\d{10}-.+\.json")
# In first/: what trials share, with the name of the pilot that has it; with an empty one it was taken back.
PREPARATION = re.compile(r"(prepare\.\d+)(?:@(.+))?\.json")


@dataclass(frozen=True)
class Preparation:
    """What trials share, in the queue.

    Attributes:
        name: of its file.
        pilot: the name of the one that makes it; None if it waits.
    """

    name: str
    entry: str
    pilot: str | None


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

    def require(self) -> None:
        """
        Raises:
            CliprpnError: not_found, if the queue is gone.
        """
        try:
            os.stat(self.folder / "queue.json")
        except OSError as error:
            raise CliprpnError(
                "not_found",
                f"expected the queue of the sweep, found none any more ({error.strerror}); the folder was removed, or "
                "this machine does not see it",
            ) from error

    def is_stopped(self) -> bool:
        """Whether pilots are asked to end."""
        return (self.folder / "stop").exists()

    def register(self, facts: PilotFacts) -> None:
        """Makes this pilot known, or changes what is known about it; also a heartbeat."""
        self._write(self.pilot_file, facts)

    def unregister(self) -> None:
        """Call it when the pilot ends."""
        self.pilot_file.unlink(missing_ok=True)

    def beat(self) -> bool:
        """A heartbeat. Returns False if the controller has removed this pilot."""
        try:
            os.utime(self.pilot_file)  # The file server's time, not this machine's.
        except FileNotFoundError:
            return False
        return True

    def is_barred(self) -> bool:
        """Whether this pilot must take nothing more, since it counted as lost."""
        return (self.folder / "barred" / self.pilot).exists()

    def waiting(self) -> list[str]:
        """Names of the attempts that wait, the first one first."""
        return sorted(name for name in os.listdir(self.folder / "waiting") if WAITING.fullmatch(name))

    def read_waiting(self, name: str) -> QueuedAttempt | None:
        """An attempt that waits; None if another pilot has it meanwhile.

        Raises:
            CliprpnError: contract_violation, if it is not one of this version.
        """
        return _read(QueuedAttempt, self.folder / "waiting" / name)

    def preparations(self) -> list[Preparation]:
        """What trials share, as far as it has not ended."""
        names = [PREPARATION.fullmatch(name) for name in sorted(os.listdir(self.folder / "first"))]
        found = [Preparation(match[0], match[1], match[2]) for match in names if match is not None]
        return [each for each in found if each.pilot is None or not self._ended_file(each.entry).exists()]

    def read_preparation(self, name: str) -> QueuedPreparation | None:
        """As `read_waiting`."""
        return _read(QueuedPreparation, self.folder / "first" / name)

    def heartbeat_of(self, pilot: str) -> int | None:
        """Changes with each heartbeat of another pilot; None if it has no file any more."""
        try:
            # NFS asks the server for a file that is opened.
            with (self.folder / "pilots" / f"{pilot}.json").open() as file:
                return os.fstat(file.fileno()).st_mtime_ns
        except OSError as error:
            if error.errno in GONE:
                return None
            raise

    def end_for(self, entry: str, pilot: str, reason: str) -> None:
        """Ends what another pilot has, which is lost; that pilot may have been faster."""
        ended = EndedAttempt(schema_version=1, how="lost", pilot=pilot, reason=reason, error=None)
        self._create(self._ended_file(entry), ended)

    def claim(self, name: str) -> str | None:
        """Takes what waits. Returns its entry; None if another pilot was faster."""
        is_trial = WAITING.fullmatch(name) is not None
        entry = (name.partition("-")[2] if is_trial else name).removesuffix(".json")
        claim = self._claim_file(entry)
        try:
            os.rename(self.folder / ("waiting" if is_trial else "first") / name, claim)
        except OSError as error:
            if error.errno not in GONE:
                raise
            # NFS may repeat a request whose reply was lost.
            return entry if claim.exists() else None
        return entry

    def is_taken_away(self, entry: str) -> bool:
        """Whether the attempt that this pilot runs is none of its business any more."""
        return self._ended_file(entry).exists() or not self._claim_file(entry).exists()

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
        return self._create(self._ended_file(entry), ended)

    def will(self, entry: str, ended: EndedAttempt) -> Will:
        """How another process does what `end` does."""
        return {
            "claim": str(self._claim_file(entry)),
            "ended": str(self._ended_file(entry)),
            "text": _text(ended),
        }

    @property
    def pilot_file(self) -> Path:
        """Says what this pilot is; its time is the heartbeat."""
        return self.folder / "pilots" / f"{self.pilot}.json"

    def _ended_file(self, entry: str) -> Path:
        return self.folder / "ended" / f"{entry}.json"

    def _claim_file(self, entry: str) -> Path:
        folder = "first" if PREPARATION.fullmatch(f"{entry}.json") else "claimed"
        return self.folder / folder / f"{entry}@{self.pilot}.json"

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
        if not file.parent.is_dir():  # Of a sweep that was removed; it must not come back.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file.parent))
        write_durably(file, _text(content).encode())


def _text(content: BaseModel) -> str:
    return f"{content.model_dump_json()}\n"


def _read(model: type[Model], file: Path) -> Model | None:
    try:
        return model.model_validate_json(file.read_text(), strict=True)
    except OSError as error:
        if error.errno in GONE:
            return None
        raise
    except ValueError as error:
        raise CliprpnError(
            "contract_violation",
            f"{file}: expected {model.__name__} of this version of cliprpn, found something else; "
            "install the same version everywhere",
        ) from error


@contextlib.contextmanager
def queue_errors(queue: QueueFolder) -> Iterator[None]:
    """Turns the system's errors into those that people read.

    Raises:
        CliprpnError: not_found, if the queue is gone; no_space; environment_broken.
    """
    try:
        with disk_errors(queue.folder):
            yield
    except OSError as error:
        queue.require()
        where = queue.folder if error.filename is None else error.filename
        raise CliprpnError(
            "environment_broken", f"{where}: expected to use this file, found: {error.strerror or error}"
        ) from error
