"""JSON lines between the driver and the process that started it."""

from __future__ import annotations

import json
import os
import queue
import threading
from typing import Any

# How long the driver may take to disconnect from Ray after the end of stdin.
EXIT_S = 5.0


class Channel:
    """Takes stdin and stdout for the messages; what Ray prints to stdout goes to stderr.

    `events` receives each request, and None at the end of stdin; the driver puts its own events there, too.
    """

    def __init__(self) -> None:
        self._output = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self.events: queue.Queue[Any] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def receive_setup(self) -> dict[str, Any] | None:
        """The first line; None if there is none."""
        setup: dict[str, Any] | None = self.events.get()
        return setup

    def send(self, message: dict[str, Any]) -> None:
        """Writes a message; from the main thread only."""
        try:
            self._output.write(f"{json.dumps(message)}\n")
            self._output.flush()
        except BrokenPipeError:
            os._exit(1)  # Nobody is left to work for.

    def _read(self) -> None:
        rest = b""
        # Not sys.stdin: a thread that waits in its lock would abort the end of the interpreter.
        while data := os.read(0, 65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self.events.put(json.loads(line))
        self.events.put(None)
        # The end of the process that started this one; Ray ends the actors of a driver that is gone.
        timer = threading.Timer(EXIT_S, os._exit, (1,))
        timer.daemon = True
        timer.start()
