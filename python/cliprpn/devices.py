"""Which device, and what it is called."""

from __future__ import annotations

import platform
import resource
import sys
from importlib.metadata import version

import torch

from cliprpn.contract.generated import Environment
from cliprpn.errors import CliprpnError


def resolve_device(wanted: str) -> torch.device:
    """`auto`, cpu, cuda, cuda:I or mps as a device that is there.

    Raises:
        CliprpnError: device_unavailable; an asked-for device is never silently replaced.
    """
    there = available_devices()
    if wanted == "auto":
        return torch.device(there[0])
    name = "cuda:0" if wanted == "cuda" else wanted
    if name not in there:
        raise CliprpnError(
            "device_unavailable",
            f"--device {wanted}: expected such a device, found {', '.join(there)}; choose one of these or `auto`",
        )
    return torch.device(name)


def available_devices() -> list[str]:
    """Best first: cuda:0, cuda:1, ..., mps, cpu."""
    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def describe_environment(device: torch.device) -> Environment:
    """Versions and machine, for outcomes and reports."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return Environment(
        python=platform.python_version(),
        torch=torch.__version__,
        torchvision=version("torchvision"),
        open_clip=version("open_clip_torch"),
        platform=f"{platform.system()} {platform.machine()}",
        device=str(device),
        device_name=name,
        num_threads=torch.get_num_threads(),
    )


def peak_process_bytes() -> int:
    """Largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
