"""Marks of all tests."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: `npm run test:slow` runs it, `npm test` does not")
