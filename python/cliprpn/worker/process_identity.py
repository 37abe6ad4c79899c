"""What identifies this process among all machines that share a folder; as src/base/process-identity.ts."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

from cliprpn.contract.generated import ProcessIdentity

# Linux gives the machine's own namespace this number, always.
INITIAL_NAMESPACE = "pid:[4026531836]"


def this_process() -> ProcessIdentity:
    """The identity of this process; None where the system does not say."""
    is_linux = sys.platform == "linux"
    namespace = _link("/proc/self/ns/pid") if is_linux else None
    # A container's machine id may be a part of its image, and thus be on many machines.
    machine_id = _text("/etc/machine-id") if namespace == INITIAL_NAMESPACE else None
    return ProcessIdentity(
        host=socket.gethostname(),
        machine_id=machine_id if machine_id is not None and len(machine_id) == 32 else None,
        boot_id=_text("/proc/sys/kernel/random/boot_id") if is_linux else None,
        pid=os.getpid(),
        pid_namespace=namespace,
        process_start=_start() if is_linux else None,
    )


def unique_name() -> str:
    """A name for this process that no other has: machines may have the same name, and processes the same id."""
    host = "".join(char if char.isalnum() or char in "-_" else "-" for char in socket.gethostname())
    return f"{host[:60]}-{os.getpid()}-{secrets.token_hex(4)}"


def _start() -> str | None:
    text = _text("/proc/self/stat")
    # The name in parentheses may contain spaces and parentheses; the start is field 22.
    return None if text is None else text.rpartition(") ")[2].split(" ")[19]


def _text(file: str) -> str | None:
    try:
        return Path(file).read_text().strip() or None
    except OSError:
        return None


def _link(file: str) -> str | None:
    try:
        return os.readlink(file)
    except OSError:
        return None
