"""Replaces `cliprpn.bridge.runtime`: the real envelope and events, with methods that fail; without torch."""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from cliprpn.bridge import guards, runtime
from cliprpn.errors import CliprpnError

Values = dict[str, Any]


def start() -> str:
    """Like runtime.start, with the methods below."""
    runtime._run = lambda method, params: METHODS[method](params)
    return runtime.start()


def handle(method: str, params: str) -> Any:
    """Like runtime.handle, with methods whose reply is no envelope."""
    if method == "not_text":
        return {"status": "ok"}
    if method == "not_json":
        return "<html>"
    if method == "cross":
        raise RuntimeError("across the bridge")
    return runtime.handle(method, params)


def sleep(params: Values) -> Values:
    """Busy until it is killed or asked to stop; sends an event at the start."""
    runtime.send('{"type":"warning","message":"busy"}')
    for _ in range(int(params.get("seconds", 3600) * 100)):
        if guards.should_stop() and not params.get("deaf"):
            raise CliprpnError("interrupted", "stopped")
        time.sleep(0.01)
    return {}


def crash(params: Values) -> Values:
    """Prints, then reads invalid memory."""
    print("last words")
    ctypes.string_at(0)
    return {}


def kill_self(params: Values) -> Values:
    """Like the kernel when the machine runs out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def leave(params: Values) -> Values:
    """Exits without cleanup."""
    os._exit(7)


def sys_exit(params: Values) -> Values:
    """Exits as a library might."""
    sys.exit("enough")


def fail(params: Values) -> Values:
    """An ordinary bug."""
    raise ValueError("seven is too many \u2603")


def out_of_memory(params: Values) -> Values:
    """Allocates more than any machine has."""
    return {"size": len(bytearray(1 << 60))}


def missing_package(params: Values) -> Values:
    """Imports a package that is not installed."""
    import no_such_package  # type: ignore[import-not-found]  # noqa: F401

    return {}


def nan(params: Values) -> Values:
    """A number that JSON cannot represent."""
    return {"rows": [{"loss": 1.0}, {"loss": float("nan")}]}


def chatter(params: Values) -> Values:
    """Prints 20 MB to stdout and stderr."""
    for _ in range(10_000):
        print("o" * 1023)
        print("e" * 1023, file=sys.stderr)
    return {}


def echo(params: Values) -> Values:
    """Returns its params."""
    return params


def large(params: Values) -> Values:
    """A result of about 5 MB."""
    return {"rows": list(range(700_000))}


def events(params: Values) -> Values:
    """Numbered events; after every tenth, waits until the other side has received it."""
    received = params["seen_file"]
    for number in range(100):
        runtime.send(json.dumps({"type": "progress", "phase": "training", "done": number, "total": 100}))
        if number % 10 == 9:
            while not os.path.exists(received) or os.path.getsize(received) <= number:
                time.sleep(0.001)
    return {}


def bad_event(params: Values) -> Values:
    """Sends an event that violates the contract, then sleeps."""
    runtime.send(params["event"])
    return sleep({})


def spawn(params: Values) -> Values:
    """A pool of spawned processes, like that of a data loader."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return {"squares": pool.map(square, [1, 2, 3]), "channel": os.environ.get("NODE_CHANNEL_FD")}


def end_pool(params: Values) -> Values:
    """Leaves busy pools with both start methods, which end their processes with SIGTERM."""
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            pool.apply_async(time.sleep, (3600,))
    return {}


def spawn_and_hang(params: Values) -> Values:
    """Three kinds of busy children, none of which watches its parent."""
    multiprocessing.get_context("spawn").Process(target=time.sleep, args=(3600,)).start()
    multiprocessing.get_context("fork").Process(target=time.sleep, args=(3600,)).start()
    subprocess.Popen(["sleep", "3600"])
    return sleep({})


def square(number: int) -> int:
    """Runs in a child, which must find this module, too."""
    return number * number


METHODS: dict[str, Callable[[Values], Values]] = {
    method.__name__: method
    for method in (
        sleep,
        crash,
        kill_self,
        leave,
        sys_exit,
        fail,
        out_of_memory,
        missing_package,
        nan,
        chatter,
        echo,
        large,
        events,
        bad_event,
        spawn,
        end_pool,
        spawn_and_hang,
    )
}
