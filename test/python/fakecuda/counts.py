"""Counts launches and synchronizations, with the lines that cause them."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import cliprpn
from fakecuda.rules import COPYING, INDEXING, operator_name

PACKAGE = f"{Path(str(cliprpn.__file__)).parent}/"
HERE = f"{Path(__file__).parent}/"

# Operators that allocate memory, and those of the host alone. Views launch nothing either.
ALLOCATING = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "empty_permuted"}
ON_HOST = {"_unsafe_view", "is_same_size", "_fused_sdp_choice", "is_pinned", "_pin_memory", "record_stream"}
# torch marks operators whose output depends on values on the device, for which the host waits; but not this one.
WAITING = {"nms"}
NOT_WAITING = INDEXING | {"nonzero_static"}


class Counts:
    """Commands for the device, and how often the host waited for it, since the last `clear`.

    A launch is an operator that queues at least one kernel or copy; some queue several.

    Attributes:
        launches: by operator.
        launch_places: by line of cliprpn, such as `models/rpn.py:152`.
        syncs: by operator or kind of copy.
        sync_places: by line and operator.
    """

    def __init__(self) -> None:
        self.launches: Counter[str] = Counter()
        self.launch_places: Counter[str] = Counter()
        self.syncs: Counter[str] = Counter()
        self.sync_places: Counter[str] = Counter()

    def clear(self) -> None:
        """Starts again from 0."""
        for counter in (self.launches, self.launch_places, self.syncs, self.sync_places):
            counter.clear()

    def add_launch(self, what: str) -> None:
        """Counts a command for the device."""
        self.launches[what] += 1
        self.launch_places[place()] += 1

    def add_sync(self, what: str) -> None:
        """Counts a wait of the host."""
        self.syncs[what] += 1
        self.sync_places[f"{place()} {what}"] += 1

    def table(self) -> str:
        """All synchronizations with their lines, and the numbers of launches, as text."""
        lines = [
            f"{self.syncs.total()} synchronizations, {self.launches.total()} launches",
            *(f"  {count:5}  {where}" for where, count in self.sync_places.most_common()),
            "launches by operator",
            *(f"  {count:5}  {what}" for what, count in self.launches.most_common(12)),
            "launches by line",
            *(f"  {count:5}  {where}" for where, count in self.launch_places.most_common(12)),
        ]
        return "\n".join(lines)


def count_operator(counts: Counts, func: Any, args: Any, kwargs: Any, pinned: bool) -> tuple[bool, bool]:
    """Counts an operator on the device. Returns whether it launches anything, and whether the host waits for it.

    Args:
        pinned: for a copy from or to the host, whether its memory is page-locked, so that `non_blocking` applies.
    """
    name = operator_name(func)
    if func.is_view or name in ON_HOST:
        return False, False
    if name in ALLOCATING:
        fills = (
            torch.are_deterministic_algorithms_enabled()
            and torch.utils.deterministic.fill_uninitialized_memory
        )
        if fills:
            counts.add_launch("fill of uninitialized memory")
        return fills, False
    copy = host_copy(name, args, kwargs)
    counts.add_launch(copy or name)
    waits: list[str] = []
    if copy is not None:
        if not (is_non_blocking(name, args, kwargs) and pinned):
            waits = [copy]
    elif name in INDEXING:
        waits = _waits_of_index(args)
    elif name in WAITING or (
        name not in NOT_WAITING
        and (torch.Tag.dynamic_output_shape in func.tags or torch.Tag.data_dependent_output in func.tags)
    ):
        waits = [name]
    for what in waits:
        counts.add_sync(what)
    return True, bool(waits)


def host_copy(name: str, args: Any, kwargs: Any) -> str | None:
    """`to host` or `to device` for a copy between both; None for others."""
    if name == "_to_copy":
        target, source = kwargs.get("device"), args[0].device
        to_host = target is not None and torch.device(target).type == "cpu"
    elif name in COPYING and isinstance(args[0], Tensor):
        target, source = args[0].device, args[1].device
        to_host = target.type == "cpu"
    else:
        return None
    if to_host:
        return "to host" if source.type == "cuda" else None
    return "to device" if source.type == "cpu" else None


def is_non_blocking(name: str, args: Any, kwargs: Any) -> bool:
    """Whether a copy was asked for that the host does not wait for."""
    return bool(kwargs.get("non_blocking", args[2] if name == "copy_" and len(args) > 2 else False))


def _waits_of_index(args: Any) -> list[str]:
    """A mask on the device is turned into indices, whose number the host waits for; an index of the host is copied."""
    indices = [index for index in args[1] if index is not None]
    is_mask = [index.dtype in (torch.bool, torch.uint8) for index in indices]
    value = args[2] if len(args) > 2 else None
    if value is not None and value.device.type == "cpu" and all(is_mask):
        return []  # A scalar: `masked_fill_`, which waits for nothing.
    waits = []
    for index, masks in zip(indices, is_mask, strict=True):
        if index.device.type == "cpu" and args[0].device.type == "cuda":
            waits.append("index to device")
        elif masks:
            waits.append("mask to indices")
    if value is not None and value.device.type == "cpu" and args[0].device.type == "cuda":
        waits.append("to device")
    return waits


def place() -> str:
    """The line of cliprpn that runs, `models/rpn.py:152`; or else the innermost line outside of packages."""
    frame, outside = sys._getframe(1), None
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(PACKAGE):
            return f"{file.removeprefix(PACKAGE)}:{frame.f_lineno}"
        if outside is None and not file.startswith((HERE, "<")) and "/lib/python" not in file:
            outside = f"{Path(file).name}:{frame.f_lineno}"
        frame = frame.f_back
    return outside or "torch"
