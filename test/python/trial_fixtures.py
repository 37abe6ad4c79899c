"""Fixtures of tests that run trials; conftest.py of a folder imports them."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import small_dataset


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dataset."""
    return small_dataset(tmp_path_factory.mktemp("data") / "blocks")


@pytest.fixture(scope="module")
def cache(root: Path) -> Path:
    """The cache of the trials on it."""
    return root.parent / "cache"
