"""What becomes of the attempt of a pilot that is killed: a process that outlives the pilot says so."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from test_worker_queue import ARGUMENTS, FakeChild, made_outcome, made_queue, waiting_name

from cliprpn.contract.generated import EndedAttempt, RunRequest
from cliprpn.worker import pilot as pilots
from cliprpn.worker.last_will import LastWill
from cliprpn.worker.queue_folder import QueueFolder

ENTRY = f"{0:016x}.1"


class EndlessChild(FakeChild):
    """In place of a worker process whose attempt does not end."""

    def run(self, request: RunRequest) -> None:
        pass


class RunningPilot:
    """A pilot in a process of its own, whose attempt has begun."""

    def __init__(self, queue: Path) -> None:
        self._queue = queue
        self._end, theirs = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.dup2(theirs, 2)
            try:
                os._exit(pilots.run_pilot(replace(ARGUMENTS, grace_s=600), queue, []))
            finally:
                os._exit(1)
        os.close(theirs)
        self.wait_for('"lost"')

    def wait_for(self, text: str) -> None:
        """Waits until such an end is prepared."""
        until(lambda: self.has_prepared(text))

    def has_prepared(self, text: str) -> bool:
        return any(text in read(file) for file in (self._queue / "ended").glob(".*.new"))

    def kill(self) -> str:
        """Returns what it and the process that outlives it have printed, when both have ended."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        with os.fdopen(self._end) as said:
            return said.read()

    def close(self) -> None:
        """Reads nothing of what they print."""
        os.close(self._end)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def read(file: Path) -> str:
    """Empty for a file that is gone."""
    with contextlib.suppress(FileNotFoundError):
        return file.read_text()
    return ""


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made_outcome()  # Its imports, before the fork.
    monkeypatch.setattr(pilots, "Child", EndlessChild)
    return made_queue(tmp_path, 1)


@pytest.fixture
def pilot(queue: Path) -> Iterator[RunningPilot]:
    running = RunningPilot(queue)
    yield running
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGKILL)


def end_in(queue: Path) -> EndedAttempt:
    """The end of the attempt; besides, only the pilot's file is left, which says where it ran."""
    [file] = (queue / "ended").iterdir()
    assert file.name == f"{ENTRY}.json"
    end = EndedAttempt.model_validate_json(file.read_text(), strict=True)
    assert [pilot.stem for pilot in (queue / "pilots").iterdir()] == [end.pilot]
    return end


def test_the_attempt_of_a_killed_pilot_is_lost_at_once(queue: Path, pilot: RunningPilot) -> None:
    [name] = [file.stem for file in (queue / "pilots").iterdir()]
    assert pilot.kill() == f"{ENTRY}: the worker was killed; the attempt is to run again\n"
    end = end_in(queue)
    assert (end.how, end.pilot, end.error) == ("lost", name, None)
    assert end.reason.startswith("it was killed")


def test_a_pilot_that_is_killed_after_it_was_asked_to_leave_was_preempted(
    queue: Path, pilot: RunningPilot
) -> None:
    """As by SLURM, some time after SIGTERM."""
    os.kill(pilot.pid, signal.SIGTERM)
    pilot.wait_for('"preempted"')
    pilot.kill()
    end = end_in(queue)
    assert (end.how, end.reason) == ("preempted", "SIGTERM")


def test_an_attempt_that_was_taken_away_meanwhile_gets_no_end(queue: Path, pilot: RunningPilot) -> None:
    [claim] = (queue / "claimed").iterdir()
    claim.unlink()
    assert "run again" not in pilot.kill()
    assert list((queue / "ended").iterdir()) == []


def test_an_end_stays_as_it_is(queue: Path, pilot: RunningPilot) -> None:
    (queue / "ended" / f"{ENTRY}.json").write_text("the first one")
    assert "run again" not in pilot.kill()
    [file] = (queue / "ended").iterdir()
    assert file.read_text() == "the first one"


def test_a_pilot_that_is_killed_between_two_attempts_ends_none(queue: Path) -> None:
    folder, will = made_will(queue)
    will.runs(ENTRY)
    will.runs(None)
    survivor = will._survivor
    assert survivor is not None
    assert survivor._process.stdin is not None
    survivor._process.stdin.close()  # As the end of the pilot does.
    assert survivor._process.wait() == 0
    assert not folder.pilot_file.exists()
    assert list((queue / "ended").iterdir()) == []


def test_an_end_that_was_prepared_long_ago_may_have_been_cleaned_up(queue: Path, pilot: RunningPilot) -> None:
    """Whoever runs the sweep again removes files that look like those of a killed process, after a day."""
    for file in (queue / "ended").iterdir():
        file.unlink()
    pilot.kill()
    assert end_in(queue).how == "lost"


def test_the_file_of_a_killed_pilot_stays_also_if_nobody_reads_what_is_said(
    queue: Path, pilot: RunningPilot
) -> None:
    pilot.close()
    os.kill(pilot.pid, signal.SIGKILL)
    os.waitpid(pilot.pid, 0)
    until(lambda: (queue / "ended" / f"{ENTRY}.json").exists() and not pilot.has_prepared('"lost"'))
    assert end_in(queue).how == "lost"


def test_a_signal_while_the_pilot_ends_does_no_harm(queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from SLURM, which is asked to cancel the jobs that are left of a sweep."""
    _, will = made_will(queue)
    assert will._survivor is not None
    process = will._survivor._process
    wait = process.wait

    def wait_while_a_signal_comes() -> int:
        will.leaves("SIGTERM")
        return wait()

    monkeypatch.setattr(process, "wait", wait_while_a_signal_comes)
    will.revoke()
    assert process.returncode == 0


def test_a_pilot_that_ends_by_itself_ends_its_attempt_by_itself(queue: Path) -> None:
    folder, will = made_will(queue)
    will.runs(ENTRY)
    will.revoke()
    assert folder.pilot_file.exists()
    assert list((queue / "ended").iterdir()) == []


def made_will(queue: Path) -> tuple[QueueFolder, LastWill]:
    """That of a pilot with a claim."""
    folder = QueueFolder(queue, "one")
    folder.pilot_file.touch()
    assert folder.claim(waiting_name(0)) == ENTRY
    will = LastWill(folder)
    will.make()
    return folder, will
