"""Replaces `cliprpn.bridge.runtime`: trials without torch that take milliseconds and end as their label says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cliprpn.bridge import guards, runtime
from cliprpn.code_identity import CODE_FOLDER, code_hashes
from cliprpn.errors import CliprpnError

Values = dict[str, Any]

ENVIRONMENT: Values = {
    "python": "3",
    "torch": "none",
    "torchvision": "none",
    "open_clip": "none",
    "platform": "test",
    "device": "cpu",
    "device_name": "none",
    "num_threads": 1,
}
RATES = [
    *("acc_at_25", "acc_at_50", "acc_at_75", "acc_at_90", "macc", "miou", "oiou"),
    *("recall_at_1", "recall_at_5", "recall_at_10", "recall_at_100", "pointing", "pair_accuracy"),
]


def start() -> str:
    """Like runtime.start, with the methods below."""
    runtime._run = _run
    return runtime.start()


def handle(method: str, params: str) -> Any:
    """Like runtime.handle, but some labels get a reply that violates the protocol."""
    if method == "run_trial":
        label = json.loads(params)["spec"]["label"]
        if label == "not_text":
            return {"status": "ok"}
        if label == "not_json":
            return "<html>"
    return runtime.handle(method, params)


def _run(method: str, params: Values) -> Values:
    if method == "hello":
        return _hello(params)
    if method == "run_preparation":
        return {"outcome": prepare(params["spec"], Path(params["folder"]))}
    spec = params["spec"]
    outcome = TRIALS[spec["label"]](spec, Path(params["folder"]))
    memory = MEMORY.get(spec["label"])
    return {"outcome": outcome} if memory is None else {"outcome": outcome, "memory": memory}


def _hello(params: Values) -> Values:
    """Behaves as $HELLO says; `once` succeeds only until $HELLO_FILE exists, `killed` N times ends by SIGKILL."""
    mode = os.environ.get("HELLO", "")
    if mode.startswith("killed"):
        with Path(os.environ["HELLO_FILE"]).open("a") as file:
            if file.tell() < int(mode.removeprefix("killed ")):
                file.write(".")
                file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
    if mode == "die":
        os._exit(9)
    if mode == "hang":
        Path(os.environ["HELLO_FILE"]).touch()
        time.sleep(3600)
    if mode == "package_missing" or (mode == "once" and Path(os.environ["HELLO_FILE"]).exists()):
        import no_such_package  # type: ignore[import-not-found]  # noqa: F401
    if mode == "once":
        Path(os.environ["HELLO_FILE"]).touch()
    other_sha256 = "0" * 64
    hashes = code_hashes()
    return {
        "schema_sha256": other_sha256 if mode == "other_contract" else params["schema_sha256"],
        "sources_sha256": hashes | {"baseline": other_sha256} if mode.startswith("other_code") else hashes,
        "code_folder": "/elsewhere/cliprpn" if mode == "other_code" else str(CODE_FOLDER),
        "environment": ENVIRONMENT,
        "pid": os.getpid(),
    }


def prepare(spec: Values, folder: Path) -> Values:
    """Makes nothing; does as the trial of its first part would. Leaves a file with the process id."""
    trial = spec["parts"][0]["trial"]
    (folder / "pid").write_text(str(os.getpid()))
    TRIALS[trial["label"]](trial, folder)
    part = {"make": spec["parts"][0]["make"], "label": trial["label"], "duration_ms": 0, "error": None}
    outcome = {"schema_version": 1, "finished_at": "2026-01-01T00:00:00+00:00", "parts": [part]}
    (folder / "outcome.json").write_text(json.dumps(outcome))
    return outcome


def good(spec: Values, folder: Path) -> Values:
    """Completes; the number of parameters is the process id."""
    runtime.send('{"type":"progress","phase":"training","done":1,"total":1}')
    outcome = {
        "schema_version": 1,
        "state": "completed",
        "trial_id": spec["trial_id"],
        "sources_sha256": spec["sources_sha256"],
        "finished_at": "2026-01-01T00:00:00+00:00",
        "best_epoch": 1,
        "epochs": [],
        "metrics": {"num_sentences": 1, "num_images": 1, **dict.fromkeys(RATES, 0.5)},
        "num_trainable_parameters": os.getpid(),
        "durations_ms": {"features": 0, "training": 0, "evaluation": 0, "total": 0},
        "peak_memory_bytes": {"process": 0, "device": None},
        "environment": ENVIRONMENT,
        "notes": [],
    }
    (folder / "outcome.json").write_text(json.dumps(outcome))
    return outcome


def uses_1_gb(spec: Values, folder: Path) -> Values:
    """Completes; see MEMORY."""
    return good(spec, folder)


def uses_4_gb(spec: Values, folder: Path) -> Values:
    """Completes; see MEMORY."""
    return good(spec, folder)


def leaves_on_device(spec: Values, folder: Path) -> Values:
    """Completes; see MEMORY."""
    return good(spec, folder)


# What trials say about the memory of their process.
MEMORY: dict[str, Values] = {
    "uses_1_gb": {"process_bytes": 10**9, "device_bytes": None, "device_left_bytes": None},
    "uses_4_gb": {"process_bytes": 4 * 10**9, "device_bytes": None, "device_left_bytes": None},
    "leaves_on_device": {"process_bytes": 10**9, "device_bytes": 10**9, "device_left_bytes": 5 * 10**8},
}


def steps(spec: Values, folder: Path) -> Values:
    """Completes after several events."""
    for done in range(1, 5):
        runtime.send(json.dumps({"type": "progress", "phase": "training", "done": done, "total": 5}))
    return good(spec, folder)


def prints(spec: Values, folder: Path) -> Values:
    """Prints in three ways."""
    print("from Python")
    subprocess.run(["echo", "from a program"], check=True)
    os.write(2, b"from a descriptor\n")
    return good(spec, folder)


def fail(spec: Values, folder: Path) -> Values:
    """Raises an exception."""
    raise ValueError("seven is too many")


def out_of_memory(spec: Values, folder: Path) -> Values:
    """Allocates more than any machine has."""
    return {"size": len(bytearray(1 << 60))}


def no_space(spec: Values, folder: Path) -> Values:
    """Raises no_space, like run_trial."""
    raise CliprpnError("no_space", "the disk is full")


def leave(spec: Values, folder: Path) -> Values:
    """Ends the process."""
    os._exit(7)


def killed(spec: Values, folder: Path) -> Values:
    """Like the kernel when the machine runs out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def killed_once(spec: Values, folder: Path) -> Values:
    """Killed in its first attempt."""
    return killed(spec, folder) if folder.name == "1" else good(spec, folder)


