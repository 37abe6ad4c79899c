"""Saves and loads a model as two files: weights as safetensors, metadata as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from cliprpn.contract.generated import ClipRpnSpec, TrialBackbone
from cliprpn.errors import CliprpnError
from cliprpn.inference.build import FeatureSizes, build_model
from cliprpn.models import ClipRPN
from cliprpn.models.original import original_model
from cliprpn.storage.durable import write_durably

KIND = "cliprpn-model"
IMPORTED_KIND = "cliprpn-import"
Resize = Literal["squash", "letterbox"]


@dataclass(frozen=True)
class SavedModel:
    """A trained model, the format of its images, and the trial that trained it.

    Attributes:
        image_size_px: side of the square that images are resized to before CLIP.
        resize: `squash` or `letterbox`.
        spec: None for an imported model of ClipRPN (Trento), which was trained elsewhere.
    """

    model: ClipRPN
    backbone: TrialBackbone
    image_size_px: int
    resize: Resize
    spec: ClipRpnSpec | None
    epoch: int


def save_model(model: ClipRPN, spec: ClipRpnSpec, sizes: FeatureSizes, epoch: int, path: Path) -> None:
    """Writes `path` (.safetensors) and a .json with the same stem, each atomically.

    Args:
        sizes: map_channels, pooled_dim and word_dim.

    Raises:
        CliprpnError: no_space.
    """
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    write_durably(path, save(state))
    facts = {
        "kind": KIND,
        "epoch": epoch,
        "map_channels": sizes[0],
        "pooled_dim": sizes[1],
        "word_dim": sizes[2],
        "spec": spec.model_dump(mode="json"),
    }
    write_durably(path.with_suffix(".json"), f"{json.dumps(facts, indent=2)}\n".encode())


def load_model(where: Path) -> SavedModel:
    """Loads a model from a trial's folder (the best epoch) or a .safetensors file.

    Raises:
        CliprpnError: not_found, weights_mismatch.
    """
    path = where / "best.safetensors" if where.is_dir() else where
    facts_path = path.with_suffix(".json")
    for file in (path, facts_path):
        if not file.is_file():
            raise CliprpnError("not_found", f"{file}: expected a trained model, found no file")
    try:
        facts = json.loads(facts_path.read_text())
        saved = _from_import(facts) if facts["kind"] == IMPORTED_KIND else _from_trial(facts)
        saved.model.load_state_dict(load_file(path))
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
            f"{path}: expected a model written by cliprpn: {type(error).__name__}: {str(error).splitlines()[0]}",
        ) from error
    return saved


def _from_trial(facts: dict[str, Any]) -> SavedModel:
    """A trained model, still with random weights."""
    training = facts["spec"]["settings"]["training"]
    if training["batch_by"] == "picture":  # The value's earlier name.
        training["batch_by"] = "image"
    spec = ClipRpnSpec.model_validate(facts["spec"], strict=True)
    sizes = [int(facts[key]) for key in ("map_channels", "pooled_dim", "word_dim")]
    model = build_model(spec.settings, *sizes)
    return SavedModel(
        model, spec.backbone, spec.settings.image_size_px, spec.settings.resize, spec, int(facts["epoch"])
    )


def _from_import(facts: dict[str, Any]) -> SavedModel:
    """An imported model, still with random weights."""
    model = original_model(facts["fusion"], int(facts["map_channels"]), int(facts["pooled_dim"]))
    return SavedModel(
        model,
        TrialBackbone.model_validate(facts["backbone"]),
        int(facts["image_size_px"]),
        facts["resize"],
        None,
        0,
    )
