"""The device of a part."""

from __future__ import annotations

from pathlib import Path

import torch

from cliprpn.devices import peak_process_bytes, resolve_device
from cliprpn.run_context import RunContext


def make_context(requested: str, scratch: Path) -> RunContext:
    """The context of a trial on this device, with its cache in the scratch folder.

    Raises:
        CliprpnError: device_unavailable.
    """
    return RunContext(resolve_device(requested), scratch, lambda event: None, lambda: False)


def has_driver() -> bool:
    """Whether CUDA has a driver; a simulated device has none."""
    return getattr(torch._C, "_cuda_getDriverVersion", lambda: 0)() > 0


def wait_for(device: torch.device) -> None:
    """Waits until the device has done all its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def reset_peak_memory(device: torch.device) -> None:
    """Starts the statistics of the device again."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> dict[str, float]:
    """Bytes on the device since its statistics were reset, and of the process."""
    figures = {"peak_process_bytes": float(peak_process_bytes())}
    if device.type == "cuda":
        figures["peak_device_bytes"] = float(torch.cuda.max_memory_allocated(device))
    return figures
