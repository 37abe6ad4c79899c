"""Run by test_features.py: extracts features in forked processes, each killed a few steps later than the previous one.

Usage: extract_and_die.py ROOT WORK. Prints a JSON object. Forks before torch starts any thread.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from helpers import open_small, prepared, run_context, shipped_weights_id, wait_until

import cliprpn.storage.durable
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.features import frozen, image_features, text_features
from cliprpn.storage import array_store, growing_array
from cliprpn.storage.weights_files import load_backbone

# Blocks of one image and four sentences, each on disk before the next.
image_features.IMAGES_PER_BLOCK_AT_224 = 0
text_features.SENTENCES_PER_BLOCK = 4
array_store.COMMIT_EVERY_S = 0.0
BACKBONE = load_backbone("cliprpn-tiny", "shipped")


def extract(index: DatasetIndex, cache: Path, other_waits: Path | None = None) -> dict[str, int]:
    """Counts of encoded images and sentences, loads of the backbone, and waits for the lock.

    Args:
        other_waits: a file that another process creates when it waits for the lock; nothing is encoded before.
    """
    cost = {"images": 0, "sentences": 0, "loads": 0, "waits": 0}
    feature_map, encode_text = BACKBONE.feature_map, BACKBONE.encode_text

    def counted(key: str, inner: Callable[[torch.Tensor], Any]) -> Callable[[torch.Tensor], Any]:
        def call(batch: torch.Tensor) -> Any:
            if other_waits is not None:
                wait_until(other_waits.exists)
            cost[key] += len(batch)
            return inner(batch)

        return call

    def add(key: str) -> None:
        cost[key] += 1

    def on_event(event: Any) -> None:
        if event.type == "warning":
            add("waits")
            if other_waits is not None:
                other_waits.touch()

    BACKBONE.feature_map = counted("images", feature_map)
    BACKBONE.encode_text = counted("sentences", encode_text)
    frozen.open_features(
        index,
        open_small(index.root),
        lambda: (add("loads"), BACKBONE)[1],
        shipped_weights_id(),
        run_context(cache, on_event),
    )
    return cost


def in_child(work: Callable[[], Any], report: Path) -> int:
    """Runs `work` in a fork, which writes its result to `report`; returns the fork's process id."""
    pid = os.fork()
    if pid == 0:
        torch.set_num_threads(1)
        try:
            report.write_text(json.dumps(work()))
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - a fork must never return
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
    return pid


def wait(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die_at(step: int) -> None:
    """Makes this process kill itself at its n-th disk operation: a write (within a row), a sync or a rename."""
    steps_left = step

    def survives() -> bool:
        nonlocal steps_left
        steps_left -= 1
        return steps_left >= 0

    def or_die(inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if not survives():
                os.kill(os.getpid(), signal.SIGKILL)
            return inner(*args)

        return call

    def append(self: growing_array.GrowingArray, rows: Any) -> None:
        if not survives():
            self._file.write(rows.tobytes()[:7])  # Half a row reaches the file.
            self._file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        original(self, rows)

    original = growing_array.GrowingArray.append
    growing_array.GrowingArray.append = append
    os.fsync = or_die(os.fsync)
    cliprpn.storage.durable.os.replace = or_die(os.replace)


def content(cache: Path) -> dict[str, bytes]:
    files = sorted([*cache.glob("features/*/*.npy"), *cache.glob("features/*/manifest.json")])
    return {str(path.relative_to(cache)): path.read_bytes() for path in files}


def finished_items(cache: Path) -> dict[str, int]:
    """Number of images and sentences that a killed run has finished; -1 for all."""
    done = {}
    for key, pattern in (("images", "maps-*"), ("sentences", "text-*")):
        folder = next(cache.glob(f"features/{pattern}"), None)
        done[key] = 0
        if folder is not None and (folder / "manifest.json").exists():
            done[key] = -1
        elif folder is not None and (folder / "progress.json").exists():
            done[key] = json.loads((folder / "progress.json").read_text())["progress"]["done"]
    return done


def main(root: Path, work: Path) -> None:
    index = open_dataset(*prepared(root, work))
    report = work / "report.json"
    assert wait(in_child(lambda: extract(index, work / "complete"), report)) == 0
    complete = content(work / "complete")
    runs: list[dict[str, Any]] = []
    while True:
        cache = work / f"killed-{len(runs)}"
        step = 3 * len(runs)  # Not a divisor of the steps per block, so that each kind of step is hit.
        code = wait(in_child(lambda: (die_at(step), extract(index, cache)), report))  # noqa: B023
        done = finished_items(cache)
        again = in_child(lambda: extract(index, cache), report)  # noqa: B023
        resumed = wait(again)
        cost = json.loads(report.read_text())
        runs.append(
            {"code": code, "resumed": resumed, "done": done, "cost": cost, "same": content(cache) == complete}
        )
        if code == 0:
            break
    waiting = work / "waiting"
    both = [
        in_child(lambda: extract(index, work / "shared", waiting), work / f"shared-{n}.json")
        for n in range(2)
    ]
    codes = [wait(pid) for pid in both]
    shared = [json.loads((work / f"shared-{n}.json").read_text()) for n in range(2)]
    print(
        json.dumps(
            {
                "runs": runs,
                "shared": {"codes": codes, "cost": shared, "same": content(work / "shared") == complete},
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
