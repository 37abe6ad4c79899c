"""Reads files of tensors: safetensors, or a state_dict. No code in a file is run."""

from __future__ import annotations

import hashlib
import pickle
import struct
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from cliprpn.errors import CliprpnError

State = dict[str, Tensor]
_BLOCK_BYTES = 1 << 20


def read_state(path: Path) -> State:
    """A file's tensors.

    Raises:
        CliprpnError: weights_unsafe, weights_mismatch.
    """
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise CliprpnError("weights_mismatch", f"{path}: not a safetensors file: {error}") from error
    if is_torchscript(path):
        raise CliprpnError(
            "weights_unsafe",
            f"{path}: expected safetensors or a state_dict, found a TorchScript archive (SHA-256 {sha256_of(path)}), "
            "which can run code when loaded; where that is safe, save its tensors: torch.save(torch.jit.load(FILE, "
            "map_location='cpu').state_dict(), 'weights.pt')",
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CliprpnError(
            "weights_unsafe",
            f"{path}: expected safetensors or a plain state_dict of tensors, found other objects, which could "
            "run code when loaded; save model.state_dict() to a file and use that",
        ) from error
    except Exception as error:  # torch's reader can raise anything for a broken file.
        raise CliprpnError(
            "weights_mismatch",
            f"{path}: expected safetensors or a state_dict, found a broken file of {path.stat().st_size:,} bytes; "
            "copy or download it again",
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and _is_plain(value) for name, value in state.items()
    ):
        raise CliprpnError("weights_mismatch", f"{path}: expected a state_dict (name to dense tensor)")
    return state


def _is_plain(value: object) -> bool:
    """Whether a value is a tensor with numbers: neither sparse nor quantized nor without content (meta)."""
    if not isinstance(value, Tensor) or value.layout != torch.strided:
        return False
    return not value.is_quantized and value.device.type == "cpu"


def is_torchscript(path: Path) -> bool:
    """Whether the file is a TorchScript archive. False for a broken one, for which torch.load raises the error."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("constants.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        return False


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
