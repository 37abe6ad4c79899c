"""The state of a training loop, of which checkpoints consist: what the next step depends on besides the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cliprpn.inference.build import custom_fusion_file
from cliprpn.models import ClipRPN
from cliprpn.seeding import random_state, set_random_state
from cliprpn.storage.training_state import State
from cliprpn.trials.checkpoint import Progress, must_fit
from cliprpn.trials.finite import LossLog


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
        order: the state of `shuffle_rng` before it shuffled this epoch, from which the order is made again.
    """

    model: ClipRPN
    optimizer: torch.optim.Optimizer
    shuffle_rng: np.random.Generator
    sampling_rng: torch.Generator
    log: LossLog
    order: Any = None

    def begin_epoch(self) -> None:
        """Call it before the sentences are shuffled."""
        self.order = self.shuffle_rng.bit_generator.state

    def dump(self, position: Position) -> State:
        """The state as plain values and tensors on the CPU. All losses have been read."""
        return {
            "epoch": position.epoch,
            "batch": position.batch,
            "elapsed_ms": position.elapsed_ms,
            "model": _on_cpu(self.model.state_dict()),
            "buffers": _on_cpu(dict(_other_buffers(self.model))),
            "attributes": _on_cpu(_attributes(self.model)),
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
        for name, values in state["attributes"].items():
            vars(self.model.fusion_module.get_submodule(name)).update(_on(values, device))
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


def _attributes(model: ClipRPN) -> dict[str, dict[str, Any]]:
    """Numbers, texts and tensors that the modules of a custom fusion keep as plain attributes, such as a counter."""
    if custom_fusion_file(model.fusion_module) is None:
        return {}
    return {
        name: {
            key: value
            for key, value in vars(module).items()
            if key != "training" and isinstance(value, (bool, int, float, str, Tensor))
        }
        for name, module in model.fusion_module.named_modules()
    }


def _on_cpu(value: Any) -> Any:
    return _on(value, torch.device("cpu"))


def _on(value: Any, device: torch.device) -> Any:
    """The same values, with all tensors on a device."""
    if isinstance(value, Tensor):
        return value.detach().to(device)
    if isinstance(value, dict):
        return {key: _on(each, device) for key, each in value.items()}
    return value
