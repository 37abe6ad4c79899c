"""Imports checkpoints of ClipRPN (Trento): state_dicts with three prefixes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from safetensors.torch import save
from torch import Size, nn

from cliprpn.errors import CliprpnError
from cliprpn.inference.checkpoint import IMPORTED_KIND, SCHEMA_VERSION
from cliprpn.models import ConcatenationFusion, CrossAttentionFusion
from cliprpn.models.head import RpnHead
from cliprpn.models.original import ORIGINAL_IMAGE_SIZE_PX, original_model
from cliprpn.storage.durable import write_durably
from cliprpn.storage.state_files import State, read_state

PREFIXES = ("clipModel.", "fusion_module.", "rpn_wrapper.head.")


@dataclass(frozen=True)
class OriginalParts:
    """The content of a ClipRPN (Trento) checkpoint, as our modules.

    Attributes:
        clip_state: state_dict of the CLIP backbone; empty if the checkpoint has none.
    """

    fusion_name: Literal["concatenation", "cross_attention"]
    fusion: nn.Module
    head: RpnHead
    map_channels: int
    pooled_dim: int
    clip_state: State


def load_checkpoint(path: Path) -> State:
    """Reads a state_dict without running any code.

    Raises:
        CliprpnError: not_found, weights_unsafe, weights_mismatch.
    """
    if not path.is_file():
        raise CliprpnError("not_found", f"{path}: expected a checkpoint, found no file")
    return read_state(path)


def import_original(state: State, where: str, num_heads: int = 16) -> OriginalParts:
    """Builds our modules with the weights of a ClipRPN (Trento) checkpoint.

    Args:
        state: state_dict with the prefixes of ClipRPN (Trento).
        where: name of the file, for errors.
        num_heads: heads of the cross-attention, which the weights do not determine.

    Raises:
        CliprpnError: weights_mismatch, naming the entry that is missing or has another shape.
    """
    clip_state, fusion_state, head_state = (strip_prefix(state, prefix) for prefix in PREFIXES)
    if not fusion_state or not head_state:
        raise CliprpnError(
            "weights_mismatch",
            f"{where}: expected the parameter names of ClipRPN (Trento) (fusion_module.*, rpn_wrapper.head.*), "
            f"found {', '.join(sorted(state)[:3]) or 'nothing'}",
        )
    map_channels = _shape(head_state, "conv.0.weight", where)[0]
    num_anchors = _shape(head_state, "cls_logits.weight", where)[0]
    fusion: nn.Module
    fusion_name: Literal["concatenation", "cross_attention"]
    if "conv1x1.weight" in fusion_state:
        fusion_name = "concatenation"
        pooled_dim = (fusion_state["conv1x1.weight"].shape[1] - map_channels) // 2
        fusion = ConcatenationFusion(map_channels, pooled_dim, word_dim=1)
    else:
        fusion_name = "cross_attention"
        pooled_dim = _shape(fusion_state, "attention.k_proj_weight", where)[1]
        hidden = _shape(fusion_state, "linear1.weight", where)[0]
        fusion = CrossAttentionFusion(map_channels, pooled_dim, 1, num_heads, hidden)
    head = RpnHead(map_channels, num_anchors)
    for module, module_state, prefix in (
        (fusion, fusion_state, PREFIXES[1]),
        (head, head_state, PREFIXES[2]),
    ):
        try:
            module.load_state_dict(module_state)
        except RuntimeError as error:
            raise CliprpnError("weights_mismatch", f"{where}: {prefix}*: {error}") from error
    return OriginalParts(fusion_name, fusion, head, map_channels, pooled_dim, clip_state)


def convert_checkpoint(path: Path, out_dir: Path) -> tuple[OriginalParts, Path, Path | None]:
    """Writes a model for `load_model`, and the CLIP backbone if the checkpoint contains one.

    Returns:
        the parts; `model.safetensors`, with `model.json` in the same folder; `backbone.safetensors` or None.

    Raises:
        CliprpnError: not_found, weights_unsafe, weights_mismatch, no_space.
    """
    parts = import_original(load_checkpoint(path), str(path))
    model = original_model(parts.fusion_name, parts.map_channels, parts.pooled_dim)
    state = {f"fusion_module.{key}": value for key, value in parts.fusion.state_dict().items()}
    state |= {f"head.{key}": value for key, value in parts.head.state_dict().items()}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        problem = str(error).splitlines()[-1].strip()
        raise CliprpnError(
            "weights_mismatch",
            f"{path}: expected the shapes of ClipRPN (Trento), with 15 anchors per cell: {problem}",
        ) from error
    model_file, backbone_file = out_dir / "model.safetensors", None
    write_durably(model_file, _serialize(state))
    backbone = {"name": "RN50-quickgelu", "weights": "openai", "weights_id": "openai"}
    if parts.clip_state:
        backbone_file = out_dir / "backbone.safetensors"
        content = _serialize(parts.clip_state)
        write_durably(backbone_file, content)
        digest = hashlib.sha256(content).hexdigest()
        backbone |= {"weights": str(backbone_file.resolve()), "weights_id": digest}
    facts = {
        "kind": IMPORTED_KIND,
        "schema_version": SCHEMA_VERSION,
        "fusion": parts.fusion_name,
        "map_channels": parts.map_channels,
        "pooled_dim": parts.pooled_dim,
        "backbone": backbone,
        "image_size_px": ORIGINAL_IMAGE_SIZE_PX,
        "resize": "squash",
    }
    write_durably(model_file.with_suffix(".json"), f"{json.dumps(facts, indent=2)}\n".encode())
    return parts, model_file, backbone_file


def _serialize(state: State) -> bytes:
    return save({key: value.contiguous() for key, value in state.items()})


def strip_prefix(state: State, prefix: str) -> State:
    """The entries with a prefix, which is removed from their names."""
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _shape(state: State, key: str, where: str) -> Size:
    """
    Raises:
        CliprpnError: weights_mismatch, if there is no such entry.
    """
    if key not in state:
        raise CliprpnError("weights_mismatch", f"{where}: expected an entry {key}, found none")
    return state[key].shape
