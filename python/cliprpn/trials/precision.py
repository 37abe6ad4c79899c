"""What a training step computes with: float32, or bfloat16 with float32 weights in the optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from cliprpn.contract.generated import Training
from cliprpn.errors import CliprpnError
from cliprpn.inference.build import custom_fusion_file
from cliprpn.models import ClipRPN

Precision = Literal["fp32", "bf16"]
# Where `auto` is `bf16`, and where `bf16` can be asked for.
AUTO_BF16_DEVICES = ("cuda",)
BF16_DEVICES = ("cuda", "cpu")
# Flags of /proc/cpuinfo for instructions that multiply bfloat16.
CPU_BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def choose_precision(settings: Training, device: torch.device) -> Precision:
    """What `training.precision` means on a device.

    Raises:
        CliprpnError: bad_input, if the device cannot train with it; another precision is never used instead.
    """
    if settings.precision == "auto":
        return "bf16" if device.type in AUTO_BF16_DEVICES else "fp32"
    if settings.precision == "bf16" and device.type not in BF16_DEVICES:
        raise CliprpnError(
            "bad_input",
            f"training.precision: expected fp32 or auto on {device.type}, found bf16, which trains on "
            f"{' and '.join(BF16_DEVICES)}; change training.precision, or choose another --device",
        )
    return settings.precision


def precision_notes(settings: Training, device: torch.device) -> list[str]:
    """What a person may not expect of the precision on this device, one sentence each."""
    if settings.precision == "auto" and device.type not in ("cpu", *AUTO_BF16_DEVICES):
        return [
            f"training.precision is auto, which is bf16 on CUDA only: on {device.type}, training is in float32."
        ]
    if choose_precision(settings, device) == "bf16" and not _multiplies_bf16(device):
        return [
            f"This {'processor' if device.type == 'cpu' else device.type + ' device'} has no instructions for "
            "bfloat16, so training.precision bf16 is slower here than fp32."
        ]
    return []


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return True  # Unknown.
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return not CPU_BF16_FLAGS.isdisjoint(flags.split())


class Compute:
    """Computes outputs and gradients in float32.

    Attributes:
        input_dtype: of the features that the model is called with.
    """

    input_dtype = torch.float32

    @contextmanager
    def forward(self) -> Iterator[None]:
        """Surrounds a call of the model."""
        yield

    def collect_gradients(self) -> None:
        """Call it after each `backward`: adds its gradients to those of the model's parameters."""


class Bf16Compute(Compute):
    """Computes outputs and gradients in bfloat16: with copies of the weights, which stay float32 in the model.

    All copies are made in one launch, and so are all float32 gradients; autocast needs two launches a weight and one
    to three an activation. A custom fusion may mix types in its own way, so it has float32 weights and inputs, and
    autocast.
    """

    def __init__(self, model: ClipRPN) -> None:
        self._is_custom = custom_fusion_file(model.fusion_module) is not None
        self.input_dtype = torch.float32 if self._is_custom else torch.bfloat16
        self._device_type = model.anchors.device.type
        excluded = set(model.fusion_module.modules()) if self._is_custom else set()
        self._places: list[tuple[nn.Module, str, int]] = []
        self._weights: list[Tensor] = []
        positions: dict[int, int] = {}  # A weight that two modules share has one copy.
        for module in model.modules():
            if module in excluded:
                continue
            for name, weight in module.named_parameters(recurse=False):
                position = positions.setdefault(id(weight), len(self._weights))
                if position == len(self._weights):
                    self._weights.append(weight)
                self._places.append((module, name, position))
        self._copies: list[Tensor] = [
            nn.Parameter(weight.detach().to(torch.bfloat16), requires_grad=weight.requires_grad)
            for weight in self._weights
        ]
        self._gradients = [torch.empty_like(weight) for weight in self._weights]

    @contextmanager
    def forward(self) -> Iterator[None]:
        with torch.no_grad():
            torch._foreach_copy_(self._copies, self._weights)
        self._put(self._copies)
        try:
            with torch.autocast(self._device_type, dtype=torch.bfloat16, enabled=self._is_custom):
                yield
        finally:
            self._put(self._weights)

    def _put(self, parameters: list[Tensor]) -> None:
        for module, name, position in self._places:
            # Not by assignment, which checks and registers: there are 100 of them a step.
            module._parameters[name] = parameters[position]  # type: ignore[assignment]

    def collect_gradients(self) -> None:
        first: list[tuple[Tensor, Tensor]] = []
        further: list[tuple[Tensor, Tensor]] = []
        for weight, copy, gradient in zip(self._weights, self._copies, self._gradients, strict=True):
            if copy.grad is not None:
                # A weight may be used first in a later micro-batch: its memory has the gradient of an earlier step.
                (first if weight.grad is None else further).append((gradient, copy.grad))
                weight.grad = gradient
            copy.grad = None
        if first:
            torch._foreach_copy_([total for total, _ in first], [found for _, found in first])
        if further:
            # Micro-batches are added up in float32.
            torch._foreach_add_([total for total, _ in further], [found.float() for _, found in further])


def make_compute(model: ClipRPN, precision: Precision) -> Compute:
    """What the steps of a training compute with; the model is on its device."""
    return Bf16Compute(model) if precision == "bf16" else Compute()
