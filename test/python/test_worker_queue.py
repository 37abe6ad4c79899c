"""The pilot's side of a queue folder."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from test_worker_stdio import made_spec

from cliprpn.code_identity import code_hashes
from cliprpn.contract.generated import (
    SCHEMA_SHA256,
    CompletedOutcome,
    EndedAttempt,
    ErrorInfo,
    PilotFacts,
    QueuedAttempt,
    QueuedPreparation,
    QueueSettings,
    RunRequest,
    WorkerEnded,
    WorkerEvent,
    WorkerReady,
)
from cliprpn.errors import CliprpnError
from cliprpn.worker import pilot as pilots
from cliprpn.worker.arguments import Arguments
from cliprpn.worker.child import Child
from cliprpn.worker.paths import Roots
from cliprpn.worker.queue_folder import QueueFolder
from cliprpn.worker.wait_for_preparation import PreparationWait
from cliprpn.worker.waiting import WaitingAttempts

FOLDERS = ["first", "waiting", "claimed", "cancel", "ended", "events", "pilots", "barred"]


def made_queue(runs: Path, num_attempts: int) -> Path:
    """A queue as src/engine/queue/queue-folder.ts makes it."""
    queue = runs / "sweeps/test/queue"
    for name in FOLDERS:
        (queue / name).mkdir(parents=True)
    settings = QueueSettings.model_validate(
        {
            "schema_version": 1,
            "controller": "test",
            "runs_dir": str(runs),
            "sources_sha256": code_hashes(),
            "schema_sha256": SCHEMA_SHA256,
            "num_threads": 1,
            "beat_s": 60,
            "lease_s": 600,
        }
    )
    (queue / "queue.json").write_text(settings.model_dump_json())
    for index in range(num_attempts):
        attempt = made_attempt(runs, index)
        (queue / "waiting" / waiting_name(index)).write_text(attempt.model_dump_json(exclude_unset=True))
    return queue


def waiting_name(index: int) -> str:
    """The file of an attempt that waits: attempts are submitted in the order of their numbers."""
    return f"{index + 1:010}-{index:016x}.1.json"


def made_attempt(runs: Path, index: int = 0) -> QueuedAttempt:
    folder = runs / "trials" / f"{index:016x}" / "attempts/1"
    params = {"spec": made_spec("good", runs), "folder": str(folder), "keep_models": "best"}
    return QueuedAttempt.model_validate(
        {"schema_version": 1, "attempt": 1, "params": params, "log_file": str(folder / "worker.log")}
    )


def ended(pilot: str) -> EndedAttempt:
    return EndedAttempt(schema_version=1, how="outcome", pilot=pilot, reason="", error=None)


def test_attempts_are_taken_in_the_order_of_their_submission(tmp_path: Path) -> None:
    queue = made_queue(tmp_path, 12)
    for number, index in enumerate(reversed(range(12)), 100):  # Neither by id nor by time.
        os.rename(
            queue / "waiting" / waiting_name(index), queue / "waiting" / f"{number:010}-{index:016x}.1.json"
        )
    for other in (".0000000001-new.json", "notes.json", "0000000001-a.txt"):
        (queue / "waiting" / other).touch()
    waiting = WaitingAttempts(QueueFolder(queue, "a"), Roots([]), 600)
    assert take_all(waiting) == [f"{index:016x}.1" for index in reversed(range(12))]


def test_thousands_of_attempts_are_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = made_queue(tmp_path, 30)
    listed: list[object] = []
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: listed.append(folder) or listdir(folder))
    waiting = WaitingAttempts(QueueFolder(queue, "a"), Roots([]), 600)
    assert len(take_all(waiting)) == 30
    assert listed.count(queue / "waiting") == 2  # The second one finds nothing.
    assert {*listed} == {queue / "waiting", queue / "first"}  # No other folder, which may be large.


def test_attempts_that_others_have_taken_since_the_listing_are_passed_over(tmp_path: Path) -> None:
    queue = made_queue(tmp_path, 5)
    waiting = WaitingAttempts(QueueFolder(queue, "a"), Roots([]), 600)
    assert waiting.take() is not None
    for index in (1, 2, 3):
        assert QueueFolder(queue, "b").claim(waiting_name(index)) == f"{index:016x}.1"
    assert take_all(waiting) == [f"{4:016x}.1"]


def test_an_attempt_whose_file_is_stale_on_a_network_disk_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = made_queue(tmp_path, 2)
    waiting = WaitingAttempts(QueueFolder(queue, "a"), Roots([]), 600)
    rename = os.rename

    def stale(source: Path, target: Path) -> None:
        if Path(source).name == waiting_name(0):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(source))
        rename(source, target)

    monkeypatch.setattr(os, "rename", stale)
    found = waiting.take()
    assert found is not None
    assert found[0] == f"{1:016x}.1"


def test_each_attempt_is_claimed_by_one_pilot(tmp_path: Path) -> None:
    queue = made_queue(tmp_path, 40)
    claimed: list[str] = []

    def claim_all(name: str) -> None:
        claimed.extend(take_all(WaitingAttempts(QueueFolder(queue, name), Roots([]), 600)))

    threads = [threading.Thread(target=claim_all, args=(f"pilot-{index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [f"{index:016x}.1" for index in range(40)]


def take_all(waiting: WaitingAttempts) -> list[str]:
    """Entries in the order in which they were taken."""
    taken = []
    while (found := waiting.take()) is not None:
        taken.append(found[0])
    return taken


def test_an_attempt_ends_once(tmp_path: Path) -> None:
    queue = QueueFolder(made_queue(tmp_path, 1), "one")
    entry = f"{0:016x}.1"
    assert queue.claim(waiting_name(0)) == entry
    assert not queue.is_taken_away(entry)
    assert queue.end(entry, ended("one"))
    assert not queue.end(entry, ended("one"))
    assert queue.is_taken_away(entry)


def test_a_pilot_ends_no_attempt_whose_claim_is_gone(tmp_path: Path) -> None:
    queue = QueueFolder(made_queue(tmp_path, 1), "one")
    entry = f"{0:016x}.1"
    assert queue.claim(waiting_name(0)) == entry
    (queue.folder / "claimed" / f"{entry}@one.json").unlink()
    assert queue.is_taken_away(entry)
    assert not queue.end(entry, ended("one"))
    assert list((queue.folder / "ended").iterdir()) == []


def test_a_claim_whose_reply_was_lost_is_a_claim(tmp_path: Path) -> None:
    queue = QueueFolder(made_queue(tmp_path, 1), "one")
    assert queue.claim(waiting_name(0)) == f"{0:016x}.1"
    assert queue.claim(waiting_name(0)) == f"{0:016x}.1"
    assert QueueFolder(queue.folder, "other").claim(waiting_name(0)) is None


def test_paths_are_those_of_this_machine(tmp_path: Path) -> None:
    attempt = made_attempt(tmp_path)
    local = Roots([(str(tmp_path), "/elsewhere")]).attempt_here(attempt)
    assert local.params.folder == f"/elsewhere/trials/{0:016x}/attempts/1"
    assert local.log_file == f"{local.params.folder}/worker.log"
    assert local.params.spec.cache_dir == "/elsewhere"
    assert local.params.spec.label == "good"
    assert local.params.spec.trial_id == attempt.params.spec.trial_id
    assert Roots([(f"{tmp_path}-2", "/elsewhere")]).attempt_here(attempt) == attempt


def test_of_several_roots_the_longest_counts_and_of_equal_ones_the_first() -> None:
    roots = Roots(
        [("/home/me/data", "/home/me/data"), ("/home", "/mnt/"), ("/home/", "/other"), ("/h", "/x")]
    )
    paths = ["/home/me/a", "/home/me/data/b", "/home", "/homes/a"]
    assert [roots.here(path) for path in paths] == ["/mnt/me/a", "/home/me/data/b", "/mnt", "/homes/a"]


def test_what_a_machine_lacks_is_named_with_what_it_is_on_the_other_one(tmp_path: Path) -> None:
    attempt = made_attempt(tmp_path)
    spec = attempt.params.spec
    assert Roots([]).missing(attempt) is None
    spec.dataset.root = "/data/set"
    assert str(Roots([]).missing(attempt)).startswith("/data/set: expected this path of the machine")
    mapped = str(Roots([("/data", str(tmp_path))]).missing(attempt))
    assert mapped.startswith(f"{tmp_path}/set: expected /data/set of the machine")
    (tmp_path / "set").mkdir()
    assert Roots([("/data", str(tmp_path))]).missing(attempt) is None
    spec.cache_dir = "/cache/of/me"
    gone = str(Roots([("/data", str(tmp_path)), ("/cache", "/gone")]).missing(attempt))
    assert gone.startswith("/gone: expected the folder /cache of the machine")


def test_the_models_of_an_attempt_are_to_name_the_weights_of_the_other_machine(tmp_path: Path) -> None:
    attempt = made_attempt(tmp_path)
    attempt.params.spec.backbone.weights = "/models/w.safetensors"
    assert Roots([("/mnt", "/models")]).attempt_here(attempt) == attempt
    params = Roots([("/models", "/mnt")]).attempt_here(attempt).params
    assert params.spec.backbone.weights == "/mnt/w.safetensors"
    assert params.recorded_weights == "/models/w.safetensors"
    sent = RunRequest(type="run", params=params, log_file="").model_dump_json(exclude_unset=True)
    assert json.loads(sent)["params"]["recorded_weights"] == "/models/w.safetensors"


def made_preparation(runs: Path, number: int = 1) -> QueuedPreparation:
    folder = runs / "sweeps/test/prepare" / str(number)
    spec = {"schema_version": 1, "parts": [{"make": "features", "trial": made_spec("good", runs)}]}
    params = {"spec": spec, "folder": str(folder), "num_lanes": 1}
    return QueuedPreparation.model_validate(
        {"schema_version": 1, "attempt": number, "params": params, "log_file": str(folder / "worker.log")}
    )


def add_preparation(queue: Path, runs: Path) -> None:
    content = made_preparation(runs).model_dump_json(exclude_unset=True)
    (queue / "first/prepare.1.json").write_text(content)


def test_paths_of_a_preparation_are_those_of_this_machine(tmp_path: Path) -> None:
    roots = Roots([(str(tmp_path), "/elsewhere")])
    local = roots.attempt_here(made_preparation(tmp_path))
    assert local.params.folder == "/elsewhere/sweeps/test/prepare/1"
    assert str(roots.missing(made_preparation(tmp_path))).startswith("/elsewhere: expected")
    assert Roots([]).missing(made_preparation(tmp_path)) is None


def test_a_preparation_is_taken_first_and_no_trial_before_it_has_ended(tmp_path: Path) -> None:
    folder = made_queue(tmp_path, 2)
    queue = QueueFolder(folder, "one")
    one, other = (WaitingAttempts(QueueFolder(folder, name), Roots([]), 600) for name in ("one", "other"))
    assert other.take() is not None  # It has listed the trial that waits.
    add_preparation(folder, tmp_path)
    assert one.take() == ("prepare.1", made_preparation(tmp_path))
    assert [other.take(), other.is_blocked] == [None, True]
    assert queue.end("prepare.1", ended("one"))
    found = other.take()
    assert found is not None
    assert [found[0], other.is_blocked] == [f"{1:016x}.1", False]


def test_the_preparation_of_a_lost_pilot_ends_once_its_heartbeat_is_missed(tmp_path: Path) -> None:
    folder = made_queue(tmp_path, 1)
    add_preparation(folder, tmp_path)
    queue, other = QueueFolder(folder, "one"), QueueFolder(folder, "other")
    pilot_file = folder / "pilots/one.json"
    pilot_file.touch()
    assert queue.claim("prepare.1.json") == "prepare.1"
    now = 0.0
    wait = PreparationWait(other, 60, lambda: now)

    def watch(seconds: int) -> None:
        nonlocal now
        for _ in range(seconds):
            now += 1
            wait.watch(other.preparations())

    for beat in (1, 2, 3):
        os.utime(pilot_file, (beat, beat))
        watch(60)
    assert not queue.is_taken_away("prepare.1")
    pilot_file.unlink()  # It is removed if the pilot ends; that counts from now on.
    watch(61)
    assert not queue.is_taken_away("prepare.1")
    watch(1)
    assert queue.is_taken_away("prepare.1")
    assert not queue.end("prepare.1", ended("one"))
    assert other.preparations() == []


def test_what_was_taken_back_keeps_nobody_waiting(tmp_path: Path) -> None:
    """A process that takes it back renames it, and may be killed before it removes it."""
    folder = made_queue(tmp_path, 1)
    (folder / "first" / "prepare.1@.json").touch()
    assert take_all(WaitingAttempts(QueueFolder(folder, "a"), Roots([]), 600)) == [f"{0:016x}.1"]


def test_a_pilot_is_not_lost_because_the_disk_did_not_answer(tmp_path: Path) -> None:
    """All heartbeats wait for a share that hangs: after it, the pilots that wait may look first."""
    folder = made_queue(tmp_path, 0)
    (folder / "first" / "prepare.1.json").touch()
    queue, other = QueueFolder(folder, "one"), QueueFolder(folder, "two")
    queue.pilot_file.touch()
    assert queue.claim("prepare.1.json") == "prepare.1"
    now = 0.0
    wait = PreparationWait(other, 60, lambda: now)
    for at in (0.0, 0.5, 600.0):
        now = at
        wait.watch(other.preparations())
    assert not queue.is_taken_away("prepare.1")


def test_a_heartbeat_that_is_stale_on_a_network_disk_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = QueueFolder(made_queue(tmp_path, 0), "one")
    queue.pilot_file.touch()

    def stale(file: int) -> os.stat_result:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fstat", stale)
        heartbeat = queue.heartbeat_of("one")
    assert heartbeat is None


class FakeChild:
    """In place of the worker process: every attempt completes at once."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._messages: list[WorkerReady | WorkerEvent | WorkerEnded | ErrorInfo] = [made_ready()]

    def receive(self, timeout_s: float) -> WorkerReady | WorkerEvent | WorkerEnded | ErrorInfo | None:
        return self._messages.pop(0) if self._messages else None

    def run(self, request: RunRequest) -> None:
        event = {"type": "progress", "phase": "training", "done": 1, "total": 1}
        self._messages += [
            WorkerEvent.model_validate({"type": "event", "event": event}),
            WorkerEnded(type="ended", outcome=made_outcome(), error=None),
        ]

    def stop(self) -> None:
        pass

    def kill(self) -> None:
        pass


