"""The state of a training loop, of which checkpoints consist: what the next step depends on besides the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cliprpn.inference.build import custom_fusion_file
from cliprpn.models import ClipRPN
from cliprpn.run_context import RunContext
from cliprpn.seeding import random_state, set_random_state
from cliprpn.storage.training_state import State
from cliprpn.trials.checkpoint import Checkpoints, Progress, must_fit
from cliprpn.trials.finite import LossLog
from cliprpn.trials.fusion_state import FusionState

MAX_NAMES = 3


@dataclass(frozen=True)
class Position:
    """Where training is.

    Attributes:
        epoch: the current one, from 1.
        batch: steps of this epoch that are complete.
        elapsed_ms: time spent on this epoch.
    """

    epoch: int = 1
    batch: int = 0
    elapsed_ms: float = 0


@dataclass
class LoopState:
    """The objects that change from step to step.

    Attributes:
        fusion: state of a custom fusion outside of the model's state_dict.
        order: the state of `shuffle_rng` before it shuffled this epoch, from which the order is made again.
        unsaved: places of the fusion's state that cannot be saved.
    """

    model: ClipRPN
    optimizer: torch.optim.Optimizer
    shuffle_rng: np.random.Generator
    sampling_rng: torch.Generator
    log: LossLog
    fusion: FusionState
    order: Any = None
    unsaved: list[str] = field(default_factory=list)

    def begin_epoch(self) -> None:
        """Call it before the sentences are shuffled."""
        self.order = self.shuffle_rng.bit_generator.state

    def save(self, checkpoints: Checkpoints, position: Position, context: RunContext) -> None:
        """Writes a checkpoint, unless it would be incomplete. All losses have been read.

        Raises:
            CliprpnError: no_space.
        """
        saved, unsaved = self.fusion.dump()
        if not unsaved:
            checkpoints.save(self._dump(position, saved))
        elif self.unsaved != unsaved:
            context.warn(_describe(unsaved, self.model))
        self.unsaved = unsaved

    def _dump(self, position: Position, saved: State) -> State:
        """The state as plain values and tensors on the CPU."""
        return {
            "epoch": position.epoch,
            "batch": position.batch,
            "elapsed_ms": position.elapsed_ms,
            "model": _on_cpu(self.model.state_dict()),
            "buffers": _on_cpu(dict(_other_buffers(self.model))),
            "fusion": saved,
            # The groups have the same settings again, and a learning rate that each step sets.
            "optimizer": _on_cpu(self.optimizer.state_dict()["state"]),
            "order": self.order,
            "sampling": self.sampling_rng.get_state(),
            "losses": self.log.state(),
            "random": random_state(self.sampling_rng.device),
        }

    def restore(self, progress: Progress | None) -> Position:
        """Sets all objects, and the generators that belong to no object, to the progress; nothing without any.

        Raises:
            CliprpnError: bad_input, if it is the progress of another training.
        """
        if progress is None or progress.loop is None:
            return Position()
        with must_fit(progress):
            return self._load(progress.loop)

    def _load(self, state: State) -> Position:
        device = self.sampling_rng.device
        self.model.load_state_dict(state["model"])
        for name, buffer in _other_buffers(self.model):
            buffer.copy_(state["buffers"][name])
        self.fusion.load(state["fusion"], device)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state["optimizer"], "param_groups": groups})
        self.shuffle_rng.bit_generator.state = state["order"]
        self.sampling_rng.set_state(state["sampling"])
        self.log.load_state(state["losses"])
        set_random_state(state["random"], device)
        return Position(int(state["epoch"]), int(state["batch"]), float(state["elapsed_ms"]))


def _other_buffers(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The buffers that are not in the state_dict."""
    saved = model.state_dict()
    return ((name, buffer) for name, buffer in model.named_buffers() if name not in saved)


def _describe(unsaved: list[str], model: ClipRPN) -> str:
    """What a checkpoint cannot contain, and what to do about it."""
    more = len(unsaved) - MAX_NAMES
    names = ", ".join(unsaved[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
    return (
        f"{custom_fusion_file(model.fusion_module)}: no checkpoint is written, since {names} of the fusion changed and "
        "cannot be saved; after an interruption, this trial starts again. Expected state in buffers (register_buffer), "
        "or in attributes that are numbers, texts, tensors, arrays, random generators, or lists and dicts of them"
    )


def _on_cpu(value: Any) -> Any:
    return _on(value, torch.device("cpu"))


def _on(value: Any, device: torch.device) -> Any:
    """The same values, with all tensors on a device."""
    if isinstance(value, Tensor):
        return value.detach().to(device)
    if isinstance(value, dict):
        return {key: _on(each, device) for key, each in value.items()}
    return value
