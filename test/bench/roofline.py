"""Peak performance of a device, and the cost of a training step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from cliprpn.models import ClipRPN

# From data sheets: dense bfloat16 FLOP/s and memory bandwidth in bytes/s.
DATA_SHEETS = {
    "H200": (989e12, 4.8e12),
    "H100 PCIe": (756e12, 2.0e12),
    "H100": (989e12, 3.35e12),
    "A100": (312e12, 1.56e12),
    "L40S": (362e12, 0.86e12),
    "L4": (121e12, 0.30e12),
}
# Fused Adam in float32 reads the parameter, its gradient and two moments, and writes the parameter and two moments; the
# backward pass writes the gradient; autocast reads and writes a half-precision copy.
BYTES_PER_PARAMETER = 4 * 4 + 3 * 4 + 4 + 4 + 2


@dataclass(frozen=True)
class Peak:
    """Peak performance of a device."""

    flops_per_s: float
    bytes_per_s: float
    source: str

    def least_seconds(self, flops: float, num_parameters: int) -> float:
        """Lower bound for a step: FLOPs at peak, then memory traffic of the parameters at peak, without overlap."""
        return flops / self.flops_per_s + num_parameters * BYTES_PER_PARAMETER / self.bytes_per_s

    def describe(self) -> str:
        """One sentence."""
        return (
            f"Roofline: {self.flops_per_s / 1e12:.3g} TFLOP/s, plus the memory traffic of the parameters "
            f"({BYTES_PER_PARAMETER} bytes per parameter and step) at {self.bytes_per_s / 1e12:.3g} TB/s, "
            f"{self.source}."
        )


def find_peak(device: torch.device) -> Peak:
    """From the data sheet for known devices, otherwise measured."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        for key, (flops, bandwidth) in DATA_SHEETS.items():
            if key in name:
                return Peak(flops, bandwidth, f"{key}'s data sheet")
    return Peak(_measured_flops(device), _measured_bandwidth(device), "measured here")


def step_flops(model: ClipRPN, inputs: tuple[Tensor, Tensor, Tensor, Tensor]) -> float:
    """FLOPs of a forward and a backward pass."""
    model.train()
    with FlopCounterMode(display=False) as counter:
        logits, deltas = model(*inputs)
        (logits.sum() + deltas.sum()).backward()
    model.zero_grad(set_to_none=True)
    return float(counter.get_total_flops())


def _measured_flops(device: torch.device) -> float:
    size = 8192 if device.type == "cuda" else 1024
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2 * size**3 / _fastest(lambda: torch.mm(a, b), device)


def _measured_bandwidth(device: torch.device) -> float:
    source = torch.empty(1 << 26, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / _fastest(lambda: target.copy_(source), device)


def _fastest(work: Callable[[], object], device: torch.device) -> float:
    times = []
    for _ in range(8):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - started)
    return min(times)
