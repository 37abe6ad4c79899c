"""Replaces `cliprpn.worker` on nodes of a cluster: `python -m bench.clusters.no_op_worker [--queue DIR]`.

Its trials are those of the other tools (bench/runners/trial.py), with the files and checks of real ones.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from pydantic import BaseModel

from bench.runners.no_op import ENVIRONMENT, write_outcome
from bench.runners.trial import run_trial, wait_for_kill
from cliprpn.code_identity import CODE_FOLDER, code_hashes
from cliprpn.contract.generated import SCHEMA_SHA256, RunTrialParams, WorkerReady
from cliprpn.worker.arguments import read_arguments
from cliprpn.worker.pilot import run_pilot
from cliprpn.worker.stdio import Outcome, serve

Run = Callable[[RunTrialParams, Callable[[BaseModel], None], Callable[[], bool]], Outcome]


def load(device: str, num_threads: int | None) -> tuple[WorkerReady, Run]:
    """Without torch, unless a trial imports it."""
    ready = {
        "type": "ready",
        "pid": os.getpid(),
        "host": os.uname().nodename,
        "schema_sha256": SCHEMA_SHA256,
        "sources_sha256": code_hashes(),
        "code_folder": str(CODE_FOLDER),
        "environment": ENVIRONMENT,
    }
    return WorkerReady.model_validate(ready), run


def run(
    params: RunTrialParams, emit: Callable[[BaseModel], None], should_stop: Callable[[], bool]
) -> Outcome:
    """Runs the trial that its label names."""
    folder, label = os.environ["BENCH_ENDS"], params.spec.label
    if label == "killed":
        wait_for_kill(folder)
    else:
        run_trial(folder, with_torch=label == "torch")
    return write_outcome(params)


def main(argv: list[str]) -> int:
    """As that of `cliprpn.worker`."""
    arguments = read_arguments(argv)
    if arguments.queue is None:
        return serve(arguments.device, arguments.num_threads, load)
    command = [sys.executable, "-m", "bench.clusters.no_op_worker"]
    return run_pilot(arguments, arguments.queue, command)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
