"""`python -m bench.gpu [--minutes 9] [--only PART...] [--out FOLDER]`; `--small --device cpu` shows that it runs."""

from __future__ import annotations

import argparse
import fnmatch
import json
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from pathlib import Path

from bench.gpu.features import FULL, SMALL, Size, scratch_parent
from bench.gpu.machine import describe_machine
from bench.gpu.page import as_json, derive, line, page
from bench.gpu.parts import PARTS
from bench.gpu.process import FORK_REFUSED, Measure, Start, run_part
from bench.gpu.row import Row
from cliprpn.errors import CliprpnError
from cliprpn.storage.durable import write_durably

# To describe the machine, and the least for a part.
MACHINE_S, LEAST_S = 60.0, 2.0


def main(argv: list[str]) -> int:
    """Measures, prints a line for each row, and writes results.json and RESULTS.md after each part.

    Returns:
        0; 1 if a part has no figures; 2 if there is no such device, or no space; 130 if it was interrupted.
    """
    args = _arguments(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    log = Log(args.out, SMALL if args.small else FULL, shlex.join(["python", "-m", "bench.gpu", *argv]))
    # So that the scratch folder is removed.
    signals: list[int] = []
    before = {
        number: signal.signal(number, lambda received, frame: signals.append(received))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        parent = args.scratch or scratch_parent(log.size, Path(tempfile.gettempdir()))
        with tempfile.TemporaryDirectory(prefix="cliprpn-bench-gpu-", dir=parent) as folder:
            code = _measure(args, log, Path(folder), lambda: len(signals) > 0)
    except CliprpnError as error:
        print(error, file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = 130
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    print(f"{log.page_file}, {log.elapsed_s / 60:.1f} minutes{', interrupted' if code == 130 else ''}")
    return code


class Log:
    """The rows so far: printed, and written to the folder."""

    def __init__(self, folder: Path, size: Size, command: str) -> None:
        self.size, self.command = size, command
        self.page_file, self.json_file = folder / "RESULTS.md", folder / "results.json"
        self.rows: list[Row] = []
        self._started = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    def add(self, row: Row) -> None:
        """Writes both files, then prints the row."""
        self.rows.append(row)
        derived = derive(self.rows)
        text = page(derived, self.size, self.command, self.elapsed_s)
        write_durably(self.page_file, text.encode())
        facts = {"command": self.command, "elapsed_s": self.elapsed_s}
        write_durably(self.json_file, json.dumps(as_json(derived, facts), indent=2).encode())
        print(line(derived[-1]), flush=True)


def _measure(args: argparse.Namespace, log: Log, scratch: Path, should_stop: Callable[[], bool]) -> int:
    """Runs the parts. Returns the exit code.

    Raises:
        KeyboardInterrupt: it should stop.
    """

    def run(name: str, measure: Measure, limit_s: float, start: Start) -> Generator[Row, None, None]:
        file = args.out / f"{name}.traceback.txt"
        return run_part(name, measure, limit_s, file, start, should_stop=should_stop)

    machine = partial(describe_machine, args.device, scratch)
    start: Start = "fork"
    found = list(run("machine", machine, MACHINE_S, start))
    if found[-1].problem is not None and FORK_REFUSED in found[-1].problem:
        start = "spawn"
        found = list(run("machine", machine, MACHINE_S, start))
    log.add(found[-1])
    if found[-1].problem is not None:
        return 2
    for position, name in enumerate(args.only):
        weights = [PARTS[other].weight for other in args.only[position:]]
        limit_s = (60 * args.minutes - log.elapsed_s) * weights[0] / sum(weights)
        if limit_s < LEAST_S:
            log.add(Row(name, name, problem="not measured: no time was left; give more --minutes"))
            continue
        measure = partial(PARTS[name].measure, log.size, args.device, scratch)
        # Closed first, so that its process has ended when the scratch folder is removed.
        with closing(run(name, measure, limit_s, start)) as rows:
            for row in rows:
                log.add(row)
    return 1 if any(row.problem is not None for row in log.rows) else 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N, cpu or auto")
    parser.add_argument("--minutes", type=float, default=9.0, help="in total; each part gets its share (9)")
    parser.add_argument(
        "--only", nargs="+", metavar="PART", help=f"of {', '.join(PARTS)}; * matches any text"
    )
    parser.add_argument(
        "--small", action="store_true", help="few images and small maps: shows that all parts run"
    )
    parser.add_argument(
        "--scratch", type=Path, help="folder for 6.5 GB of features (memory, or the temporary folder)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("bench-gpu"), help="folder for the results (bench-gpu)"
    )
    args = parser.parse_args(argv)
    patterns = args.only or ["*"]
    for pattern in patterns:
        if not fnmatch.filter(PARTS, pattern):
            parser.error(f"--only: expected parts of {', '.join(PARTS)}, found {pattern}")
    args.only = [name for name in PARTS if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    return args


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
