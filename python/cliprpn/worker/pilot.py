"""A pilot: takes attempts from the queue of a sweep, and runs them on a warm worker process, until nothing is left.

The pilot itself imports no torch and runs no trial. Whatever happens to its worker (a crash, a trial that does not
stop), the pilot still has its heartbeat and says how the attempt ended.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from pathlib import Path

from cliprpn.contract.generated import (
    SCHEMA_SHA256,
    ErrorInfo,
    PilotFacts,
    QueueSettings,
    WorkerEnded,
    WorkerReady,
)
from cliprpn.errors import CliprpnError
from cliprpn.storage.node_disk import node_environment
from cliprpn.worker.arguments import Arguments
from cliprpn.worker.child import Child
from cliprpn.worker.follow import LOOK_EVERY_S, follow_attempt
from cliprpn.worker.heartbeat import Heartbeat
from cliprpn.worker.last_will import LastWill
from cliprpn.worker.paths import Roots
from cliprpn.worker.process_identity import this_process, unique_name
from cliprpn.worker.queue_folder import Queued, QueueFolder, queue_errors
from cliprpn.worker.waiting import WaitingAttempts

# After as many trials, the worker process is replaced: some memory is never freed. As src/engine/local/renewal.ts.
RENEW_AFTER = 100
# How long an idle pilot sleeps before it looks for an attempt again: at first, and at most.
MIN_SLEEP_S, MAX_SLEEP_S = 0.02, 0.5


def run_pilot(arguments: Arguments, folder: Path, command: list[str]) -> int:
    """Runs attempts until the queue was empty for a while, the sweep ends, or a signal asks to leave.

    After SIGTERM, SIGINT or SIGUSR1, the attempt that runs writes a checkpoint and ends as preempted.

    Args:
        folder: the queue.
        command: starts the worker process, without its options.

    Returns:
        0; 3 if this machine cannot run the trials, or the queue cannot be used any more; 4 if the pilot was without a
        heartbeat for so long that it counts as lost: another one may be started.
    """
    pilot = Pilot(arguments, folder, command)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, pilot.leave)
    try:
        is_lost = pilot.run()
    except CliprpnError as error:
        _say(f"{folder}: {error.message}")
        return 3
    finally:
        pilot.close()
    if is_lost:
        _say(f"{folder}: this worker was without a heartbeat for so long that it counts as lost")
    return 4 if is_lost else 0


class Pilot:
    """See `run_pilot`."""

    def __init__(self, arguments: Arguments, folder: Path, command: list[str]) -> None:
        self._arguments, self._command = arguments, command
        self._name = unique_name()
        self._queue = QueueFolder(folder, self._name)
        self._child: Child | None = None
        self._heartbeat: Heartbeat | None = None
        self._will = LastWill(self._queue)
        # The signal that asked the pilot to leave.
        self._signal = ""
        self._has_lost_attempt = False
        self._has_refused = False

    def leave(self, number: int, frame: object) -> None:
        """A signal handler."""
        self._signal = signal.Signals(number).name
        self._will.leaves(self._signal)

    def run(self) -> bool:
        """Returns whether the pilot counts as lost.

        Raises:
            CliprpnError: this machine cannot run the trials, which the pilot's file says, too; or the queue cannot be
                used any more.
        """
        with queue_errors(self._queue):
            settings = self._read_settings()
            self._register("starting")
            self._will.make()
        self._heartbeat = Heartbeat(self._queue.beat, settings.beat_s)
        try:
            with queue_errors(self._queue), node_environment(self._arguments.node_cache, _say) as env:
                self._run_attempts(settings, env)
                self._queue.require()
                return self._is_lost()
        except CliprpnError as error:
            self._refuse(error)
            raise

    def _run_attempts(self, settings: QueueSettings, env: dict[str, str]) -> None:
        # queue/ lies in sweeps/NAME/ of the runs folder.
        runs_dir = (settings.runs_dir, str(self._queue.folder.parents[2]))
        roots = Roots([*self._arguments.replaced, *(settings.roots or {}).items(), runs_dir])
        waiting = WaitingAttempts(self._queue, roots, settings.lease_s)
        child, num_trials = self._start(settings, env), 0
        while child is not None and (found := self._next(waiting)) is not None:
            entry, attempt = found
            self._will.runs(entry)
            _say(f"{entry} runs")
            result = follow_attempt(
                child, self._queue, entry, attempt, roots, lambda: self._signal, self._arguments.grace_s
            )
            self._will.runs(None)
            # Whoever runs the sweep holds this pilot for dead, and would for every further attempt.
            self._has_lost_attempt = result.is_taken_away
            _say(f"{entry} ended: {result.how}")
            num_trials += 1
            if result.is_worker_suspect or num_trials >= RENEW_AFTER:
                child.kill()
                child, num_trials = self._start(settings, env), 0

    def _refuse(self, error: CliprpnError) -> None:
        self._will.revoke()  # It would remove the file that says why.
        # The disk may be full: the first error says more.
        with contextlib.suppress(CliprpnError, OSError):
            self._register("refused", error=error)
            self._has_refused = True

    def close(self) -> None:
        """Ends the worker. The pilot's file stays if it says why the pilot refused."""
        if self._heartbeat is not None:
            self._heartbeat.stop()
        if self._child is not None:
            self._child.kill()
        if not self._has_refused:
            with contextlib.suppress(OSError):  # Without a heartbeat, it counts as ended, too.
                self._queue.unregister()
        self._will.revoke()

    def _read_settings(self) -> QueueSettings:
        """
        Raises:
            CliprpnError: not_found; contract_violation, for a queue of another version.
        """
        other = "expected a queue of this version of cliprpn, found another one; install the same version everywhere"
        try:
            settings = self._queue.settings()
        except OSError as error:
            raise CliprpnError(
                "not_found",
                f"expected the queue of a sweep, found none ({error.strerror}); check that this machine sees the "
                "folder, and start the sweep with --engine queue",
            ) from error
        except ValueError as error:
            raise CliprpnError("contract_violation", other) from error
        if settings.schema_sha256 != SCHEMA_SHA256:
            raise CliprpnError("contract_violation", other)
        return settings

    def _start(self, settings: QueueSettings, env: dict[str, str]) -> Child | None:
        """Starts a worker process; None if the pilot is to end.

        Raises:
            CliprpnError: as the worker says; environment_broken, also if it is not ready in time; contract_violation,
                if its code is not the sweep's.
        """
        options = ["--device", self._arguments.device]
        if settings.num_threads is not None:
            options += ["--num-threads", str(settings.num_threads)]
        self._child = child = Child([*self._command, *options], env)
        end = time.monotonic() + self._arguments.start_s
        while not self._is_ending():
            if time.monotonic() > end:
                raise CliprpnError(
                    "environment_broken",
                    f"expected a worker that is ready within {self._arguments.start_s:g} s, found one that still "
                    "starts. Importing Python's packages from a file system that does not answer looks like this; try "
                    f"`{sys.executable} -c 'import torch'` on this machine",
                )
            message = child.receive(LOOK_EVERY_S)
            if isinstance(message, WorkerReady):
                _require_same_code(message, settings)
                self._register("ready", ready=message)
                return child
            if isinstance(message, WorkerEnded) and message.error is not None:
                raise CliprpnError(message.error.code, message.error.message)
            if isinstance(message, ErrorInfo):
                raise CliprpnError("environment_broken", f"the worker did not start: {message.message}")
        return None

    def _next(self, waiting: WaitingAttempts) -> tuple[str, Queued] | None:
        """Waits for an attempt and takes it; None if the pilot is to end.

        Raises:
            CliprpnError: as `WaitingAttempts.take`.
        """
        idle_since, sleep_s = time.monotonic(), MIN_SLEEP_S
        while not self._is_ending():
            found = waiting.take()
            if waiting.is_blocked:
                idle_since = time.monotonic()
            if found is not None or time.monotonic() - idle_since > self._arguments.idle_s:
                return found
            time.sleep(sleep_s)
            sleep_s = min(2 * sleep_s, MAX_SLEEP_S)
        return None

    def _is_lost(self) -> bool:
        """Whether the sweep's process holds this pilot for dead."""
        is_gone = self._heartbeat is not None and self._heartbeat.is_gone
        return self._has_lost_attempt or is_gone or self._queue.is_barred()

    def _is_ending(self) -> bool:
        return self._signal != "" or self._queue.is_stopped() or self._is_lost()

    def _register(
        self, state: str, ready: WorkerReady | None = None, error: CliprpnError | None = None
    ) -> None:
        facts = {
            "schema_version": 1,
            "name": self._name,
            "label": self._arguments.label,
            "state": state,
            "error": None if error is None else {"code": error.code, "message": error.message},
            "process": this_process().model_dump(),
            "environment": None if ready is None else ready.environment.model_dump(),
        }
        self._queue.register(PilotFacts.model_validate(facts))


def _say(text: str) -> None:
    """For the log of a cluster's job, or the person who started the pilot."""
    with contextlib.suppress(OSError):  # The log's disk may be full.
        print(text, file=sys.stderr, flush=True)


def _require_same_code(ready: WorkerReady, settings: QueueSettings) -> None:
    """
    Raises:
        CliprpnError: contract_violation.
    """
    if ready.sources_sha256 != settings.sources_sha256 or ready.schema_sha256 != settings.schema_sha256:
        raise CliprpnError(
            "contract_violation",
            f"expected the Python files of the machine that runs the sweep, found others in {ready.code_folder}; "
            "install the same version of cliprpn on all machines",
        )
