"""Checkpoints of training: files from which a killed trial continues, with the same bits on a CPU."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from cliprpn.contract.generated import CheckpointHead, Epoch, ResumedFrom
from cliprpn.errors import CliprpnError
from cliprpn.inference.fusion_errors import describe_error
from cliprpn.run_context import RunContext
from cliprpn.storage.training_state import State, read_training_state, write_training_state

KeepModels = Literal["all", "best", "none"]
RESUME_FILE = "resume.pt"


@dataclass(frozen=True)
class ResumeOptions:
    """What an attempt does for its successors, and which attempts it may continue.

    Attributes:
        resume_from: folders of earlier attempts at the trial that have no outcome; the first one with a good checkpoint
            is continued.
        checkpoint_minutes: time between checkpoints within an epoch; 0 for none but those at the end of epochs.
    """

    resume_from: tuple[Path, ...] = ()
    checkpoint_minutes: float = 0


@dataclass
class Progress:
    """Training so far.

    Attributes:
        epochs: complete ones.
        best_epoch: the one that was selected by val; 0 before the first.
        best_state: the weights of its model, on the CPU.
        training_ms: time spent on training up to the checkpoint.
        earlier_ms: the part of it that lies in other attempts.
        loop: the state of the training loop, see `loop_state.py`; None before training.
        file: the checkpoint.
        resumed_from: where this attempt began; None for the start.
        micro_batch_size: the most sentences that go through the model together; None for whole batches.
    """

    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    best_state: dict[str, torch.Tensor] = field(default_factory=dict)
    training_ms: float = 0
    earlier_ms: float = 0
    loop: State | None = None
    file: Path | None = None
    resumed_from: ResumedFrom | None = None
    micro_batch_size: int | None = None


class Checkpoints:
    """Writes the checkpoints of one attempt; each replaces the one before.

    Args:
        folder: of the attempt.
        identity: what a checkpoint must have in common with the attempt that continues it.
    """

    def __init__(self, folder: Path, identity: dict[str, str], minutes: float, progress: Progress) -> None:
        self._file, self._identity = folder / RESUME_FILE, identity
        self._interval_s = minutes * 60
        self.progress = progress
        self._started = self._saved = time.monotonic()

    def is_due(self) -> bool:
        """Whether it is time for a checkpoint within an epoch."""
        return 0 < self._interval_s <= time.monotonic() - self._saved

    def save(self, loop: State) -> None:
        """Writes a checkpoint.

        Args:
            loop: the state of the training loop: plain values and tensors.

        Raises:
            CliprpnError: no_space.
        """
        progress = self.progress
        training_ms = progress.training_ms + (time.monotonic() - self._started) * 1000
        content = {
            "identity": self._identity,
            "epochs": [epoch.model_dump(mode="json") for epoch in progress.epochs],
            "best_epoch": progress.best_epoch,
            "best_state": progress.best_state,
            "training_ms": training_ms,
            "loop": loop,
            "micro_batch_size": progress.micro_batch_size,
        }
        head = CheckpointHead(sources_sha256=self._identity["sources_sha256"], training_ms=training_ms)
        write_training_state(self._file, content, head)
        self._saved = time.monotonic()


def find_progress(folders: tuple[Path, ...], identity: dict[str, str], context: RunContext) -> Progress:
    """The progress of the first of these attempts that has a good checkpoint by the same code; else none.

    A damaged checkpoint is ignored with a warning.

    Raises:
        CliprpnError: bad_input, if a checkpoint belongs to another trial.
    """
    for folder in folders:
        file = folder / RESUME_FILE
        if not file.is_file():
            continue
        try:
            content = read_training_state(file)
            progress = _parse(content, folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            context.warn(f"{file}: ignored, since it is not a complete checkpoint of training: {error}")
            continue
        found = content["identity"]
        if found["trial_id"] != identity["trial_id"]:
            raise CliprpnError(
                "bad_input",
                f"{file}: expected a checkpoint of the trial {identity['trial_id']}, found one of "
                f"{found['trial_id']}; resume from an attempt at the same trial",
            )
        differing = [key for key in identity if found.get(key) != identity[key]]
        if not differing:
            return progress
        key = differing[-1]
        context.warn(
            f"{file}: ignored, since another {key.replace('_', ' ')} wrote it: expected {identity[key]}, found "
            f"{found.get(key)}"
        )
    return Progress()


@contextmanager
def must_fit(progress: Progress) -> Iterator[None]:
    """Surrounds code that sets objects to the values of a checkpoint.

    Raises:
        CliprpnError: bad_input, if they are values of something else.
    """
    try:
        yield
    except (KeyError, RuntimeError, TypeError, ValueError, AttributeError) as error:
        raise CliprpnError(
            "bad_input",
            f"{progress.file}: expected a checkpoint of this training: {describe_error(error)}; remove the file to "
            "train from the start",
        ) from error


def _parse(content: State, folder: Path) -> Progress:
    """
    Raises:
        ValueError, KeyError, TypeError: it is not the content of a checkpoint.
    """
    epochs = [Epoch.model_validate(epoch) for epoch in content["epochs"]]
    loop = dict(content["loop"])
    return Progress(
        epochs,
        int(content["best_epoch"]),
        dict(content["best_state"]),
        training_ms=float(content["training_ms"]),
        earlier_ms=float(content["training_ms"]),
        loop=loop,
        file=folder / RESUME_FILE,
        resumed_from=ResumedFrom(
            attempt=int(folder.name) if folder.name.isdecimal() else None,
            epoch=int(loop["epoch"]),
            step=int(loop["batch"]),
        ),
        micro_batch_size=content["micro_batch_size"],
    )


def remove_checkpoint(folder: Path) -> None:
    """Removes the checkpoint of an attempt that has an outcome."""
    (folder / RESUME_FILE).unlink(missing_ok=True)
