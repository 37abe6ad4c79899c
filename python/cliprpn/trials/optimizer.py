"""The optimizer and the learning rate of each step."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from cliprpn.contract.generated import Training
from cliprpn.trials.precision import precision_notes

# Where torch's fused Adam is used; elsewhere `device_notes` says so.
FUSED_ADAM_DEVICES = ("cuda", "cpu")


def make_optimizer(model: torch.nn.Module, settings: Training, device: torch.device) -> torch.optim.Optimizer:
    """Adam or AdamW; weight decay excludes biases and the parameters of norms."""
    decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    not_decayed = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    optimizer = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": not_decayed, "weight_decay": 0.0},
    ]
    fused = device.type in FUSED_ADAM_DEVICES
    return optimizer(groups, lr=settings.learning_rate, fused=fused, capturable=settings.cuda_graphs)


def make_schedule(settings: Training, num_steps: int) -> Callable[[int], float]:
    """Returns a function from a step to the learning rate relative to the peak.

    Linear warm-up, then constant or cosine decay.
    """
    warmup = int(settings.warmup_fraction * num_steps)

    def rate(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        if settings.schedule == "constant":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, num_steps - warmup)))

    return rate


def device_notes(settings: Training, device: torch.device) -> list[str]:
    """What a person may not expect of training on this device, one sentence each.

    Raises:
        CliprpnError: bad_input, see `choose_precision`.
    """
    notes = precision_notes(settings, device)
    if device.type not in FUSED_ADAM_DEVICES:
        notes.append(
            f"On {device.type}, {settings.optimizer} runs without torch's fused kernel: steps are slower, and results "
            "differ from CUDA's in the last digits."
        )
    return notes
