"""`python -m fakecuda -m MODULE ARGS` runs a module, with a simulated CUDA device, as `python -m MODULE ARGS` does."""

from __future__ import annotations

import runpy
import sys

from fakecuda.patches import fake_cuda

if __name__ == "__main__":
    if sys.argv[1:2] != ["-m"] or len(sys.argv) < 3:
        sys.exit("usage: python -m fakecuda -m MODULE ARGS")
    del sys.argv[:2]
    with fake_cuda():
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
