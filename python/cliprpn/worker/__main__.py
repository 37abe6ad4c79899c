"""Runs attempts that come as lines on stdin, or from a queue folder: `python -m cliprpn.worker [--queue DIR]`."""

from __future__ import annotations

import sys

from cliprpn.worker.arguments import read_arguments


def main(argv: list[str]) -> int:
    """Returns the exit code: 0; 3 if this machine cannot run the trials; 4 if a pilot's attempt was taken away."""
    arguments = read_arguments(argv)
    sys.path += arguments.module_path
    if arguments.queue is None:
        from cliprpn.worker.stdio import serve

        return serve(arguments.device, arguments.num_threads)
    # Without torch, which its worker process imports.
    from cliprpn.worker.pilot import run_pilot

    modules = [option for folder in arguments.module_path for option in ("--module-path", folder)]
    return run_pilot(arguments, arguments.queue, [sys.executable, "-m", "cliprpn.worker", *modules])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
