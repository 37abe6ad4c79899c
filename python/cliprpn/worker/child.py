"""The process that runs a pilot's attempts: `python -m cliprpn.worker`, which a crash ends without the pilot."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, TypeAdapter

from cliprpn.contract.generated import (
    EndRequest,
    ErrorInfo,
    PrepareRequest,
    RunRequest,
    WorkerEnded,
    WorkerEvent,
    WorkerReady,
)

# How long a killed worker is waited for.
KILL_WAIT_S = 10

Message = WorkerReady | WorkerEvent | WorkerEnded

_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


class Child:
    """A worker process and its messages.

    Args:
        command: starts the worker.
        env: variables besides those of this process.
    """

    def __init__(self, command: list[str], env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **env},
            start_new_session=True,  # A signal to the pilot's group is for the pilot.
        )
        self._messages: queue.Queue[Message | ErrorInfo] = queue.Queue()
        self._is_killed = False
        threading.Thread(target=self._read, daemon=True).start()

    def receive(self, timeout_s: float) -> Message | ErrorInfo | None:
        """The next message; an error after the process has ended; None if nothing comes in time."""
        try:
            return self._messages.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def run(self, request: RunRequest | PrepareRequest) -> None:
        """Starts an attempt."""
        self._send(request.model_dump_json(exclude_unset=True))

    def stop(self) -> None:
        """Asks the attempt to end."""
        self._send(EndRequest(type="stop").model_dump_json())

    def kill(self) -> None:
        """Kills the worker and all its children.

        Linux cannot kill a process that waits for a file system that does not answer: it is left after some seconds.
        """
        self._is_killed = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_WAIT_S)

    def _send(self, line: str) -> None:
        stdin = self._process.stdin
        if stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):  # The end of the process is a message of its own.
            stdin.write(f"{line}\n")
            stdin.flush()

    def _read(self) -> None:
        try:
            for line in self._process.stdout or ():
                self._messages.put(_MESSAGE.validate_json(line, strict=True))
        except ValueError as error:
            self._messages.put(_error("contract_violation", " ".join(f"the worker wrote {error}".split())))
            self.kill()
            return
        self._messages.put(self._end_of(self._process.wait()))

    def _end_of(self, status: int) -> ErrorInfo:
        if status >= 0:
            return _error("worker_died", f"the worker exited with code {status}")
        name = signal.Signals(-status).name
        if name == "SIGKILL" and not self._is_killed:
            return _error(
                "worker_killed", f"the worker was killed by {name}, as Linux does where memory is short"
            )
        return _error("worker_died", f"the worker was killed by {name}")


def _error(code: str, message: str) -> ErrorInfo:
    return ErrorInfo.model_validate({"code": code, "message": message})
