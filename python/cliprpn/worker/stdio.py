"""A warm worker that reads requests as JSON lines on stdin and writes messages as JSON lines to stdout."""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

from pydantic import BaseModel, Field, TypeAdapter

from cliprpn.bridge import guards
from cliprpn.bridge.runtime import describe_error
from cliprpn.code_identity import CODE_FOLDER, code_hashes
from cliprpn.contract.generated import (
    SCHEMA_SHA256,
    BaselineSpec,
    ClipRpnSpec,
    CompletedOutcome,
    EndRequest,
    ErrorInfo,
    FailedOutcome,
    PreparationOutcome,
    PrepareRequest,
    RunPreparationParams,
    RunRequest,
    RunTrialParams,
    WorkerEnded,
    WorkerEvent,
    WorkerReady,
)
from cliprpn.errors import CliprpnError

Outcome = CompletedOutcome | FailedOutcome
Params = RunTrialParams | RunPreparationParams
# Runs an attempt at a trial or at a preparation, given where events go and whether it has been asked to stop.
RunAttempt = Callable[[Params, Callable[[BaseModel], None], Callable[[], bool]], Outcome | PreparationOutcome]
# Prepares this process for a device and a number of threads.
Load = Callable[[str, int | None], tuple[WorkerReady, RunAttempt]]

_REQUEST: TypeAdapter[RunRequest | PrepareRequest | EndRequest] = TypeAdapter(
    Annotated[RunRequest | PrepareRequest | EndRequest, Field(discriminator="type")]
)


def load_trials(device: str, num_threads: int | None) -> tuple[WorkerReady, RunAttempt]:
    """Imports torch and all modules that run trials: before their files are hashed, see `code_hashes`.

    Raises:
        CliprpnError: device_unavailable, environment_broken.
    """
    import torch

    from cliprpn.devices import describe_environment, resolve_device
    from cliprpn.memory import keep_freed_memory
    from cliprpn.trials.attempt import run_attempt
    from cliprpn.trials.preparation import run_preparation
    from cliprpn.trials.worker_memory import begin_worker

    keep_freed_memory()
    selected = resolve_device(device)
    if num_threads is not None:
        torch.set_num_threads(num_threads)
    begin_worker(selected)
    ready = WorkerReady.model_validate(
        {
            "type": "ready",
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "schema_sha256": SCHEMA_SHA256,
            "sources_sha256": code_hashes(),
            "code_folder": str(CODE_FOLDER),
            "environment": describe_environment(selected).model_dump(),
        }
    )

    def run(
        params: Params, emit: Callable[[BaseModel], None], should_stop: Callable[[], bool]
    ) -> Outcome | PreparationOutcome:
        if isinstance(params, RunTrialParams):
            return run_attempt(params, selected, emit, should_stop)
        folder = Path(params.folder)
        return run_preparation(params.spec, folder, params.num_lanes, selected, emit, should_stop)

    return ready, run


def serve(device: str, num_threads: int | None, load: Load = load_trials) -> int:
    """Runs attempts until the end of stdin. Returns 0, or 3 if it cannot start.

    The process ends with the one that started it. What anybody prints goes to stderr, or to the log of the attempt that
    runs, and never between the messages.
    """
    channel = _take_stdout()
    guards.install_guards()

    def send(message: BaseModel) -> None:
        channel.write(f"{message.model_dump_json(exclude_unset=True)}\n")
        channel.flush()

    try:
        ready, run_attempt = load(device, num_threads)
    except BaseException as error:  # noqa: BLE001 - a partial import raises anything
        send(_failed(error))
        return 3
    requests = _Requests()
    send(ready)
    while (request := requests.next()) is not None:
        if isinstance(request, Exception):
            send(_failed(request))
            return 3
        with _output_in(request.log_file):
            try:
                _require_code(request, ready)
                outcome = run_attempt(
                    request.params,
                    lambda event: send(WorkerEvent(type="event", event=event)),  # type: ignore[arg-type]
                    requests.should_stop,
                )
                of_trial = None if isinstance(outcome, PreparationOutcome) else outcome
                ended = WorkerEnded(type="ended", outcome=of_trial, error=None)
            except BaseException as error:  # noqa: BLE001 - nothing that a trial raises ends the worker
                ended = _failed(error)
        requests.is_busy = False
        send(ended)
    return 0


class _Requests:
    """Reads stdin in a thread, so that a request to stop arrives while an attempt runs."""

    def __init__(self) -> None:
        self.is_busy = False
        self._stop = threading.Event()
        self._runs: queue.Queue[RunRequest | PrepareRequest | Exception | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> RunRequest | PrepareRequest | Exception | None:
        """Waits for the next attempt; an error for a line that is no request, None at the end of stdin."""
        return self._runs.get()

    def should_stop(self) -> bool:
        return self._stop.is_set()

    def _read(self) -> None:
        for line in sys.stdin:
            try:
                request = _REQUEST.validate_json(line, strict=True)
            except ValueError as error:
                self._runs.put(error)
                return
            if isinstance(request, EndRequest):
                self._stop.set()
                continue
            self._stop.clear()  # A request that came after the end of the attempt before.
            self.is_busy = True
            self._runs.put(request)
        if self.is_busy:  # Whoever started this process is gone.
            os.kill(os.getpid(), signal.SIGKILL)
        self._runs.put(None)


def specs_of(params: Params) -> list[ClipRpnSpec | BaselineSpec]:
    """The trial of an attempt, or those that a preparation is for."""
    if isinstance(params, RunTrialParams):
        return [params.spec]
    return [part.trial for part in params.spec.parts]


def _take_stdout() -> TextIO:
    """The channel of messages. What is printed to stdout goes to stderr from now on."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


@contextmanager
def _output_in(log_file: str) -> Iterator[None]:
    """Appends what this process and its children print to a file, also the traceback of a crash in native code."""
    kept = [os.dup(1), os.dup(2)]
    log = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        _redirect([log, log])
        yield
    finally:
        _redirect(kept)
        for fd in (log, *kept):
            os.close(fd)


def _redirect(targets: list[int]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    for target, fd in zip(targets, (1, 2), strict=True):
        os.dup2(target, fd)


def _require_code(request: RunRequest | PrepareRequest, ready: WorkerReady) -> None:
    """
    Raises:
        CliprpnError: contract_violation, if a trial is one of other code.
    """
    ours = ready.sources_sha256.model_dump()
    for spec in specs_of(request.params):
        if spec.sources_sha256 == ours[spec.kind]:
            continue
        raise CliprpnError(
            "contract_violation",
            f"expected a trial of the code in {ready.code_folder}, {ours[spec.kind][:16]}, found one of "
            f"{spec.sources_sha256[:16]}; install the same version of cliprpn on all machines",
        )


def _failed(error: BaseException) -> WorkerEnded:
    import traceback

    code, message = describe_error(error)
    # Where a call was when it was asked to stop says nothing.
    print(message if code == "interrupted" else "".join(traceback.format_exception(error)), file=sys.stderr)
    return WorkerEnded(
        type="ended", outcome=None, error=ErrorInfo.model_validate({"code": code, "message": message})
    )
