"""The trials that all tools run: one does nothing or imports torch, another waits for its worker to be killed."""

from __future__ import annotations

import os
import time
from pathlib import Path


def run_trial(folder: str, *, with_torch: bool) -> float:
    """Notes when it ended in a file of its process.

    Args:
        folder: for these files.
        with_torch: imports torch, which a process does once.

    Returns:
        A made accuracy.
    """
    if with_torch:
        import torch

        torch.zeros(1)
    _note(folder, "ends")
    return 0.5


def wait_for_kill(folder: str) -> float:
    """The first call waits until its process is killed, the next one returns; both note their start, job and process.

    Args:
        folder: for these files.

    Returns:
        A made accuracy.
    """
    Path(folder, "job").write_text(
        f"{os.environ.get('SLURM_ARRAY_JOB_ID')}_{os.environ.get('SLURM_ARRAY_TASK_ID')}"
    )
    Path(folder, "pid").write_text(str(os.getpid()))
    _note(folder, "starts")
    try:
        Path(folder, "first").touch(exist_ok=False)
    except FileExistsError:
        return 0.5
    while True:
        time.sleep(60)


def _note(folder: str, what: str) -> None:
    with Path(folder, f"{what}-{os.getpid()}").open("a") as file:
        file.write(f"{time.monotonic()}\n")
