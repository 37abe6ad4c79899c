"""Answers at once: what a worker's processes cost when nothing in them is ours."""

from __future__ import annotations

import os


def start() -> str:
    return str(os.getpid())


def handle(method: str, params: str) -> str:
    return params
