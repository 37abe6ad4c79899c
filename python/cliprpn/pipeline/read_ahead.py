"""Reads in the background: the next items are read while earlier ones are used."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import torch

Item = TypeVar("Item")
Value = TypeVar("Value")

MAX_READERS = 16


def read_ahead(
    read: Callable[[Item], Value], items: Iterable[Item], num_threads: int, num_ahead: int
) -> Generator[Value, None, None]:
    """Yields `read(item)` of each item, in order.

    Threads, not processes: decoding, resizing and copying release Python's lock, and nothing has to be pickled.

    Args:
        read: runs in several threads at the same time.
        num_ahead: items that are read, or being read, before they are asked for.

    Raises:
        Exception: the error of an item, when its turn comes.
    """
    remaining = iter(items)
    with ThreadPoolExecutor(num_threads, "reader") as pool:
        ahead = deque(pool.submit(read, item) for item in islice(remaining, num_ahead))
        try:
            while ahead:
                value = ahead.popleft().result()
                ahead.extend(pool.submit(read, item) for item in islice(remaining, 1))
                yield value
        finally:
            for future in ahead:
                future.cancel()


def num_readers(device: torch.device) -> int:
    """Threads that read blocks for a device: on a CPU one, because the network's threads use all cores."""
    return 1 if device.type == "cpu" else min(MAX_READERS, os.cpu_count() or 1)
