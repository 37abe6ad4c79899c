"""Evaluates a trained model or a baseline on a split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cliprpn.contract.generated import BaselineSpec, Metrics, TrialDataset
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError
from cliprpn.features.frozen import FrozenFeatures, open_data
from cliprpn.inference.checkpoint import load_model
from cliprpn.inference.predict import predict_split
from cliprpn.models import ClipRPN
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.specs import read_spec
from cliprpn.trials.baseline import evaluate_baseline
from cliprpn.trials.splits import limit_of, save_predictions, split_rows


def evaluate(
    model_path: Path, dataset: TrialDataset | None, split: str, out_dir: Path, context: RunContext
) -> Metrics:
    """Writes predictions and metrics of a split to `out_dir`. Returns the metrics.

    Args:
        model_path: a trial's folder, or a .safetensors file.
        dataset: another dataset than the trial's; the trial's limits do not apply to it.

    Raises:
        CliprpnError: bad_input, data_invalid, interrupted, no_space, not_found, package_missing, weights_*.
    """
    spec_file = model_path / "spec.json"
    trial_spec = read_spec(spec_file) if spec_file.is_file() else None
    if isinstance(trial_spec, BaselineSpec):
        seed_everything(trial_spec.seed, trial_spec.num_threads)
        context = replace(context, cache_dir=Path(trial_spec.cache_dir))
        return evaluate_baseline(trial_spec, dataset, split, out_dir, context).metrics

    saved = load_model(model_path)
    spec, limit = saved.spec, None
    if spec is not None:
        seed_everything(spec.seed, spec.num_threads)
    if dataset is None:
        if spec is None:
            raise CliprpnError(
                "bad_input", f"{model_path}: an imported model has no dataset; add --dataset NAME"
            )
        dataset, limit = spec.dataset, limit_of(spec.settings.limits, split)
    index, features = open_data(dataset, saved.backbone, saved.image_size_px, saved.resize, context)
    return evaluate_model(saved.model, index, features, split, limit, out_dir, context)


def evaluate_model(
    model: ClipRPN,
    index: DatasetIndex,
    features: FrozenFeatures,
    split: str,
    limit: int | None,
    out_dir: Path,
    context: RunContext,
) -> Metrics:
    """Predicts a box for every sentence of a split; writes predictions and metrics to `out_dir`.

    Raises:
        CliprpnError: data_invalid, interrupted, no_space.
    """
    rows = split_rows(index, split, limit)
    predictions = predict_split(model.to(context.device), index, features, rows, context)
    return save_predictions(out_dir, index, split, rows, predictions)
