"""Evaluates a trained model or a baseline on a split."""

from __future__ import annotations

from pathlib import Path

from cliprpn.arithmetic import prefer_deterministic, use_deterministic
from cliprpn.contract.generated import BaselineSpec, Metrics, TrialDataset
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError
from cliprpn.features.frozen import FrozenFeatures, open_data
from cliprpn.inference.checkpoint import load_model
from cliprpn.inference.predict import KeptOutputs, predict_split
from cliprpn.models import ClipRPN
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.specs import Spec
from cliprpn.trials.baseline import evaluate_baseline
from cliprpn.trials.splits import limit_of, save_predictions, split_rows


def evaluate(
    spec: Spec | None,
    model_file: Path | None,
    dataset: TrialDataset | None,
    split: str,
    out_dir: Path,
    context: RunContext,
) -> Metrics:
    """Writes predictions and metrics of a split to `out_dir`. Returns the metrics.

    Args:
        spec: the trial; None for a model file that no trial trained here.
        model_file: a .safetensors file; None for a baseline.
        dataset: another dataset than the trial's; the trial's limits do not apply to it.

    Raises:
        CliprpnError: bad_input, data_invalid, interrupted, no_space, not_found, package_missing, weights_*.
    """
    if isinstance(spec, BaselineSpec):
        seed_everything(spec.seed, spec.num_threads)
        prefer_deterministic()
        return evaluate_baseline(spec, dataset, split, out_dir, context).metrics
    if model_file is None:
        raise CliprpnError("bad_input", "expected a model file to evaluate, found none")
    saved, limit = load_model(model_file), None
    if saved.seed is not None and saved.num_threads is not None:
        seed_everything(saved.seed, saved.num_threads)
    use_deterministic(saved.deterministic, context.device)
    backbone = saved.backbone
    if spec is not None:
        # Where the weights lie now; they must still be those that the model was trained with.
        backbone = backbone.model_copy(update={"weights": spec.backbone.weights})
    if dataset is None:
        if spec is None:
            raise CliprpnError(
                "bad_input", f"{model_file}: this model file has no dataset; add --dataset NAME"
            )
        dataset, limit = spec.dataset, limit_of(spec.settings.limits, split)
    index, features = open_data(dataset, backbone, saved.image_size_px, saved.resize, context)
    return evaluate_model(saved.model, index, features, split, limit, out_dir, context)


def evaluate_model(
    model: ClipRPN,
    index: DatasetIndex,
    features: FrozenFeatures,
    split: str,
    limit: int | None,
    out_dir: Path,
    context: RunContext,
    kept: KeptOutputs | None = None,
) -> Metrics:
    """Predicts a box for every sentence of a split; writes predictions and metrics to `out_dir`.

    Args:
        kept: outputs of a model with the same weights for this split.

    Raises:
        CliprpnError: data_invalid, interrupted, no_space.
    """
    rows = split_rows(index, split, limit)
    predictions = predict_split(model.to(context.device), index, features, rows, context, kept)
    return save_predictions(out_dir, index, split, rows, predictions)
