"""The command line of `python -m cliprpn.worker`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

# Many nodes that read Python's packages from one share at the same time need minutes.
# src/engine/queue/slow-start.ts waits longer.
START_S = 600.0


@dataclass(frozen=True)
class Arguments:
    """What a worker is asked for.

    Attributes:
        device: auto, cpu, cuda, cuda:I or mps.
        num_threads: CPU threads of each trial; None for torch's default. A pilot takes the queue's.
        queue: the folder of a pilot; None for a worker that reads lines.
        idle_s: a pilot ends when the queue was empty for this time.
        start_s: time of a pilot's worker process to import torch and all modules, at most.
        grace_s: time that an attempt gets to stop after SIGTERM or SIGUSR1, before it is killed.
        label: of a pilot, for people, such as the job of a cluster.
        module_path: further folders of Python modules, searched last.
        node_cache: of a pilot: folder on this machine's own disk for copies of features; None for none.
        replaced: starts of paths of the machine that runs the sweep, and what they are here.
    """

    device: str
    num_threads: int | None
    queue: Path | None
    idle_s: float
    grace_s: float
    label: str
    module_path: tuple[str, ...]
    node_cache: str | None
    replaced: tuple[tuple[str, str], ...]
    start_s: float = START_S


def read_arguments(argv: list[str]) -> Arguments:
    """Reads the command line; prints its usage and exits with 2 if it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m cliprpn.worker", description=__doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:I or mps")
    parser.add_argument("--num-threads", type=int, help="CPU threads of each trial")
    parser.add_argument("--queue", type=Path, help="take attempts from this folder, queue/ of a sweep")
    parser.add_argument("--idle-s", type=float, default=60, help="end when the queue was empty for this time")
    parser.add_argument(
        "--start-s", type=float, default=START_S, help="refuse to work if the start takes longer"
    )
    parser.add_argument(
        "--grace-s", type=float, default=20, help="time of an attempt to stop after SIGTERM or SIGUSR1"
    )
    parser.add_argument("--label", default="", help="shown beside the name of this machine")
    parser.add_argument(
        "--module-path",
        action="append",
        default=[],
        help="a folder of Python modules, searched last (repeatable)",
    )
    parser.add_argument(
        "--node-cache",
        metavar="DIR",
        help="copy features to this folder on the machine's own disk, which may contain variables such as $TMPDIR",
    )
    parser.add_argument(
        "--replace",
        action="append",
        default=[],
        metavar="FROM=TO",
        help="FROM at the start of a path is TO on this machine (repeatable)",
    )
    values = parser.parse_args(argv)
    replaced = [tuple(value.split("=", 1)) for value in values.replace]
    for pair, value in zip(replaced, values.replace, strict=True):
        if len(pair) != 2 or not all(part.startswith("/") for part in pair):
            parser.error(f"--replace: expected FROM=TO with two absolute paths, found {value}")
    return Arguments(
        device=values.device,
        num_threads=values.num_threads,
        queue=None if values.queue is None else values.queue.resolve(),
        idle_s=values.idle_s,
        start_s=values.start_s,
        grace_s=values.grace_s,
        label=values.label,
        module_path=tuple(values.module_path),
        node_cache=values.node_cache,
        replaced=tuple((pair[0].rstrip("/"), pair[1].rstrip("/")) for pair in replaced),
    )
