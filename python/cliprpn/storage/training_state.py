"""Files with the state of a training that was not finished. No code in a file is run, and a damaged file is noticed."""

from __future__ import annotations

import hashlib
import io
import pickle
import re
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel

from cliprpn.storage.durable import write_durably

_MAGIC = b"cliprpn checkpoint 1 "
# The first line of a file, which may have a head; the SHA-256 is of the rest, as torch's reader misses changed bytes.
_FIRST_LINE = re.compile(_MAGIC + rb"([0-9a-f]{64})( \{.*\})?\n")

State = dict[str, Any]


def write_training_state(file: Path, state: State, head: BaseModel | None = None) -> None:
    """Writes plain values and tensors, atomically.

    Args:
        head: for readers without torch, in the first line.

    Raises:
        CliprpnError: no_space.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    digest = hashlib.sha256(payload).hexdigest()
    line = digest if head is None else f"{digest} {head.model_dump_json()}"
    write_durably(file, b"".join([_MAGIC, line.encode(), b"\n", payload]))


def read_training_state(file: Path) -> State:
    """What `write_training_state` wrote; all tensors are on the CPU.

    Raises:
        ValueError: the file is damaged, or something else.
        OSError
    """
    content = file.read_bytes()
    first = _FIRST_LINE.match(content)
    payload = memoryview(content)[first.end() if first else 0 :]
    if first is None or hashlib.sha256(payload).hexdigest().encode() != first[1]:
        raise ValueError("its content does not match its checksum")
    try:
        state = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(f"torch cannot read it: {str(error).splitlines()[0]}") from error
    if not isinstance(state, dict):
        raise ValueError(f"expected a dictionary, found {type(state).__name__}")
    return state
