"""Runs the tests here on a simulated CUDA device, or with CLIPRPN_TEST_CUDA=1 on a real one."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

import pytest
import torch

TEST = Path(__file__).parents[1]
sys.path[:0] = [str(TEST.parent / "python"), str(TEST / "python"), str(TEST)]
ON_REAL_DEVICE = os.environ.get("CLIPRPN_TEST_CUDA") == "1"
if not ON_REAL_DEVICE:
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # The simulated device replaces a real one.
    torch.set_num_threads(1)  # As in test/python.

from fakecuda import FakeCuda, fake_cuda  # noqa: E402
from helpers import REPO  # noqa: E402
from trial_fixtures import cache as cache  # noqa: E402
from trial_fixtures import root as root  # noqa: E402

from cliprpn.features import frozen  # noqa: E402
from cliprpn.ranking import clip_embeddings  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if ON_REAL_DEVICE and not torch.cuda.is_available():
        skip = pytest.mark.skip(reason=f"needs a CUDA device; torch {torch.__version__} finds none")
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(skip)


@pytest.fixture(scope="module", autouse=True)
def simulation() -> Iterator[FakeCuda | None]:
    """The simulated device of all tests of a module; None on a real one."""
    if ON_REAL_DEVICE:
        yield None
        return
    with fake_cuda() as cuda:
        yield cuda
        clip_embeddings._loaded.clear()  # Its weights are on the device.


@pytest.fixture
def cuda(simulation: FakeCuda | None) -> FakeCuda:
    """The simulated device, for tests of what only it can show."""
    if simulation is None:
        pytest.skip("needs the simulated device")
    simulation.counts.clear()
    return simulation


@pytest.fixture(scope="session")
def device() -> torch.device:
    return torch.device("cuda:0")


@pytest.fixture(autouse=True)
def no_traces() -> Iterator[None]:
    """Restores what a trial changes: random state, deterministic algorithms, open datasets."""
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    frozen._opened.clear()
    yield
    frozen._opened.clear()
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    torch.set_num_threads(threads)
    torch.set_rng_state(state)
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def run_module() -> Callable[..., CompletedProcess[str]]:
    """Runs a module with arguments as `python -m` does, on a device that is not initialized, with test/ on the path.

    In a new process; with the simulated device in this one, which has imported torch.
    """
    return run_in_new_process if ON_REAL_DEVICE else _run_here


@pytest.fixture
def run_forking_module() -> Callable[..., CompletedProcess[str]]:
    """The same for a module that forks: torch may hang in a fork of a process that has used its threads."""
    return run_in_new_process if ON_REAL_DEVICE else partial(run_in_new_process, "fakecuda", "-m")


def run_in_new_process(*args: str) -> CompletedProcess[str]:
    path = os.pathsep.join(map(str, (REPO / "python", TEST / "python", TEST)))
    return subprocess.run(
        [sys.executable, "-m", *args],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def _run_here(*args: str) -> CompletedProcess[str]:
    out, err = StringIO(), StringIO()
    with (
        mock.patch.object(sys, "argv", ["fakecuda", "-m", *args]),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as stopped,
    ):
        runpy.run_module("fakecuda", run_name="__main__", alter_sys=True)
    frozen._opened.clear()
    return CompletedProcess(args, int(stopped.value.code or 0), out.getvalue(), err.getvalue())
