"""A model as two files: safetensors for the weights, JSON for what they are."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from cliprpn.build import build_model
from cliprpn.contract.generated import TrialSpec
from cliprpn.errors import CliprpnError
from cliprpn.models import ClipRPN


@dataclass(frozen=True)
class SavedModel:
    """A trained model and the trial that made it."""

    model: ClipRPN
    spec: TrialSpec
    epoch: int


def save_model(model: ClipRPN, spec: TrialSpec, sizes: tuple[int, int, int], epoch: int, path: Path) -> None:
    """Writes `path` (.safetensors) and the JSON beside it, each whole or not at all."""
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    staging = path.with_suffix(".new")
    save_file(state, staging)
    os.replace(staging, path)
    facts = {
        "kind": "cliprpn-model",
        "epoch": epoch,
        "map_channels": sizes[0],
        "pooled_dim": sizes[1],
        "word_dim": sizes[2],
        "spec": spec.model_dump(mode="json"),
    }
    staging.write_text(json.dumps(facts, indent=2) + "\n")
    os.replace(staging, path.with_suffix(".json"))


def load_model(where: Path) -> SavedModel:
    """A model from a trial's folder (its best epoch) or a .safetensors file.

    Raises:
        CliprpnError: not_found, weights_mismatch.
    """
    path = where / "best.safetensors" if where.is_dir() else where
    facts_path = path.with_suffix(".json")
    for needed in (path, facts_path):
        if not needed.is_file():
            raise CliprpnError("not_found", f"{needed}: expected a trained model, found no file")
    try:
        facts = json.loads(facts_path.read_text())
        spec = TrialSpec.model_validate(facts["spec"])
        sizes = [int(facts[key]) for key in ("map_channels", "pooled_dim", "word_dim")]
        model = build_model(spec.settings, *sizes)
        model.load_state_dict(load_file(path))
    except (
        ValidationError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        SafetensorError,
    ) as error:
        raise CliprpnError(
            "weights_mismatch",
            f"{path}: not a model that cliprpn wrote: {str(error).splitlines()[0]}",
        ) from error
    return SavedModel(model, spec, int(facts["epoch"]))


def count_trainable(model: torch.nn.Module) -> int:
    """Numbers that training changes."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
