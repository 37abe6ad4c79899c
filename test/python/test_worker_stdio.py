"""`python -m cliprpn.worker` as a process: JSON lines in and out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cliprpn.code_identity import code_hashes

FAULTS = Path(__file__).parent / "faults"


class Worker:
    """A worker whose trials end as their labels say, see faults/trial_faults.py."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.errors = folder / "stderr"
        path = os.pathsep.join([str(Path(__file__).parents[2] / "python"), str(FAULTS)])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "worker_faults", "--device", "cpu"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors.open("w"),
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def read(self) -> dict[str, Any]:
        """The next message."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.errors.read_text()
        message: dict[str, Any] = json.loads(line)
        return message

    def send(self, request: dict[str, Any] | str) -> None:
        """Writes one line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{request if isinstance(request, str) else json.dumps(request)}\n")
        self.process.stdin.flush()

    def run(self, label: str, number: int = 1, **changes: Any) -> Path:
        """Starts an attempt. Returns its folder."""
        folder = self.folder / "trials" / label / "attempts" / str(number)
        folder.mkdir(parents=True)
        spec = made_spec(label, self.folder) | changes
        params = {"spec": spec, "folder": str(folder), "keep_models": "best"}
        self.send({"type": "run", "params": params, "log_file": str(folder / "worker.log")})
        return folder

    def until_ended(self) -> dict[str, Any]:
        """The message about the end of the attempt."""
        while (message := self.read())["type"] != "ended":
            pass
        return message


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    started = Worker(tmp_path)
    yield started
    started.process.kill()
    started.process.wait()


def made_spec(label: str, folder: Path) -> dict[str, Any]:
    presets = json.loads((Path(__file__).parents[1] / "bench/gpu/presets.json").read_text())
    return {
        "kind": "cliprpn",
        "trial_id": "0" * 16,
        "sources_sha256": code_hashes()["cliprpn"],
        "label": label,
        "preset": "default",
        "seed": 0,
        "num_threads": 1,
        "device": "cpu",
        "dataset": {"id": "none", "name": "none", "root": str(folder), "split_by": "umd"},
        "backbone": {"name": "cliprpn-tiny", "weights": "shipped", "weights_id": "none"},
        "settings": presets["default"],
        "cache_dir": str(folder),
    }


def test_the_first_line_says_process_device_versions_and_code(worker: Worker) -> None:
    ready = worker.read()
    assert ready["type"] == "ready"
    assert ready["pid"] == worker.process.pid
    assert ready["host"] == os.uname().nodename
    assert ready["environment"]["device"] == "cpu"
    assert ready["sources_sha256"] == code_hashes()


def test_attempts_run_one_after_the_other_in_one_process(worker: Worker) -> None:
    worker.read()
    worker.run("good")
    assert worker.read()["event"]["type"] == "progress"
    ended = worker.read()
    assert ended["error"] is None
    assert ended["outcome"]["num_trainable_parameters"] == worker.process.pid
    worker.run("good", 2)
    assert worker.until_ended()["outcome"]["num_trainable_parameters"] == worker.process.pid


def test_what_a_trial_prints_goes_into_its_log(worker: Worker) -> None:
    worker.read()
    folder = worker.run("prints")
    assert worker.until_ended()["error"] is None
    log = (folder / "worker.log").read_text()
    assert "from Python" in log and "from a program" in log and "from a descriptor" in log
    assert "from" not in worker.errors.read_text()


def test_a_failure_is_told_and_the_next_attempt_runs(worker: Worker) -> None:
    worker.read()
    folder = worker.run("fail")
    ended = worker.until_ended()
    assert ended["error"] == {"code": "internal", "message": "ValueError: seven is too many"}
    assert ended["outcome"] is None
    assert "in fail" in (folder / "worker.log").read_text()
    worker.run("good")
    assert worker.until_ended()["error"] is None


def test_a_trial_of_other_code_is_refused(worker: Worker) -> None:
    worker.read()
    folder = worker.run("good", sources_sha256="0" * 64)
    error = worker.until_ended()["error"]
    assert error["code"] == "contract_violation"
    assert "0" * 16 in error["message"] and code_hashes()["cliprpn"][:16] in error["message"]
    assert not (folder / "outcome.json").exists()


def test_a_request_to_stop_ends_the_attempt_and_not_the_next_one(worker: Worker) -> None:
    worker.read()
    worker.run("slow")
    worker.read()
    worker.send({"type": "stop"})
    assert worker.until_ended()["error"]["code"] == "interrupted"
    worker.send({"type": "stop"})  # Too late: there is no attempt.
    worker.run("good")
    assert worker.until_ended()["error"] is None


def test_the_end_of_stdin_ends_an_idle_worker(worker: Worker) -> None:
    worker.read()
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    assert worker.process.wait() == 0


def test_the_end_of_stdin_kills_a_worker_that_is_busy(worker: Worker) -> None:
    worker.read()
    worker.run("deaf")
    worker.read()
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    assert worker.process.wait() == -9


@pytest.mark.parametrize("line", ["{", '{"type": "run"}', '{"type": "dance"}'])
def test_a_line_that_is_no_request_ends_the_worker(worker: Worker, line: str) -> None:
    worker.read()
    worker.send(line)
    assert worker.read()["error"]["code"] == "contract_violation"
    assert worker.process.wait() == 3
