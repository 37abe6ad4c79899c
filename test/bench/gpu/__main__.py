"""`python -m bench.gpu [--minutes 9] [--only PART...] [--out FOLDER]`; `--small --device cpu` shows that it runs."""

from __future__ import annotations

import argparse
import fnmatch
import json
import shlex
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from bench.gpu.features import FULL, SMALL, scratch_parent
from bench.gpu.machine import describe_machine
from bench.gpu.page import as_json, derive, line, page
from bench.gpu.parts import PARTS
from bench.gpu.process import FORK_REFUSED, Start, run_part
from bench.gpu.row import Row
from cliprpn.errors import CliprpnError

# To describe the machine, and the least for a part.
MACHINE_S, LEAST_S = 60.0, 2.0
TRACEBACK = "{}.traceback.txt"


def main(argv: list[str]) -> int:
    """Measures, prints a line for each row, and writes results.json and RESULTS.md after each part.

    Returns:
        0; 1 if a part has no figures; 2 if there is no such device, or no space.
    """
    started = time.monotonic()
    args = _arguments(argv)
    size = SMALL if args.small else FULL
    args.out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []

    def add(row: Row) -> None:
        rows.append(row)
        derived = derive(rows)
        print(line(derived[-1]), flush=True)
        elapsed_s = time.monotonic() - started
        command = shlex.join(["python", "-m", "bench.gpu", *argv])
        (args.out / "RESULTS.md").write_text(page(derived, size, command, elapsed_s))
        facts = {"command": command, "elapsed_s": elapsed_s}
        (args.out / "results.json").write_text(json.dumps(as_json(derived, facts), indent=2))

    try:
        parent = args.scratch or scratch_parent(size, Path(tempfile.gettempdir()))
    except CliprpnError as error:
        print(error, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="cliprpn-bench-gpu-", dir=parent) as folder:
        scratch = Path(folder)
        machine = partial(describe_machine, args.device, scratch)
        start: Start = "fork"
        found = list(run_part("machine", machine, MACHINE_S, args.out / TRACEBACK.format("machine")))
        if found[-1].problem is not None and FORK_REFUSED in found[-1].problem:
            start = "spawn"
            found = list(
                run_part("machine", machine, MACHINE_S, args.out / TRACEBACK.format("machine"), start)
            )
        add(found[-1])
        if found[-1].problem is not None:
            return 2
        for position, name in enumerate(args.only):
            weights = [PARTS[other].weight for other in args.only[position:]]
            left_s = started + 60 * args.minutes - time.monotonic()
            limit_s = left_s * weights[0] / sum(weights)
            if limit_s < LEAST_S:
                add(Row(name, name, problem="not measured: no time was left; give more --minutes"))
                continue
            measure = partial(PARTS[name].measure, size, args.device, scratch)
            for row in run_part(name, measure, limit_s, args.out / TRACEBACK.format(name), start):
                add(row)
    print(f"{args.out / 'RESULTS.md'}, {(time.monotonic() - started) / 60:.1f} minutes")
    return 1 if any(row.problem is not None for row in rows) else 0


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
