"""The actor that holds a worker, without Ray."""

import sys
import threading
import time
from pathlib import Path

import pytest
from cliprpn_ray.slot import Slot

# Prints when it is ready, and when it is asked to end.
WORKER = """
import signal, sys, time
def end(number, frame):
    print("asked", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    time.sleep(60)
"""


def test_a_worker_that_is_asked_to_leave_ends_by_itself(tmp_path: Path) -> None:
    slot, log, results = Slot(), tmp_path / "log", []
    command = [sys.executable, "-c", WORKER]
    running = threading.Thread(target=lambda: results.append(slot.run(command, {}, str(log))))
    running.start()
    while not log.exists() or "ready" not in log.read_text():
        time.sleep(0.01)
    slot.leave()
    running.join()
    assert (results, log.read_text().split()) == ([""], ["ready", "asked"])
    slot.leave()


def test_an_actor_that_is_to_leave_starts_no_worker(tmp_path: Path) -> None:
    slot = Slot()
    slot.leave()
    assert slot.run([sys.executable, "-c", "print(1)"], {}, str(tmp_path / "log")) == ""
    assert (tmp_path / "log").read_text() == ""


def test_a_worker_imports_nothing_from_the_folder_in_which_ray_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "argparse.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "logs/log"
    assert Slot().run([sys.executable, "-m", "json.tool", "--help"], {}, str(log)) == ""
    assert "usage" in log.read_text()