def made_ready() -> WorkerReady:
    return WorkerReady.model_validate(
        {
            "type": "ready",
            "pid": 1,
            "host": "here",
            "schema_sha256": SCHEMA_SHA256,
            "sources_sha256": code_hashes(),
            "code_folder": "/",
            "environment": trial_faults().ENVIRONMENT,
        }
    )


def made_outcome() -> CompletedOutcome:
    rates = dict.fromkeys(trial_faults().RATES, 0.5)
    return CompletedOutcome.model_validate(
        {
            "schema_version": 1,
            "state": "completed",
            "trial_id": "0" * 16,
            "sources_sha256": "0" * 64,
            "finished_at": "2026-01-01T00:00:00+00:00",
            "best_epoch": 1,
            "epochs": [],
            "metrics": {"num_sentences": 1, "num_images": 1, **rates},
            "num_trainable_parameters": 1,
            "durations_ms": {"features": 0, "training": 0, "evaluation": 0, "total": 0},
            "peak_memory_bytes": {"process": 0, "device": None},
            "environment": trial_faults().ENVIRONMENT,
            "notes": [],
        }
    )


def trial_faults() -> Any:
    import sys

    folder = str(Path(__file__).parent / "faults")
    if folder not in sys.path:
        sys.path.append(folder)
    import trial_faults

    return trial_faults


