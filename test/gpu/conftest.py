"""Without a CUDA device every test here is skipped, and says so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

TEST = Path(__file__).parents[1]
sys.path[:0] = [str(TEST.parent / "python"), str(TEST / "python"), str(TEST)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not torch.cuda.is_available():
        build = f"torch {torch.__version__} finds none"
        skip = pytest.mark.skip(reason=f"needs a CUDA device; {build}")
        for item in items:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def device() -> torch.device:
    return torch.device("cuda:0")
