"""Loads the frozen CLIP from its weights: safetensors, a plain state_dict, or OpenAI's RN50.pt."""

from __future__ import annotations

import json
from pathlib import Path

from cliprpn.errors import CliprpnError
from cliprpn.models.backbone import BackboneConfig, ClipBackbone, rn50_config
from cliprpn.storage.openai_weights import (
    download_openai,
    openai_sha256,
    read_openai_archive,
    refuse_wrong_copy,
)
from cliprpn.storage.state_files import State, read_state, sha256_of

# Weights that are part of this package.
SHIPPED = Path(__file__).parent / "weights"


def load_backbone(name: str, weights: str) -> ClipBackbone:
    """Loads a frozen CLIP in float32, on the CPU.

    Args:
        name: `cliprpn-tiny` or `RN50-quickgelu`.
        weights: `shipped` (cliprpn-tiny), `openai` (RN50.pt, downloaded and known by its SHA-256) or a file:
            safetensors, a plain state_dict, or OpenAI's RN50.pt.

    Raises:
        CliprpnError: weights_missing, weights_unsafe, weights_mismatch.
    """
    if weights == "openai":
        if name != "RN50-quickgelu":
            raise CliprpnError(
                "weights_missing", f"{name}: OpenAI has no weights of this name; use `shipped`"
            )
        path = download_openai()
        return _build(name, read_openai_archive(path), "openai", path)
    path = SHIPPED / f"{name}.safetensors" if weights == "shipped" else Path(weights)
    if not path.is_file():
        raise CliprpnError(
            "weights_missing",
            f"{path}: expected the weights of {name}, found no file; "
            "use `openai` to download RN50, `shipped` for cliprpn-tiny, or the path of a file",
        )
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise CliprpnError("weights_missing", f"{path}: cannot be read ({error.strerror})") from error
    refuse_wrong_copy(path, digest)
    state = read_openai_archive(path) if digest == openai_sha256() else read_state(path)
    return _build(name, state, digest, path)


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


def _build(name: str, state: State, weights_id: str, path: Path) -> ClipBackbone:
    """
    Raises:
        CliprpnError: weights_mismatch.
    """
    config = tiny_config() if name == "cliprpn-tiny" else rn50_config()
    try:
        return ClipBackbone(config, to_open_clip_names(state), weights_id)
    except ValueError as error:
        raise CliprpnError(
            "weights_mismatch",
            f"{path}: expected weights of {name}, found others: {error}{_layout(state)}",
        ) from error


def _layout(state: State) -> str:
    """What the names tell about a file of another library."""
    layouts = {
        "text_model.": "transformers",
        "text_encoder.": "transformers",
        "stages.": "timm, of images only",
    }
    for prefix, library in layouts.items():
        if any(key.startswith(prefix) for key in state):
            return (
                f"; these are the names of {library}: use OpenAI's RN50.pt, or open_clip's copy of it on Hugging Face "
                "(open_clip_model.safetensors)"
            )
    return ""
