"""Loads frozen CLIP from what people have: safetensors, a plain state_dict, OpenAI's own archive."""

from __future__ import annotations

import hashlib
import json
import pickle
import struct
import zipfile
from pathlib import Path

import open_clip
import torch
from open_clip.pretrained import get_pretrained_cfg
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from cliprpn.errors import CliprpnError
from cliprpn.models.backbone import BackboneConfig, ClipBackbone, rn50_config

SHIPPED = Path(__file__).parent / "weights"
State = dict[str, Tensor]


def load_backbone(name: str, weights: str) -> ClipBackbone:
    """Frozen CLIP in float32, on the CPU.

    Args:
        name: `cliprpn-tiny` or `RN50-quickgelu`.
        weights: `shipped` (cliprpn-tiny), `openai` (fetched by open_clip) or a file: safetensors, a
            plain state_dict, or OpenAI's TorchScript archive, known by its SHA-256.

    Raises:
        CliprpnError: weights_missing, weights_unsafe, weights_mismatch.
    """
    if weights == "openai":
        return _fetched(name)
    path = SHIPPED / f"{name}.safetensors" if weights == "shipped" else Path(weights)
    if not path.is_file():
        raise CliprpnError(
            "weights_missing",
            f"{path}: expected the weights of {name}, found no file; "
            "`openai` fetches RN50's, `shipped` names cliprpn-tiny's, or give a file",
        )
    config = tiny_config() if name == "cliprpn-tiny" else rn50_config()
    read = read_state(path)
    state = {key: value.float() if value.is_floating_point() else value for key, value in read.items()}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return _build(name, config, from_any_layout(state), digest, str(path))


def tiny_config() -> BackboneConfig:
    """The architecture that cliprpn-tiny's recipe tells."""
    facts = json.loads((SHIPPED / "cliprpn-tiny.json").read_text())
    cfg = facts["model_cfg"]
    return BackboneConfig(
        cfg["embed_dim"],
        cfg["vision_cfg"],
        cfg["text_cfg"],
        tuple(facts["mean"]),
        tuple(facts["std"]),
    )


def read_state(path: Path) -> State:
    """A file's tensors; nothing in the file is run, save for an archive known to be OpenAI's.

    Raises:
        CliprpnError: weights_unsafe, weights_mismatch.
    """
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise CliprpnError("weights_mismatch", f"{path}: not a safetensors file: {error}") from error
    if _is_torchscript(path):
        return _read_torchscript(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CliprpnError(
            "weights_unsafe",
            f"{path}: expected safetensors or a plain state_dict of tensors, found something else, which could "
            "run code when loaded; save model.state_dict() and give that",
        ) from error
    except Exception as error:  # Whatever broken bytes make of torch's reader.
        raise CliprpnError(
            "weights_mismatch", f"{path}: expected safetensors or a state_dict, found a file that is broken"
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CliprpnError("weights_mismatch", f"{path}: expected a state_dict (name to tensor)")
    return state


def from_any_layout(state: State) -> State:
    """Entries in open_clip's names: OpenAI's own, `module.`-prefixed, or an original checkpoint's `clipModel.`."""
    for prefix in ("clipModel.", "module."):
        if any(key.startswith(prefix) for key in state):
            state = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    extra = ("input_resolution", "context_length", "vocab_size")
    return {key: value for key, value in state.items() if key not in extra}


def _build(name: str, config: BackboneConfig, state: State, weights_id: str, where: str) -> ClipBackbone:
    try:
        return ClipBackbone(config, state, weights_id)
    except (ValueError, RuntimeError) as error:
        first = "; ".join(line.strip() for line in str(error).splitlines()[:3])
        raise CliprpnError(
            "weights_mismatch", f"{where}: these are not weights of {name}: {first}"
        ) from error


def _fetched(name: str) -> ClipBackbone:
    if name != "RN50-quickgelu":
        raise CliprpnError("weights_missing", f"{name}: OpenAI has no such weights; use `shipped`")
    try:
        model = open_clip.create_model(name, pretrained="openai", precision="fp32")
    except Exception as error:
        raise CliprpnError(
            "weights_missing",
            f"open_clip could not fetch OpenAI's RN50 ({type(error).__name__}: {error}); "
            "with no network, give the file: backbone.weights = PATH",
        ) from error
    return _build(name, rn50_config(), dict(model.state_dict()), "openai", "OpenAI's RN50")


def _is_torchscript(path: Path) -> bool:
    """Whether it is an archive of code; of a broken archive, torch's own reader says what is wrong."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("constants.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        return False


def _read_torchscript(path: Path) -> State:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    # open_clip's table carries the SHA-256 in the address.
    if digest not in str(get_pretrained_cfg("RN50-quickgelu", "openai")["url"]).split("/"):
        raise CliprpnError(
            "weights_unsafe",
            f"{path}: a TorchScript archive can run code when loaded, and its SHA-256 ({digest[:16]}...) is not "
            "that of OpenAI's RN50; convert it to safetensors on a machine you trust it on",
        )
    return dict(torch.jit.load(path, map_location="cpu").state_dict())
