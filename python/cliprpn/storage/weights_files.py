"""Loads the weights of CLIP: from safetensors, a plain state_dict, or OpenAI's TorchScript archive."""

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

# Weights that are part of this package.
SHIPPED = Path(__file__).parent / "weights"
State = dict[str, Tensor]


def load_backbone(name: str, weights: str) -> ClipBackbone:
    """Loads a frozen CLIP in float32, on the CPU.

    Args:
        name: `cliprpn-tiny` or `RN50-quickgelu`.
        weights: `shipped` (cliprpn-tiny), `openai` (downloaded by open_clip) or a file: safetensors, a plain
            state_dict, or OpenAI's TorchScript archive, which is recognized by its SHA-256.

    Raises:
        CliprpnError: weights_missing, weights_unsafe, weights_mismatch.
    """
    if weights == "openai":
        return _download(name)
    path = SHIPPED / f"{name}.safetensors" if weights == "shipped" else Path(weights)
    if not path.is_file():
        raise CliprpnError(
            "weights_missing",
            f"{path}: expected the weights of {name}, found no file; "
            "use `openai` to download RN50, `shipped` for cliprpn-tiny, or the path of a file",
        )
    config = tiny_config() if name == "cliprpn-tiny" else rn50_config()
    state = {
        key: value.float() if value.is_floating_point() else value for key, value in read_state(path).items()
    }
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return _build(name, config, to_open_clip_names(state), digest, str(path))


def tiny_config() -> BackboneConfig:
    """The architecture of cliprpn-tiny, from its recipe."""
    recipe = json.loads((SHIPPED / "cliprpn-tiny.json").read_text())
    config = recipe["model_cfg"]
    return BackboneConfig(
        config["embed_dim"],
        config["vision_cfg"],
        config["text_cfg"],
        tuple(recipe["mean"]),
        tuple(recipe["std"]),
    )


def read_state(path: Path) -> State:
    """A file's tensors. No code in the file is run, except for OpenAI's own archive.

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
            f"{path}: expected safetensors or a plain state_dict of tensors, found other objects, which could "
            "run code when loaded; save model.state_dict() to a file and use that",
        ) from error
    except Exception as error:  # torch's reader can raise anything for a broken file.
        raise CliprpnError(
            "weights_mismatch", f"{path}: expected safetensors or a state_dict, found a broken file"
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CliprpnError("weights_mismatch", f"{path}: expected a state_dict (name to tensor)")
    return state


def to_open_clip_names(state: State) -> State:
    """Renames entries as open_clip does: removes the prefixes `module.` and, of ClipRPN (Trento), `clipModel.`.

    Also removes the entries of OpenAI's archive that are not weights.
    """
    for prefix in ("clipModel.", "module."):
        if any(key.startswith(prefix) for key in state):
            state = {
                key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)
            }
    not_weights = ("input_resolution", "context_length", "vocab_size")
    return {key: value for key, value in state.items() if key not in not_weights}


def _build(name: str, config: BackboneConfig, state: State, weights_id: str, where: str) -> ClipBackbone:
    try:
        return ClipBackbone(config, state, weights_id)
    except (ValueError, RuntimeError) as error:
        reason = "; ".join(line.strip() for line in str(error).splitlines()[:3])
        raise CliprpnError(
            "weights_mismatch", f"{where}: expected weights of {name}, found others: {reason}"
        ) from error


def _download(name: str) -> ClipBackbone:
    """OpenAI's weights, downloaded by open_clip.

    Raises:
        CliprpnError: weights_missing, weights_mismatch.
    """
    if name != "RN50-quickgelu":
        raise CliprpnError("weights_missing", f"{name}: OpenAI has no weights of this name; use `shipped`")
    try:
        model = open_clip.create_model(name, pretrained="openai", precision="fp32")
    except Exception as error:
        raise CliprpnError(
            "weights_missing",
            f"open_clip could not download OpenAI's RN50 ({type(error).__name__}: {error}); "
            "without a network, use a local file: backbone.weights = PATH",
        ) from error
    return _build(name, rn50_config(), dict(model.state_dict()), "openai", "OpenAI's RN50")


def _is_torchscript(path: Path) -> bool:
    """Whether the file is a TorchScript archive. False for a broken one, for which torch.load raises the error."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("constants.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        return False


def _read_torchscript(path: Path) -> State:
    """OpenAI's archive, recognized by its SHA-256.

    Raises:
        CliprpnError: weights_unsafe, if it is another archive.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != openai_sha256():
        raise CliprpnError(
            "weights_unsafe",
            f"{path}: a TorchScript archive can run code when loaded, and its SHA-256 ({digest[:16]}...) is not "
            "that of OpenAI's RN50; convert it to safetensors on a machine where running it is safe",
        )
    return dict(torch.jit.load(path, map_location="cpu").state_dict())


def openai_sha256() -> str:
    """SHA-256 of OpenAI's RN50.pt, which is part of its published address."""
    return str(get_pretrained_cfg("RN50-quickgelu", "openai")["url"]).split("/")[-2]
