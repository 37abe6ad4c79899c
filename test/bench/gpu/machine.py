"""Describes what was measured: the machine, the versions, and the code."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import torch

from bench.gpu.device import make_context
from bench.gpu.row import Row
from cliprpn.code_identity import code_hashes
from cliprpn.devices import describe_environment

REPO = Path(__file__).parents[3]


def describe_machine(requested: str, scratch: Path, limit_s: float) -> Iterator[Row]:
    """A row without figures, whose notes are the facts.

    Raises:
        CliprpnError: device_unavailable.
    """
    device = make_context(requested, scratch).device
    environment = describe_environment(device)
    facts = {
        "device": f"{environment.device_name} ({environment.device})",
        "python": environment.python,
        "torch": environment.torch,
        "open_clip": environment.open_clip,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": _output("git", "-C", str(REPO), "describe", "--always", "--dirty"),
        "code": code_hashes()["cliprpn"][:16],
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        facts |= {
            "device_memory": f"{properties.total_memory / 2**30:.1f} GiB",
            "cuda": str(torch.version.cuda),
            "driver": _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"),
        }
    yield Row(
        "machine", "machine", notes=[f"{name.replace('_', ' ')}: {value}" for name, value in facts.items()]
    )


def _output(*command: str) -> str:
    """The first line that a command prints, or `unknown`."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return (done.stdout.splitlines() or ["unknown"])[0]
