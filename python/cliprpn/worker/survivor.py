"""A small process that outlives its pilot, and says what became of the pilot's attempt if the pilot is killed.

Without it, a pilot on another machine that is killed is missed only when its heartbeat has run out. It imports nothing
but the standard library, and is run as a file, so that it starts fast and takes little memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import TypedDict


class Will(TypedDict):
    """What to do if the pilot is killed.

    Attributes:
        claim: the pilot's claim of the attempt; if it is gone, the attempt is none of the pilot's business any more.
        ended: the file that says how the attempt ended; to be created, unless it exists.
        text: its content.
    """

    claim: str
    ended: str
    text: str


class Survivor:
    """The pilot's end of the pipe to that process.

    Args:
        pilot_file: of the pilot; it is removed if the pilot is killed and no attempt is to be ended. Else it stays for
            the controller, which finds by it whether a cluster has taken the pilot away.
    """

    def __init__(self, pilot_file: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(pilot_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # What kills the pilot's group is to spare it.
        )

    def tell(self, will: Will | None) -> None:
        """Changes what happens if the pilot is killed; None for nothing, between two attempts. May be called by a
        signal handler."""
        self._write(json.dumps(will))

    def release(self) -> None:
        """The pilot ends by itself: nothing happens any more."""
        self._write("end")
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def _write(self, line: str) -> None:
        if self._process.stdin is None:
            return
        # Without it, the heartbeat says that the pilot is gone, only later.
        with contextlib.suppress(BrokenPipeError):
            os.write(self._process.stdin.fileno(), f"{line}\n".encode())


def main(pilot_file: str) -> None:
    """Reads what the pilot tells, until the pilot ends."""
    # SLURM sends its signals to all processes of a job; this one ends with its pilot, whatever happens.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    will: Will | None = None
    # Written in advance: when the pilot is killed, SLURM may kill this process milliseconds later.
    prepared: str | None = None
    has_ended_it = False
    for line in sys.stdin:
        if not line.endswith("\n"):  # The pilot was killed while it wrote.
            break
        _remove(prepared)
        if line.strip() == "end":
            return
        will = json.loads(line)
        prepared = None if will is None else _prepare(will)
    if will is not None and os.path.exists(will["claim"]):
        if prepared is None or not os.path.exists(
            prepared
        ):  # The disk was full, or it was cleaned up after a day.
            prepared = _prepare(will)
        has_ended_it = prepared is not None and _end(will, prepared)
    _remove(prepared)
    if not has_ended_it:
        _remove(pilot_file)


def _end(will: Will, prepared: str) -> bool:
    """Returns False if the attempt has ended, or the disk does not answer."""
    try:
        os.link(prepared, will["ended"])  # Exclusive on network disks, too.
    except OSError:
        return False
    entry = os.path.basename(will["ended"]).removesuffix(".json")
    with contextlib.suppress(OSError):  # Whoever reads it may be gone.
        print(f"{entry}: the worker was killed; the attempt is to run again", file=sys.stderr)
    return True


def _prepare(will: Will) -> str | None:
    """Writes the content to a file beside its place. Returns its path; None if the disk is full."""
    folder, name = os.path.split(will["ended"])
    path = os.path.join(folder, f".{name}.{secrets.token_hex(8)}.new")
    try:
        with open(path, "xb") as file:
            file.write(will["text"].encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        _remove(path)
        return None
    return path


def _remove(path: str | None) -> None:
    if path is not None:
        with contextlib.suppress(OSError):
            os.unlink(path)


if __name__ == "__main__":
    main(sys.argv[1])
