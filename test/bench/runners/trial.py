"""The trial that all tools run: it does nothing, or imports torch."""

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
    with Path(folder, f"ends-{os.getpid()}").open("a") as file:
        file.write(f"{time.monotonic()}\n")
    return 0.5
