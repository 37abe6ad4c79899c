"""Device, cache folder, events and stop requests of a long computation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from pydantic import BaseModel

from cliprpn.contract.generated import ProgressEvent, WarningEvent

Emit = Callable[[BaseModel], None]


@dataclass
class BatchLimit:
    """The largest evaluation batch that fits into the device's memory.

    Attributes:
        rows: None while every batch fits.
    """

    rows: int | None = None


@dataclass(frozen=True)
class RunContext:
    """Passed down to everything that computes for long.

    Attributes:
        device: where tensors are computed.
        cache_dir: root folder of cached features, detections and embeddings.
        emit: sends an event to the parent process.
        should_stop: whether the run has been asked to end early.
        progress_every_s: shortest time between two progress events of a phase.
        own_stores: folder on this machine's own disk for what is added to stores of the cache (SQLite), which several
            machines must not write to; None to add it to the cache itself.
        num_lanes: on a CPU, blocks of images that are computed at the same time, each with torch's number of threads.
        batch_limit: changed when a batch does not fit, see `out_of_memory.py`.
    """

    device: torch.device
    cache_dir: Path
    emit: Emit
    should_stop: Callable[[], bool]
    progress_every_s: float = 0.2
    num_lanes: int = 1
    own_stores: Path | None = None
    batch_limit: BatchLimit = field(default_factory=BatchLimit, init=False, repr=False, compare=False)
    _sent_at: dict[str, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def progress(self, phase: str, done: int, total: int) -> None:
        """Sends a progress event, at most a few per second; always sends the last one of a phase.

        Args:
            phase: one of the contract's phases.
            done: number of finished items.
            total: number of all items.
        """
        now = time.monotonic()
        if done < total and now - self._sent_at.get(phase, -math.inf) < self.progress_every_s:
            return
        self._sent_at[phase] = now
        event = {"type": "progress", "phase": phase, "done": done, "total": total}
        self.emit(ProgressEvent.model_validate(event))

    def warn(self, message: str) -> None:
        """Sends a warning event."""
        self.emit(WarningEvent(type="warning", message=message))
