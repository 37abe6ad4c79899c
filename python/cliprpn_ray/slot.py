"""An actor that holds a worker of cliprpn on a node. Ray sends it by value: nodes need no file of ours for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

# How long a shared folder may take to show a new file.
VISIBLE_S = 5.0

# Becomes the worker. It must not outlive the actor: the kernel kills it when the thread that waits for it ends.
# `preexec_fn` is not safe in a process with threads.
_BECOME = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    print(f"{sys.argv[2]}: {error.strerror}", file=sys.stderr)
    os._exit(127)
"""


class Slot:
    """A place for one worker. Its methods run in threads: `leave` while `run` waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_leaving = False

    def look(self, probe_file: str, probe: str) -> dict[str, Any]:
        """Says which node this is.

        Args:
            probe_file: a file of the shared folder.
            probe: its content.

        Returns:
            `node_id`, and `is_shared`: whether the node sees the shared folder.
        """
        import ray

        end = time.monotonic() + VISIBLE_S
        while not (is_shared := _read(probe_file) == probe) and time.monotonic() < end:
            time.sleep(0.1)
        return {"node_id": ray.get_runtime_context().get_node_id(), "is_shared": is_shared}

    def run(self, command: list[str], env: dict[str, str], log_file: str) -> str:
        """Runs a worker in a process group of its own, until it ends.

        Returns:
            What went wrong, for people; empty if it left by itself.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        try:
            with self._lock, open(log_file, "ab") as log:
                if self._is_leaving:
                    return ""
                self._process = process = subprocess.Popen(
                    [sys.executable, "-ISc", _BECOME, str(os.getpid()), *command],
                    env={**kept, **env},
                    # Ray's is that of whoever started it, with modules of any name, which `python -m` would import.
                    cwd=os.path.dirname(log_file),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            return f"did not start: {error}"
        status = process.wait()
        if status == 0:
            return ""
        return f"exited with code {status}" if status > 0 else f"was killed by {signal.Signals(-status).name}"

    def leave(self) -> None:
        """Asks the worker to save a checkpoint, hand its attempt back and end; `run` returns then."""
        with self._lock:
            self._is_leaving = True
            if self._process is not None and self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError):  # It has just ended.
                    os.killpg(self._process.pid, signal.SIGTERM)


def _read(file: str) -> str | None:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError:
        return None
