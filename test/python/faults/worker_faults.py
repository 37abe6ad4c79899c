"""Replaces `cliprpn.worker`: pilots and workers whose trials take milliseconds and end as their label says.

`python -m worker_faults [--queue DIR]`, with the trials of trial_faults.py.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import trial_faults
from pydantic import BaseModel

from cliprpn.bridge import guards, runtime
from cliprpn.contract.generated import (
    SCHEMA_SHA256,
    PreparationOutcome,
    RunTrialParams,
    RunTrialResult,
    WorkerEvent,
    WorkerReady,
)
from cliprpn.worker.arguments import read_arguments
from cliprpn.worker.pilot import run_pilot
from cliprpn.worker.stdio import Outcome, Params, RunAttempt, serve


def load(device: str, num_threads: int | None) -> tuple[WorkerReady, RunAttempt]:
    """Says the hashes as trial_faults does, so that $HELLO works."""
    hello = trial_faults._hello({"schema_sha256": SCHEMA_SHA256})
    ready = WorkerReady.model_validate({"type": "ready", "host": os.uname().nodename, **hello})
    return ready, run


def run(
    params: Params, emit: Callable[[BaseModel], None], should_stop: Callable[[], bool]
) -> Outcome | PreparationOutcome:
    """Runs a trial or a preparation of trial_faults.py."""
    runtime.send = lambda text: emit(WorkerEvent(type="event", event=json.loads(text)).event)
    guards.should_stop = should_stop
    spec = params.spec.model_dump(mode="json")
    if not isinstance(params, RunTrialParams):
        return PreparationOutcome.model_validate(trial_faults.prepare(spec, Path(params.folder)))
    outcome = trial_faults.TRIALS[spec["label"]](spec, Path(params.folder))
    return RunTrialResult.model_validate({"outcome": outcome}).outcome


def main(argv: list[str]) -> int:
    arguments = read_arguments(argv)
    if arguments.queue is None:
        return serve(arguments.device, arguments.num_threads, load)
    return run_pilot(arguments, arguments.queue, [sys.executable, "-m", "worker_faults"])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