ARGUMENTS = Arguments(
    device="cpu",
    num_threads=None,
    queue=None,
    idle_s=0,
    grace_s=1,
    label="",
    module_path=(),
    node_cache=None,
    replaced=(),
)


def test_a_pilot_killed_at_any_change_of_the_disk_leaves_whole_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pilots, "Child", FakeChild)
    made_outcome()
    status, number = signal.SIGKILL.value, 0
    while status != 0:
        queue = made_queue(tmp_path / str(number), 2)
        status = run_killed_at(number, queue)
        assert status in (0, signal.SIGKILL)
        check_files(queue)
        number += 1
    assert number > 10  # Changes of the disk by a pilot that runs two attempts.
    assert len(list((queue / "ended").iterdir())) == 2
    assert list((queue / "pilots").iterdir()) == []


def test_the_worker_process_is_replaced_after_a_number_of_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    class CountedChild(FakeChild):
        def __init__(self, command: list[str], env: dict[str, str]) -> None:
            super().__init__(command, env)
            started.append(command)

    monkeypatch.setattr(pilots, "Child", CountedChild)
    monkeypatch.setattr(pilots, "RENEW_AFTER", 2)
    queue = made_queue(tmp_path, 5)
    pilot = pilots.Pilot(ARGUMENTS, queue, ["worker"])
    pilot.run()
    pilot.close()
    assert started == [["worker", "--device", "cpu", "--num-threads", "1"]] * 3
    assert len(list((queue / "ended").iterdir())) == 5


