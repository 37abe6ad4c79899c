"""Trains a ClipRPN and saves the models; continues with micro-batches if the device runs out of memory."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from cliprpn.contract.generated import ClipRpnSpec, Epoch, EpochEvent, RestartEvent
from cliprpn.inference.build import FeatureSizes, build_model, custom_fusion_file
from cliprpn.inference.checkpoint import copy_fusion, load_model, save_model
from cliprpn.inference.predict import KeptOutputs
from cliprpn.models import ClipRPN
from cliprpn.out_of_memory import StepOutOfMemory, half, release_memory
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.trials.checkpoint import (
    Checkpoints,
    KeepModels,
    Progress,
    ResumeOptions,
    find_progress,
    must_fit,
)
from cliprpn.trials.step_data import TrainingData
from cliprpn.trials.training import train_model

BEST_FILE = "best.safetensors"


@dataclass(frozen=True)
class TrainingRun:
    """What training needs besides the model.

    Attributes:
        recorded_weights: how the models name the weights of their backbone.
        folder: of the attempt.
        keep_models: as in `train_cliprpn`.
        identity: as in `Checkpoints`.
    """

    spec: ClipRpnSpec
    recorded_weights: str
    data: TrainingData
    sizes: FeatureSizes
    folder: Path
    keep_models: KeepModels
    context: RunContext
    identity: dict[str, str]
    resume: ResumeOptions


@dataclass(frozen=True)
class Trained:
    """
    Attributes:
        best: the best model by val.
        kept: its outputs for val, if they are known.
        progress: of the whole training.
        num_trainable: parameters that training updates.
    """

    best: ClipRPN
    kept: KeptOutputs
    progress: Progress
    num_trainable: int


def train_in_memory(run: TrainingRun) -> Trained:
    """Trains, selects an epoch by val, and saves models and curves.

    If the device runs out of memory in a step, training continues at the last checkpoint with micro-batches of half the
    size, until one sentence is too much.

    Raises:
        CliprpnError: as `train_model`; no_space.
        StepOutOfMemory: it does not continue with smaller micro-batches.
    """
    progress = first = find_progress(run.resume.resume_from, run.identity, run.context)
    for earlier in first.epochs:
        run.context.emit(EpochEvent(type="epoch", epoch=earlier))
    while True:
        try:
            return _train_and_save(run, progress)
        except StepOutOfMemory as error:
            if error.why_not_smaller is not None:
                raise
            epoch, too_large = error.epoch, error.size
        # Only now: the error's frames have the model and its batches.
        release_memory(run.context.device)
        progress = find_progress((run.folder, *run.resume.resume_from), run.identity, run.context)
        progress.micro_batch_size = half(too_large)
        progress.resumed_from, progress.earlier_ms = first.resumed_from, first.earlier_ms
        last = progress.epochs[-1] if progress.epochs else None
        run.context.emit(RestartEvent(type="restart", epoch=last))
        begin = "the start" if progress.loop is None else f"epoch {progress.loop['epoch']}"
        run.context.warn(
            f"{run.context.device} ran out of memory in epoch {epoch} with {too_large} expressions at once; training "
            f"continues at {begin} with micro-batches of at most {progress.micro_batch_size}, whose gradients are "
            "added up. Results differ in the last digits from those of whole batches, and by what dropout draws, if "
            "the model has it"
        )


def _train_and_save(run: TrainingRun, progress: Progress) -> Trained:
    """Trains from the progress on, to which it adds the epochs."""
    spec, folder, keep_models, context = run.spec, run.folder, run.keep_models, run.context
    seed_everything(spec.seed, spec.num_threads)  # Again, since extraction may have drawn random numbers.
    model = build_model(spec.settings, *run.sizes).to(context.device)
    num_trainable = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    if keep_models != "none":
        copy_fusion(spec.settings, folder)
    checkpoints = Checkpoints(folder, run.identity, run.resume.checkpoint_minutes, progress)
    events = folder / "events"
    shutil.rmtree(events, ignore_errors=True)  # Of epochs that are trained again.
    criterion = f"val_{spec.settings.training.select_by}"
    best_file = folder / BEST_FILE
    backbone = spec.backbone.model_copy(update={"weights": run.recorded_weights})
    recorded = spec.model_copy(update={"backbone": backbone})
    epochs = progress.epochs
    if progress.best_epoch > 0 and keep_models != "none":
        with must_fit(progress):
            model.load_state_dict(progress.best_state)
        save_model(model, recorded, run.sizes, progress.best_epoch, best_file)
    last, kept = KeptOutputs(), KeptOutputs()
    # Outputs of a custom fusion may depend on more than the weights, which are all that is saved.
    outputs = last if custom_fusion_file(model.fusion_module) is None else None
    with SummaryWriter(str(events)) as writer:
        for epoch in epochs:
            _write_curves(writer, epoch)
        for epoch in train_model(
            model, run.data, spec.settings.training, spec.seed, context, outputs, checkpoints
        ):
            epochs.append(epoch)
            best = progress.best_epoch
            if best == 0 or getattr(epoch, criterion) > getattr(epochs[best - 1], criterion):
                progress.best_epoch, kept.batches = epoch.epoch, last.batches
                progress.best_state = {
                    key: value.detach().cpu().clone() for key, value in model.state_dict().items()
                }
                if keep_models != "none":
                    save_model(model, recorded, run.sizes, epoch.epoch, best_file)
            _write_curves(writer, epoch)
            context.emit(EpochEvent(type="epoch", epoch=epoch))
    if keep_models == "none":
        model.load_state_dict(progress.best_state)
        return Trained(model, kept, progress, num_trainable)
    if keep_models == "all":
        save_model(model, recorded, run.sizes, len(epochs), folder / "last.safetensors")
    # From the file: the metrics are those of the saved model.
    return Trained(load_model(best_file).model, kept, progress, num_trainable)


def _write_curves(writer: SummaryWriter, epoch: Epoch) -> None:
    """Writes an epoch for TensorBoard."""
    for name in ("loss", "loss_objectness", "loss_box", "learning_rate", "val_acc_at_50", "val_miou"):
        writer.add_scalar(name, getattr(epoch, name), epoch.epoch)
