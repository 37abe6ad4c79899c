"""Trains a ClipRPN: features, model, training, evaluation."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from torch.utils.tensorboard import SummaryWriter

from cliprpn.arithmetic import nondeterminism_notes
from cliprpn.code_identity import code_hashes
from cliprpn.contract.generated import ClipRpnSpec, Epoch, EpochEvent
from cliprpn.data.long_expressions import dataset_warnings
from cliprpn.data.predictions import predictions_file
from cliprpn.data.read_predictions import read_numbers
from cliprpn.features.frozen import open_data
from cliprpn.inference.build import FeatureSizes, build_model, custom_fusion_file
from cliprpn.inference.checkpoint import add_hit_probability, copy_fusion, load_model, save_model
from cliprpn.inference.hit_probability import fit_hit_probability
from cliprpn.inference.predict import KeptOutputs
from cliprpn.metrics import HIT_IOU
from cliprpn.models import ClipRPN
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.trials.checkpoint import Checkpoints, ResumeOptions, find_progress, must_fit
from cliprpn.trials.cuda_graphs import check_cuda_graphs
from cliprpn.trials.evaluate import evaluate_model
from cliprpn.trials.optimizer import device_notes
from cliprpn.trials.precision import choose_precision
from cliprpn.trials.result import TrialResult
from cliprpn.trials.splits import split_rows
from cliprpn.trials.step_data import TrainingData
from cliprpn.trials.training import train_model

KeepModels = Literal["all", "best", "none"]
BEST_FILE = "best.safetensors"
NO_RESUME = ResumeOptions()


def train_cliprpn(
    spec: ClipRpnSpec,
    folder: Path,
    keep_models: KeepModels,
    context: RunContext,
    resume: ResumeOptions = NO_RESUME,
) -> TrialResult:
    """Trains, selects an epoch by val and evaluates it; writes models, curves and predictions to the folder.

    Args:
        keep_models: `all`: best.safetensors and last.safetensors stay; `best`: only the former; `none`: neither.
        resume: the earlier attempts that it may continue.

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

    seed_everything(spec.seed, spec.num_threads)  # Again, since extraction may have drawn random numbers.
    sizes = (features.map_channels, features.pooled_dim, features.word_dim)
    model = build_model(settings, *sizes).to(context.device)
    if keep_models != "none":
        copy_fusion(settings, folder)
    identity = {
        "trial_id": spec.trial_id,
        "sources_sha256": code_hashes()[spec.kind],
        "device": context.device.type,
        "precision": precision,
    }
    progress = find_progress(resume.resume_from, identity, context)
    earlier_ms = progress.training_ms
    checkpoints = Checkpoints(folder, identity, resume.checkpoint_minutes, progress)
    best, kept = _train_and_save(model, spec, data, sizes, folder, keep_models, context, checkpoints)
    training_done = time.monotonic()

    metrics = evaluate_model(best, index, features, "val", settings.limits.val, folder, context, kept)
    if keep_models != "none":
        _fit_to_val(folder)
    return TrialResult(
        best_epoch=progress.best_epoch,
        epochs=progress.epochs,
        metrics=metrics,
        num_trainable_parameters=_count_trainable(model),
        features_ms=(features_done - started) * 1000,
        training_ms=earlier_ms + (training_done - features_done) * 1000,
        precision=precision,
        resumed_from=progress.resumed_from,
        earlier_ms=earlier_ms,
        notes=[
            *dataset_warnings(index),
            *notes_on_device,
            *nondeterminism_notes(settings.training.deterministic, context.device),
        ],
    )


def _train_and_save(
    model: ClipRPN,
    spec: ClipRpnSpec,
    data: TrainingData,
    sizes: FeatureSizes,
    folder: Path,
    keep_models: KeepModels,
    context: RunContext,
    checkpoints: Checkpoints,
) -> tuple[ClipRPN, KeptOutputs]:
    """Trains and saves; adds the epochs to the progress of the checkpoints.

    Returns:
        the best model by val, and its outputs for val, if they are known.
    """
    criterion = f"val_{spec.settings.training.select_by}"
    best_file = folder / BEST_FILE
    progress = checkpoints.progress
    epochs = progress.epochs
    if progress.best_epoch > 0 and keep_models != "none":
        with must_fit(progress):
            model.load_state_dict(progress.best_state)
        save_model(model, spec, sizes, progress.best_epoch, best_file)
    last, kept = KeptOutputs(), KeptOutputs()
    # Outputs of a custom fusion may depend on more than the weights, which are all that is saved.
    outputs = last if custom_fusion_file(model.fusion_module) is None else None
    with SummaryWriter(str(folder / "events")) as writer:
        for epoch in epochs:
            _write_curves(writer, epoch)
        for epoch in train_model(
            model, data, spec.settings.training, spec.seed, context, outputs, checkpoints
        ):
            epochs.append(epoch)
            best = progress.best_epoch
            if best == 0 or getattr(epoch, criterion) > getattr(epochs[best - 1], criterion):
                progress.best_epoch, kept.batches = epoch.epoch, last.batches
                progress.best_state = {
                    key: value.detach().cpu().clone() for key, value in model.state_dict().items()
                }
                if keep_models != "none":
                    save_model(model, spec, sizes, epoch.epoch, best_file)
            _write_curves(writer, epoch)
            context.emit(EpochEvent(type="epoch", epoch=epoch))
    if keep_models == "none":
        model.load_state_dict(progress.best_state)
        return model, kept
    if keep_models == "all":
        save_model(model, spec, sizes, len(epochs), folder / "last.safetensors")
    # From the file: the metrics are those of the saved model.
    return load_model(best_file).model, kept


def _write_curves(writer: SummaryWriter, epoch: Epoch) -> None:
    """Writes an epoch for TensorBoard."""
    for name in ("loss", "loss_objectness", "loss_box", "learning_rate", "val_acc_at_50", "val_miou"):
        writer.add_scalar(name, getattr(epoch, name), epoch.epoch)


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


def _count_trainable(model: ClipRPN) -> int:
    """Number of parameters that training updates."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