def test_a_worker_process_that_does_not_get_ready_is_given_up_and_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where its imports wait for a file system that does not answer."""
    left: list[str] = []

    class StuckChild(FakeChild):
        def receive(self, timeout_s: float) -> None:
            return None

        def kill(self) -> None:
            [file] = (queue / "pilots").iterdir()  # Killing it may take long: all is said before.
            left.append(file.read_text())

    monkeypatch.setattr(pilots, "Child", StuckChild)
    queue = made_queue(tmp_path, 1)
    assert pilots.run_pilot(replace(ARGUMENTS, start_s=0.05), queue, []) == 3
    facts = PilotFacts.model_validate_json(left[0], strict=True)
    assert facts.state == "refused"
    assert facts.error is not None
    assert facts.error.code == "environment_broken"
    assert "ready within 0.05 s" in facts.error.message
    assert "a file system that does not answer looks like this" in facts.error.message
    assert [file.name for file in (queue / "waiting").iterdir()] == [waiting_name(0)]


def test_a_worker_process_that_cannot_be_killed_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child(["sleep", "600"], {})
    with monkeypatch.context() as patch:
        patch.setattr(os, "killpg", lambda *args: None)
        patch.setattr("cliprpn.worker.child.KILL_WAIT_S", 0.05)
        child.kill()
    assert child.receive(0) is None
    child.kill()
    message = child.receive(60)
    assert isinstance(message, ErrorInfo)


@pytest.mark.parametrize(
    ("operation", "code", "said"),
    [
        ("rename", errno.EROFS, "expected a writable path"),
        ("rename", errno.EACCES, "expected a writable path"),
        ("rename", errno.ENOSPC, "no space left on the disk"),
        ("link", errno.EDQUOT, "no space left on the disk"),
        ("replace", errno.ENOSPC, "no space left on the disk"),
        ("listdir", errno.EIO, "Input/output error"),
    ],
)
def test_an_error_of_the_disk_ends_a_pilot_with_one_line(
    operation: str,
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    queue = made_queue(tmp_path, 1)
    monkeypatch.setattr(pilots, "Child", FakeChild)

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code), str(args[0]))

    monkeypatch.setattr(os, operation, fail)
    assert pilots.run_pilot(ARGUMENTS, queue, []) == 3
    (line,) = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("0" * 16)]
    assert said in line
    assert line.startswith(f"{queue}: ")


def test_a_sweep_that_is_removed_while_it_runs_ends_a_pilot_with_one_line_and_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class RemovingChild(FakeChild):
        def run(self, request: RunRequest) -> None:
            super().run(request)
            shutil.rmtree(tmp_path / "sweeps")

    monkeypatch.setattr(pilots, "Child", RemovingChild)
    queue = made_queue(tmp_path, 1)
    assert pilots.run_pilot(ARGUMENTS, queue, []) == 3
    *_, line = capfd.readouterr().err.splitlines()
    assert line.startswith(f"{queue}: expected the queue of the sweep, found none any more")
    assert not (tmp_path / "sweeps").exists()


def test_events_that_cannot_be_written_cost_no_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pilots, "Child", FakeChild)
    queue = made_queue(tmp_path, 1)
    (queue / "events" / f"{0:016x}.1.jsonl").symlink_to("/dev/full")
    assert pilots.run_pilot(ARGUMENTS, queue, []) == 0
    end = EndedAttempt.model_validate_json((queue / "ended" / f"{0:016x}.1.json").read_text(), strict=True)
    assert end.how == "outcome"


def test_an_attempt_of_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pilots, "Child", FakeChild)
    queue = made_queue(tmp_path, 1)
    (queue / "waiting" / waiting_name(0)).write_text('{"schema_version": 2}')
    assert pilots.run_pilot(ARGUMENTS, queue, []) == 3
    assert "expected QueuedAttempt of this version" in capfd.readouterr().err
    (file,) = (queue / "pilots").iterdir()
    assert PilotFacts.model_validate_json(file.read_text(), strict=True).state == "refused"


def run_killed_at(number: int, queue: Path) -> int:
    """Runs a pilot in a process that is killed before a change of the disk. Returns the status of its end."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(theirs, 2)
        left = number

        def count() -> None:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

        for name in ("fsync", "link", "rename", "replace", "unlink"):
            setattr(os, name, after(count, getattr(os, name)))
        try:
            os._exit(pilots.run_pilot(ARGUMENTS, queue, []))
        finally:
            os._exit(1)
    os.close(theirs)
    with os.fdopen(ours) as said:  # Also of the process that outlives it.
        said.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) * -1


