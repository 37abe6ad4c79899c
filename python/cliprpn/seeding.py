"""Seeds all random generators."""

from __future__ import annotations

import random

import numpy as np
import torch


def seed_everything(seed: int, num_threads: int) -> None:
    """Seeds every generator, and fixes the number of threads, which determines the order of sums."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(num_threads)
