"""Who holds a lock: a file beside it, with the machine, the process and a heartbeat."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cliprpn.errors import CliprpnError

BEAT_S = 5.0
# The file of a process on another machine that does not change for this time is one of a dead process.
DEAD_AFTER_S = 30.0


def owner_file(lock: Path) -> Path:
    """The file that names the holder of a lock."""
    return lock.with_name(f"{lock.name}.owner")


class LockLostError(CliprpnError):
    """Another machine has the lock: this process was suspended, and nothing more of its work may be written."""

    def __init__(self, lock: Path) -> None:
        super().__init__(
            "locked",
            f"{lock}: another process took over the lock, since this one gave no sign of life for {DEAD_AFTER_S:g} s; "
            "re-run the same command",
        )


class LockOwner:
    """This process as the holder of a lock, with a heartbeat until `release`.

    Args:
        lock: the file of the lock.
        text: of the file that names the holder, which exists.
    """

    def __init__(self, lock: Path, text: str) -> None:
        self._lock, self._file, self._text = lock, owner_file(lock), text
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def has_lost(self) -> bool:
        """Whether another machine has taken the lock, since this process gave no sign of life for so long."""
        try:
            return _read(self._file) != self._text
        except OSError:
            return False  # A share that does not answer: the next look may tell.

    def require(self) -> None:
        """To be called before anything is written that others read.

        Raises:
            LockLostError: another machine has taken the lock.
        """
        if self.has_lost():
            raise LockLostError(self._lock)

    def release(self) -> None:
        """Removes the file, if it is still this holder's."""
        self._released.set()
        self._thread.join()
        if not self.has_lost():
            with contextlib.suppress(OSError):  # Without a heartbeat, it counts as left, too.
                self._file.unlink()

    def _beat(self) -> None:
        while not self._released.wait(BEAT_S):
            if self.has_lost():
                return
            with contextlib.suppress(OSError):
                os.utime(self._file)


class OwnerWatch:
    """Takes the file of a lock's holder once that one is gone. The caller holds the lock of this machine's kernel.

    Args:
        lock: the file of the lock.
        machine: what identifies the kernel, and the disk as it sees it, that the lock is one of.
        now: a clock, in seconds.
    """

    def __init__(
        self, lock: Path, machine: str | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock, self._file = lock, owner_file(lock)
        self._machine = _kernel_of(lock) if machine is None else machine
        self._now = now
        self._seen: tuple[str | None, int] | None = None
        self._since = 0.0

    def try_take(self) -> LockOwner | None:
        """Call it again and again; None while another machine's process holds the lock, as far as one can tell."""
        owner = self._create()
        if owner is None and self._remove_dead():
            owner = self._create()  # Another machine may have been faster.
        return owner

    def _create(self) -> LockOwner | None:
        text = json.dumps(
            {
                "machine": self._machine,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "token": secrets.token_hex(8),
            }
        )
        return LockOwner(self._lock, text) if _create(self._file, text) else None

    def _remove_dead(self) -> bool:
        """Whether there is no file of another holder now."""
        version = _version(self._file)
        if version is None:
            return True  # It was released a moment ago.
        # The kernel has released the lock of a process of this machine, so that one is dead.
        is_dead = _machine_of(version[0]) == self._machine or self._unchanged_s(version) > DEAD_AFTER_S
        if is_dead:
            self._remove(version[0])
        return is_dead

    def _unchanged_s(self, version: tuple[str | None, int]) -> float:
        if version != self._seen:
            self._seen, self._since = version, self._now()
        return self._now() - self._since

    def _remove(self, text: str | None) -> None:
        """Removes the file of a dead holder. Renamed first, since another machine may have replaced it by its own."""
        removed = self._file.with_name(f".{self._file.name}.{secrets.token_hex(8)}.old")
        with contextlib.suppress(FileNotFoundError):
            os.rename(self._file, removed)
            if _read(removed) != text:
                with contextlib.suppress(FileExistsError):
                    os.link(removed, self._file)
            removed.unlink()


def _kernel_of(lock: Path) -> str:
    """Identifies the running kernel, and the disk as it sees it.

    Containers of one machine share its locks (`flock`), unless each has mounted the disk for itself.
    """
    try:
        machine = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        machine = socket.gethostname()
    return f"{machine} {lock.stat().st_dev}"


def _create(file: Path, text: str) -> bool:
    """Creates the complete file in one step. Returns False if it exists."""
    staging = file.with_name(f".{file.name}.{secrets.token_hex(8)}.new")
    staging.write_text(text)
    try:
        os.link(staging, file)  # Exclusive on network disks, too.
    except FileExistsError:
        return staging.stat().st_nlink == 2  # NFS may repeat a request whose reply was lost.
    finally:
        staging.unlink(missing_ok=True)
    return True


def _version(file: Path) -> tuple[str | None, int] | None:
    """The text of a file, and the time of its last heartbeat; None if there is no file."""
    try:
        with file.open() as opened:  # NFS asks the server for a file that is opened.
            return opened.read(), os.fstat(opened.fileno()).st_mtime_ns
    except FileNotFoundError:
        return None


def _read(file: Path) -> str | None:
    version = _version(file)
    return None if version is None else version[0]


def _machine_of(text: str | None) -> str | None:
    try:
        machine = json.loads(text or "")["machine"]
    except (ValueError, KeyError, TypeError):
        return None
    return machine if isinstance(machine, str) else None
