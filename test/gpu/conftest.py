"""Skips every test here if there is no CUDA device."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

TEST = Path(__file__).parents[1]
sys.path[:0] = [str(TEST.parent / "python"), str(TEST / "python"), str(TEST)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not torch.cuda.is_available():
        skip = pytest.mark.skip(reason=f"needs a CUDA device; torch {torch.__version__} finds none")
        for item in items:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def device() -> torch.device:
    return torch.device("cuda:0")
