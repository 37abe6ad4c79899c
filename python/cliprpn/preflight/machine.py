"""Describes the process and the device of the checks."""

from __future__ import annotations

import torch

from cliprpn.contract.generated import MachineDescription
from cliprpn.devices import available_devices, describe_environment


def describe_machine(device: torch.device) -> MachineDescription:
    """Versions, hardware, and the memory of a CUDA device."""
    memory = torch.cuda.mem_get_info(device)[1] if device.type == "cuda" else None
    return MachineDescription(
        environment=describe_environment(device),
        devices=available_devices(),
        device_memory_bytes=memory,
        cuda_version=torch.version.cuda,
    )
