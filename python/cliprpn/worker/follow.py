"""Runs one attempt of a pilot on its worker process, and says how it ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from cliprpn.contract.generated import (
    EndedAttempt,
    ErrorInfo,
    FailedOutcome,
    PrepareRequest,
    QueuedPreparation,
    RunRequest,
    WorkerEnded,
    WorkerEvent,
)
from cliprpn.worker.child import Child
from cliprpn.worker.paths import Roots
from cliprpn.worker.queue_folder import Queued, QueueFolder

# How often files that ask for something are looked for.
LOOK_EVERY_S = 0.5
# After these, the next trial gets a new process: an error of the device or a partial import may affect it.
SUSPECT = ("internal", "fusion_invalid", "out_of_memory", "contract_violation")


@dataclass(frozen=True)
class FollowedAttempt:
    """What an attempt leaves behind.

    Attributes:
        how: as `EndedAttempt.how`, or the outcome's state.
        is_taken_away: the controller has ended it, since it holds the pilot for dead.
        is_worker_suspect: the worker process is gone, or may affect the next trial.
    """

    how: str
    is_taken_away: bool
    is_worker_suspect: bool


@dataclass
class _Stop:
    """Why the attempt was asked to end, as `EndedAttempt.how`, and until when."""

    how: str
    reason: str
    kill_at: float


def follow_attempt(
    child: Child,
    queue: QueueFolder,
    entry: str,
    attempt: Queued,
    roots: Roots,
    leaving: Callable[[], str],
    grace_s: float,
) -> FollowedAttempt:
    """Runs an attempt that this pilot has claimed.

    Args:
        attempt: as it was queued.
        roots: where its folders are on this machine.
        leaving: the signal that asked the pilot to leave; empty if none did.
        grace_s: time to stop after such a signal; a request to cancel says its own.
    """
    child.run(_request_of(attempt, roots))
    stop: _Stop | None = None
    looked_at = time.monotonic()
    with queue.events_file(entry).open("ab", buffering=0) as events:
        while True:
            message = child.receive(LOOK_EVERY_S)
            if isinstance(message, WorkerEvent):
                line = f"{message.event.model_dump_json(exclude_unset=True)}\n"
                with contextlib.suppress(OSError):  # For display only: a full disk is told by what needs it.
                    events.write(line.encode())
            elif isinstance(message, WorkerEnded | ErrorInfo):
                break
            if stop is None and time.monotonic() - looked_at >= LOOK_EVERY_S / 2:
                looked_at = time.monotonic()
                stop = _reason_to_stop(queue, entry, leaving(), grace_s)
                if stop is not None:
                    child.stop()
            if stop is not None and time.monotonic() > stop.kill_at:
                child.kill()
                stop.kill_at = float("inf")
    ended = _describe_end(message, stop, attempt, queue.pilot)
    is_taken_away = not queue.end(entry, ended)
    outcome = message.outcome if isinstance(message, WorkerEnded) else None
    return FollowedAttempt(
        ended.how if outcome is None else outcome.state, is_taken_away, _is_suspect(message)
    )


def _request_of(attempt: Queued, roots: Roots) -> RunRequest | PrepareRequest:
    """With the paths of this machine."""
    if isinstance(attempt, QueuedPreparation):
        preparation = roots.attempt_here(attempt)
        return PrepareRequest(type="prepare", params=preparation.params, log_file=preparation.log_file)
    here = roots.attempt_here(attempt)
    return RunRequest(type="run", params=here.params, log_file=here.log_file)


def _reason_to_stop(queue: QueueFolder, entry: str, leaving: str, grace_s: float) -> _Stop | None:
    now = time.monotonic()
    request = None
    with contextlib.suppress(OSError):  # A share that does not answer: the next look may succeed.
        if queue.is_taken_away(entry):
            return _Stop("lost", "", now)
        request = queue.cancel_request(entry)
    if leaving != "":
        return _Stop("preempted", leaving, now + grace_s)
    return None if request is None else _Stop("canceled", "", now + request.grace_s)


def _describe_end(
    message: WorkerEnded | ErrorInfo, stop: _Stop | None, attempt: Queued, pilot: str
) -> EndedAttempt:
    error = message if isinstance(message, ErrorInfo) else message.error
    how, reason = "outcome", ""
    if isinstance(message, ErrorInfo):
        how = "error" if stop is None else stop.how
        error = ErrorInfo.model_validate(
            {
                "code": message.code,
                "message": f"{message.message}; its output, if any, is in {attempt.log_file}",
            }
        )
    elif error is not None:
        how = "error"
        if error.code == "interrupted":
            how = "preempted" if stop is None else stop.how
    if stop is not None and how == stop.how:
        reason = stop.reason
    return EndedAttempt.model_validate(
        {
            "schema_version": 1,
            "how": how,
            "pilot": pilot,
            "reason": reason,
            "error": error.model_dump() if how == "error" and error is not None else None,
        }
    )


def _is_suspect(message: WorkerEnded | ErrorInfo) -> bool:
    if isinstance(message, ErrorInfo):
        return True
    if isinstance(message.outcome, FailedOutcome):
        return message.outcome.error.code in SUSPECT
    return message.error is not None and message.error.code in SUSPECT
