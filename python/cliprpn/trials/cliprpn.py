"""Trains a ClipRPN: features, model, training, evaluation."""

from __future__ import annotations

import time
from pathlib import Path

from cliprpn.arithmetic import nondeterminism_notes
from cliprpn.code_identity import code_hashes
from cliprpn.contract.generated import ClipRpnSpec
from cliprpn.data.long_expressions import dataset_warnings
from cliprpn.data.predictions import predictions_file
from cliprpn.data.read_predictions import read_numbers
from cliprpn.features.frozen import open_data
from cliprpn.inference.checkpoint import add_hit_probability
from cliprpn.inference.hit_probability import fit_hit_probability
from cliprpn.metrics import HIT_IOU
from cliprpn.run_context import RunContext
from cliprpn.trials.checkpoint import KeepModels, ResumeOptions
from cliprpn.trials.cuda_graphs import check_cuda_graphs
from cliprpn.trials.evaluate import evaluate_model
from cliprpn.trials.optimizer import device_notes
from cliprpn.trials.precision import choose_precision
from cliprpn.trials.result import TrialResult
from cliprpn.trials.splits import split_rows
from cliprpn.trials.step_data import TrainingData
from cliprpn.trials.train_in_memory import BEST_FILE, TrainingRun, train_in_memory

NO_RESUME = ResumeOptions()


def train_cliprpn(
    spec: ClipRpnSpec,
    folder: Path,
    keep_models: KeepModels,
    context: RunContext,
    resume: ResumeOptions = NO_RESUME,
    recorded_weights: str | None = None,
) -> TrialResult:
    """Trains, selects an epoch by val and evaluates it; writes models, curves and predictions to the folder.

    Args:
        keep_models: `all`: best.safetensors and last.safetensors stay; `best`: only the former; `none`: neither.
        resume: the earlier attempts that it may continue.
        recorded_weights: how the models name the weights of their backbone; None for the path in the spec.

    Raises:
        CliprpnError: bad_input, data_invalid, fusion_invalid, interrupted, loss_not_finite, no_space, weights_*.
    """
    started = time.monotonic()
    settings = spec.settings
    check_cuda_graphs(settings.training, context.device)
    index, features = open_data(
        spec.dataset,
        spec.backbone,
        settings.image_size_px,
        settings.resize,
        context,
        settings.training.views,
    )
    train_rows = split_rows(index, "train", settings.limits.train)
    val_rows = split_rows(index, "val", settings.limits.val)
    data = TrainingData(index, features, train_rows, val_rows)
    precision = choose_precision(settings.training, context.device)
    notes_on_device = device_notes(settings.training, context.device)
    for note in notes_on_device:
        context.warn(note)
    features_done = time.monotonic()

    sizes = (features.map_channels, features.pooled_dim, features.word_dim)
    identity = {
        "trial_id": spec.trial_id,
        "sources_sha256": code_hashes()[spec.kind],
        "device": context.device.type,
        "precision": precision,
    }
    recorded = spec.backbone.weights if recorded_weights is None else recorded_weights
    trained = train_in_memory(
        TrainingRun(spec, recorded, data, sizes, folder, keep_models, context, identity, resume)
    )
    progress = trained.progress
    training_done = time.monotonic()

    metrics = evaluate_model(
        trained.best, index, features, "val", settings.limits.val, folder, context, trained.kept
    )
    if keep_models != "none":
        _fit_to_val(folder)
    return TrialResult(
        best_epoch=progress.best_epoch,
        epochs=progress.epochs,
        metrics=metrics,
        num_trainable_parameters=trained.num_trainable,
        features_ms=(features_done - started) * 1000,
        training_ms=progress.earlier_ms + (training_done - features_done) * 1000,
        precision=precision,
        resumed_from=progress.resumed_from,
        earlier_ms=progress.earlier_ms,
        micro_batch_size=progress.micro_batch_size,
        evaluation_batch_size=context.batch_limit.rows,
        notes=[
            *dataset_warnings(index),
            *notes_on_device,
            *nondeterminism_notes(settings.training.deterministic, context.device),
        ],
    )


def _fit_to_val(folder: Path) -> None:
    """Adds the probability of a hit, fitted to val, to the metadata of the best model.

    Raises:
        CliprpnError: no_space.
    """
    columns = read_numbers(predictions_file(folder, "val"), ("objectness", "iou", "image_id"))
    hits = columns["iou"] >= HIT_IOU
    probability = fit_hit_probability("val", columns["objectness"], hits, columns["image_id"])
    if probability is not None:
        add_hit_probability(folder / BEST_FILE, probability)