def after(first: Callable[[], None], function: Callable[..., Any]) -> Callable[..., Any]:
    """Calls `first` before each call of a function."""

    def call(*args: Any, **kwargs: Any) -> Any:
        first()
        return function(*args, **kwargs)

    return call


def check_files(queue: Path) -> None:
    """Every file that is no staging file is complete, and each attempt is in one place."""
    models: dict[str, type[BaseModel]] = {
        "waiting": QueuedAttempt,
        "claimed": QueuedAttempt,
        "ended": EndedAttempt,
        "pilots": PilotFacts,
    }
    names = {}
    for folder, model in models.items():
        files = [file for file in (queue / folder).iterdir() if not file.name.startswith(".")]
        for file in files:
            model.model_validate_json(file.read_text(), strict=True)
        names[folder] = [file.name.removesuffix(".json") for file in files]
    waiting = [name.partition("-")[2] for name in names["waiting"]]
    claimed = [name.partition("@")[0] for name in names["claimed"]]
    assert sorted([*waiting, *claimed]) == [f"{index:016x}.1" for index in range(2)]
    assert set(names["ended"]) <= set(claimed)
    for file in (queue / "events").iterdir():
        for line in file.read_text().splitlines():
            json.loads(line)


def test_a_pilot_runs_attempts_where_roots_say_that_their_folders_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two views of one folder, of which the pilot uses the second."""
    requests: list[RunRequest] = []

    class RecordingChild(FakeChild):
        def run(self, request: RunRequest) -> None:
            requests.append(request)
            super().run(request)

    monkeypatch.setattr(pilots, "Child", RecordingChild)
    queue = made_queue(tmp_path / "here/runs", 1)
    (tmp_path / "there").symlink_to(tmp_path / "here")
    settings = QueueSettings.model_validate_json((queue / "queue.json").read_text())
    attempt = made_attempt(tmp_path / "here/runs")
    attempt.params.spec.cache_dir = str(tmp_path / "here/cache")
    (queue / "waiting" / waiting_name(0)).write_text(attempt.model_dump_json(exclude_unset=True))
    settings.roots = {str(tmp_path / "here"): str(tmp_path / "there")}
    (queue / "queue.json").write_text(settings.model_dump_json())
    pilot = pilots.Pilot(ARGUMENTS, tmp_path / "there/runs/sweeps/test/queue", ["worker"])
    pilot.run()
    pilot.close()
    [request] = requests
    assert request.params.spec.cache_dir == str(tmp_path / "there/cache")
    assert request.params.folder == str(tmp_path / "there/runs/trials" / f"{0:016x}" / "attempts/1")
    settings.roots = {str(tmp_path / "here"): str(tmp_path / "gone")}
    (queue / "queue.json").write_text(settings.model_dump_json())
    (queue / "waiting" / waiting_name(1)).write_text(attempt.model_dump_json(exclude_unset=True))
    lost = pilots.Pilot(ARGUMENTS, queue, ["worker"])
    with pytest.raises(CliprpnError, match=f"{tmp_path}/gone.*roots"):
        lost.run()
    lost.close()
    [file] = (queue / "pilots").iterdir()
    assert PilotFacts.model_validate_json(file.read_text()).state == "refused"
