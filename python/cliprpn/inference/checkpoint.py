"""Saves and loads a model as two files: weights as safetensors, metadata as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from cliprpn.contract.generated import ClipRpnSpec, FileFusion, Settings, TrialBackbone
from cliprpn.errors import CliprpnError
from cliprpn.inference.build import FeatureSizes, build_model, class_of, read_fusion, with_fusion_file
from cliprpn.inference.hit_probability import HitProbability, parse_hit_probability
from cliprpn.models import ClipRPN
from cliprpn.models.original import original_model
from cliprpn.storage.durable import write_durably

KIND = "cliprpn-model"
IMPORTED_KIND = "cliprpn-import"
SCHEMA_VERSION = 1
# Missing in models of earlier versions, and in all but those of the best epoch.
HIT_PROBABILITY = "hit_probability"
FUSION_FILE = "fusion.py"
# Written by `cliprpn import` for a fusion that must not run.
UNTRUSTED_FILE = "fusion.py.untrusted"
Resize = Literal["squash", "letterbox"]


@dataclass(frozen=True)
class SavedModel:
    """A trained model and the format of its images.

    Attributes:
        image_size_px: side of the square that images are resized to before CLIP.
        resize: `squash` or `letterbox`.
        seed, num_threads: of the trial that trained it; None for an imported model of ClipRPN (Trento).
        deterministic: whether all operations must be deterministic, in its training and its evaluation.
        hit_probability: of a box, by its score; None if it was not fitted to this model.
    """

    model: ClipRPN
    backbone: TrialBackbone
    image_size_px: int
    resize: Resize
    seed: int | None
    num_threads: int | None
    deterministic: bool
    epoch: int
    hit_probability: HitProbability | None


def save_model(model: ClipRPN, spec: ClipRpnSpec, sizes: FeatureSizes, epoch: int, path: Path) -> None:
    """Writes `path` (.safetensors) and a .json with the same stem, each atomically.

    The JSON names no dataset. It names a custom fusion as `fusion.py:CLASS`, the copy next to it.

    Args:
        sizes: map_channels, pooled_dim and word_dim.

    Raises:
        CliprpnError: no_space.
    """
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    write_durably(path, save(state))
    settings = spec.settings.model_dump(mode="json")
    if isinstance(spec.settings.fusion, FileFusion):
        settings["fusion"]["file"] = f"{FUSION_FILE}:{class_of(spec.settings.fusion)}"
    facts = {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "trial_id": spec.trial_id,
        "epoch": epoch,
        "map_channels": sizes[0],
        "pooled_dim": sizes[1],
        "word_dim": sizes[2],
        "seed": spec.seed,
        "num_threads": spec.num_threads,
        "backbone": spec.backbone.model_dump(mode="json"),
        "settings": settings,
    }
    write_durably(path.with_suffix(".json"), f"{json.dumps(facts, indent=2)}\n".encode())


def add_hit_probability(path: Path, probability: HitProbability) -> None:
    """Adds a fitted probability to the .json of a saved model, atomically; until then, the model has none.

    Args:
        path: the model's .safetensors file.

    Raises:
        CliprpnError: no_space.
    """
    facts_path = path.with_suffix(".json")
    facts = json.loads(facts_path.read_text()) | {HIT_PROBABILITY: probability.as_dict()}
    write_durably(facts_path, f"{json.dumps(facts, indent=2, allow_nan=False)}\n".encode())


def checkpoint_bytes(settings: Settings, sizes: FeatureSizes) -> int:
    """Size in bytes of the weights that `save_model` writes for a model with these settings.

    Args:
        sizes: map_channels, pooled_dim and word_dim.

    Raises:
        CliprpnError: fusion_invalid.
    """
    state = build_model(settings, *sizes).state_dict()
    return sum(value.numel() * value.element_size() for value in state.values())


def copy_fusion(settings: Settings, folder: Path) -> None:
    """Copies the source of a custom fusion next to the models, so that they load after the original has changed.

    Raises:
        CliprpnError: fusion_invalid, if the source has changed since the trial was planned; no_space.
    """
    if isinstance(settings.fusion, FileFusion):
        write_durably(folder / FUSION_FILE, read_fusion(settings.fusion))


def load_model(path: Path) -> SavedModel:
    """Loads a model from a .safetensors file and the .json next to it.

    A custom fusion is loaded from `fusion.py` next to the model.

    Raises:
        CliprpnError: not_found, weights_mismatch, weights_unsafe, fusion_invalid.
    """
    facts_path = path.with_suffix(".json")
    for file in (path, facts_path):
        if not file.is_file():
            raise CliprpnError("not_found", f"{file}: expected a trained model, found no file")
    try:
        facts = json.loads(facts_path.read_text())
        _check_version(facts, path)
        saved = _from_import(facts) if facts["kind"] == IMPORTED_KIND else _from_trial(facts, path)
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


def _check_version(facts: dict[str, Any], path: Path) -> None:
    """
    Raises:
        CliprpnError: weights_mismatch, if a newer cliprpn wrote the model.
    """
    # The first imported models have no version.
    version = facts.get("schema_version", SCHEMA_VERSION) if isinstance(facts, dict) else SCHEMA_VERSION
    if version > SCHEMA_VERSION:
        raise CliprpnError(
            "weights_mismatch",
            f"{path}: expected version {SCHEMA_VERSION} of a model's format, found {version}; a newer cliprpn wrote "
            "it, use that version",
        )


def _from_trial(facts: dict[str, Any], path: Path) -> SavedModel:
    """A trained model, still with random weights."""
    settings = Settings.model_validate(_with_new_settings(facts["settings"]), strict=True)
    if isinstance(settings.fusion, FileFusion):
        settings = with_fusion_file(settings, _find_fusion(path))
    sizes = [int(facts[key]) for key in ("map_channels", "pooled_dim", "word_dim")]
    model = build_model(settings, *sizes)
    return SavedModel(
        model,
        TrialBackbone.model_validate(facts["backbone"], strict=True),
        settings.image_size_px,
        settings.resize,
        int(facts["seed"]),
        int(facts["num_threads"]),
        settings.training.deterministic,
        int(facts["epoch"]),
        parse_hit_probability(facts[HIT_PROBABILITY]) if HIT_PROBABILITY in facts else None,
    )


def _with_new_settings(stored: dict[str, Any]) -> dict[str, Any]:
    """The settings of a model; one that is older than a setting has the value of src/contract/identity-defaults.ts."""
    training = {"deterministic": True, "cuda_graphs": False, **stored["training"]}
    if "amp" in training:  # True meant bfloat16 on CUDA only.
        training = {"precision": "auto" if training.pop("amp") else "fp32", **training}
    return {**stored, "training": training}


def _find_fusion(path: Path) -> Path:
    """The copy of a custom fusion's source next to a model.

    Raises:
        CliprpnError: not_found; weights_unsafe, if it was imported without `--trust`.
    """
    file = path.parent / FUSION_FILE
    untrusted = path.parent / UNTRUSTED_FILE
    if not file.is_file() and untrusted.is_file():
        raise CliprpnError(
            "weights_unsafe",
            f"{untrusted}: expected a fusion that may run, found one that was imported without --trust; read it, and "
            "import its archive again with --trust if you trust it",
        )
    if not file.is_file():
        raise CliprpnError(
            "not_found",
            f"{file}: expected the source of the model's fusion, found no file; copy it there from the attempt that "
            "trained the model",
        )
    return file


def _from_import(facts: dict[str, Any]) -> SavedModel:
    """An imported model, still with random weights."""
    model = original_model(facts["fusion"], int(facts["map_channels"]), int(facts["pooled_dim"]))
    return SavedModel(
        model,
        TrialBackbone.model_validate(facts["backbone"]),
        int(facts["image_size_px"]),
        facts["resize"],
        None,
        None,
        True,
        0,
        None,
    )
