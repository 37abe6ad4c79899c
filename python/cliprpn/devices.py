"""Selects a torch device, and describes it and the machine."""

from __future__ import annotations

import os
import platform
import resource
import socket
import sys
from importlib.metadata import version

import torch

from cliprpn.arithmetic import fix_arithmetic
from cliprpn.contract.generated import Environment
from cliprpn.errors import CliprpnError


def resolve_device(requested: str) -> torch.device:
    """The device for `auto`, cpu, cuda, cuda:I or mps; a CUDA device is ready for use, and the arithmetic is fixed.

    Raises:
        CliprpnError: device_unavailable; another device is never used instead.
    """
    fix_arithmetic()
    available = available_devices()
    name = {"auto": available[0], "cuda": "cuda:0"}.get(requested, requested)
    if name not in available:
        raise CliprpnError(
            "device_unavailable",
            f"--device {requested}: expected an available device ({', '.join(available)}), found no such device; "
            "choose one of these or `auto`",
        )
    device = torch.device(name)
    if device.type == "cuda":
        _initialize_cuda(requested)
    return device


def _initialize_cuda(requested: str) -> None:
    """Initializes CUDA: torch does so with the first tensor only, and calls such as `reset_peak_memory_stats` need it.

    Raises:
        CliprpnError: device_unavailable, e.g. if the driver is older than torch's CUDA.
    """
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        raise CliprpnError(
            "device_unavailable",
            f"--device {requested}: CUDA cannot be initialized: {error}; check `nvidia-smi`, or choose --device cpu",
        ) from error


def available_devices() -> list[str]:
    """Names of all devices, the preferred one first: cuda:0, cuda:1, ..., mps, cpu."""
    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def describe_environment(device: torch.device) -> Environment:
    """Versions and hardware, for outcomes and reports."""
    cpu_name = _processor_name()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name
    return Environment(
        python=platform.python_version(),
        torch=torch.__version__,
        torchvision=version("torchvision"),
        open_clip=version("open_clip_torch"),
        platform=f"{platform.system()} {platform.machine()}",
        device=str(device),
        device_name=name,
        num_threads=torch.get_num_threads(),
        cpu_name=cpu_name,
        host=machine_name(),
    )


def machine_name() -> str:
    """The name of this machine as SLURM has it, in a job, else its host name."""
    return os.environ.get("SLURMD_NODENAME") or socket.gethostname()


def peak_process_bytes() -> int:
    """Peak resident memory of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _processor_name() -> str:
    """The CPU's model from /proc/cpuinfo, or what Python knows about it."""
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