def killed_while_another_runs(spec: Values, folder: Path) -> Values:
    """Killed in its first attempt, once another trial runs; the second one fails if any other is running then."""
    trials = folder.parent.parent.parent  # trials/ID/attempts/N
    if folder.name != "1":
        return fail(spec, folder) if list(trials.glob("*/attempts/*/busy")) else good(spec, folder)
    while not list(trials.glob("*/attempts/*/busy")):
        time.sleep(0.005)
    return killed(spec, folder)


def busy(spec: Values, folder: Path) -> Values:
    """Runs for a while, and leaves a file meanwhile."""
    (folder / "busy").touch()
    time.sleep(1.5)
    (folder / "busy").unlink()
    return good(spec, folder)


def written_then_gone(spec: Values, folder: Path) -> Values:
    """Ends the process after writing the outcome, before the reply."""
    good(spec, folder)
    os._exit(7)


def bad_event(spec: Values, folder: Path) -> Values:
    """Sends an event that violates the contract."""
    runtime.send('{"type":"gossip"}')
    time.sleep(3600)
    return {}


def torn_event(spec: Values, folder: Path) -> Values:
    """Sends an event that is not JSON."""
    runtime.send('{"type":')
    time.sleep(3600)
    return {}


def bad_result(spec: Values, folder: Path) -> Values:
    """Returns an invalid outcome."""
    return {"state": "completed"}


def slow(spec: Values, folder: Path) -> Values:
    """Runs until it is asked to stop."""
    runtime.send('{"type":"progress","phase":"training","done":0,"total":1}')
    while not guards.should_stop():
        time.sleep(0.005)
    raise CliprpnError("interrupted", "stopped")


def slow_once(spec: Values, folder: Path) -> Values:
    """The first attempt runs until it is asked to stop."""
    return slow(spec, folder) if folder.name == "1" else good(spec, folder)


def deaf_once(spec: Values, folder: Path) -> Values:
    """The first attempt runs until it is killed."""
    return deaf(spec, folder) if folder.name == "1" else good(spec, folder)
    """Runs until it is asked to stop, in its first attempt."""
    return slow(spec, folder) if folder.name == "1" else good(spec, folder)


def frozen_once(spec: Values, folder: Path) -> Values:
    """Stops this process and the one that started it, in its first attempt; completes when they continue."""
    if folder.name == "1":
        runtime.send('{"type":"progress","phase":"training","done":0,"total":1}')
        os.kill(os.getppid(), signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
    return good(spec, folder)


def gated(spec: Values, folder: Path) -> Values:
    """Runs until the runs folder has a file `go`."""
    while not (folder.parents[3] / "go").exists():  # RUNS/trials/ID/attempts/N
        time.sleep(0.01)
    return good(spec, folder)


def full_when_stopped(spec: Values, folder: Path) -> Values:
    """Runs until it is asked to stop, and finds a full disk then."""
    runtime.send('{"type":"progress","phase":"training","done":0,"total":1}')
    while not guards.should_stop():
        time.sleep(0.005)
    raise CliprpnError("no_space", "the disk is full")


def deaf(spec: Values, folder: Path) -> Values:
    """Runs until it is killed."""
    runtime.send('{"type":"progress","phase":"training","done":0,"total":1}')
    time.sleep(3600)
    return {}


def meet(spec: Values, folder: Path) -> Values:
    """Waits until another trial with this label runs."""
    (folder / "here").touch()
    end = time.monotonic() + 240
    trials = folder.parent.parent.parent  # trials/ID/attempts/N
    while len(list(trials.glob("*/attempts/*/here"))) < 2:
        if time.monotonic() > end:
            raise ValueError("no other trial started")
        time.sleep(0.005)
    return good(spec, folder)


TRIALS: dict[str, Callable[[Values, Path], Values]] = {
    trial.__name__: trial
    for trial in (
        good,
        uses_1_gb,
        uses_4_gb,
        leaves_on_device,
        steps,
        prints,
        fail,
        out_of_memory,
        no_space,
        leave,
        killed,
        killed_once,
        killed_while_another_runs,
        busy,
        written_then_gone,
        bad_event,
        torn_event,
        bad_result,
        slow,
        slow_once,
        deaf_once,
        frozen_once,
        gated,
        full_when_stopped,
        deaf,
        meet,
    )
}
