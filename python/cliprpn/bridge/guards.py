"""Keeps Python from outliving its owner, and from being stopped by what is not meant for it."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import io
import os
import signal
import sys
import threading
import time

_stop_asked = False


def install_guards() -> None:
    """Called once, when the bridge has started this process."""
    # pythonia's: children would inherit the channel, and multiprocessing's `spawn` would run its entry file again.
    os.environ.pop("NODE_CHANNEL_FD", None)
    main = sys.modules["__main__"]
    if hasattr(main, "__file__"):
        del main.__file__
    faulthandler.enable()  # A crash in native code says where in the log.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # What was printed before a crash is in the log.
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The CLI decides what Ctrl-C means.
    # Clusters send it to every process of a job at once: also the CLI's.
    signal.signal(signal.SIGTERM, _leave_it)
    signal.signal(signal.SIGUSR1, _ask_to_stop)
    die_with_parent()
    os.register_at_fork(after_in_child=_ready_child)
    threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True).start()


def should_stop() -> bool:
    """Whether the running call has been asked to end soon."""
    return _stop_asked


def forget_stop() -> None:
    """A call has ended, and with it what was asked of it. (At the next one's start it would be too late.)"""
    global _stop_asked
    _stop_asked = False


def _ask_to_stop(signum: int, frame: object) -> None:
    global _stop_asked
    _stop_asked = True


def _leave_it(signum: int, frame: object) -> None:
    """A handler, as what is ignored stays ignored in the programs that this one starts."""


def _ready_child() -> None:
    """For children made by fork: multiprocessing ends them with SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with_parent()


def die_with_parent() -> None:
    """Linux: the kernel kills this process when the thread that made it ends."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _watch_parent(parent: int) -> None:
    """Everywhere: an orphan has another parent."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)
