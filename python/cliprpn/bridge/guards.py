"""Signal handlers of the Python process, and its exit when the parent process dies."""

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
from typing import NoReturn

_stop_requested = False


def install_guards() -> None:
    """Installs the signal handlers and watches the parent. Call once, right after the process has started."""
    # Set by pythonia: children would inherit the channel, and multiprocessing's `spawn` would re-run pythonia's
    # entry file.
    os.environ.pop("NODE_CHANNEL_FD", None)
    main = sys.modules["__main__"]
    if hasattr(main, "__file__"):
        del main.__file__
    faulthandler.enable()  # A crash in native code leaves a traceback in the log.
    # Sent shortly before a time limit: the log then says where the trial was.
    faulthandler.register(signal.SIGUSR2, all_threads=False)
    _log_hard_exits()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # Output printed before a crash reaches the log.
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The CLI handles Ctrl-C.
    # Clusters send these to every process of a job, so the CLI gets them, too, and stops unless nohup started it.
    signal.signal(signal.SIGTERM, _ignore)
    signal.signal(signal.SIGHUP, _ignore)
    signal.signal(signal.SIGUSR1, _request_stop)
    die_with_parent()
    os.register_at_fork(before=_block_sigterm, after_in_parent=_unblock_sigterm, after_in_child=_reset_child)
    threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True).start()


def should_stop() -> bool:
    """Whether the running call has been asked to end early."""
    return _stop_requested


def clear_stop() -> None:
    """Forgets a stop request. Runs after each call: a request that arrives between two calls stops the next one."""
    global _stop_requested
    _stop_requested = False


def _request_stop(signum: int, frame: object) -> None:
    global _stop_requested
    _stop_requested = True


def _ignore(signum: int, frame: object) -> None:
    """Does nothing. Not SIG_IGN, which child programs would inherit."""


def _block_sigterm() -> None:
    """Holds SIGTERM back during a fork: the child would otherwise ignore one that arrives before its reset."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _unblock_sigterm() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _reset_child() -> None:
    """Restores SIGTERM in a forked child, since multiprocessing ends its children with it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _unblock_sigterm()
    die_with_parent()


def _log_hard_exits() -> None:
    """Makes `os._exit`, which ends the process without a word, leave a traceback in the log, as a crash does."""
    pid, hard_exit = os.getpid(), os._exit

    def exit_with_traceback(status: int) -> NoReturn:
        if os.getpid() == pid:  # A forked child ends in this way as a rule.
            with contextlib.suppress(OSError, ValueError):
                faulthandler.dump_traceback(all_threads=False)
        hard_exit(status)

    os._exit = exit_with_traceback


def die_with_parent() -> None:
    """Makes the kernel kill this process when the thread that created it ends; Linux only."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _watch_parent(parent_pid: int) -> None:
    """Kills this process once it has another parent, as an orphaned process gets on every system."""
    while os.getppid() == parent_pid:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)
