"""One trial of a ClipRPN: features, model, training, evaluation."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter

from cliprpn.contract.generated import (
    ClipRpnSpec,
    CompletedOutcome,
    Durations,
    Epoch,
    EpochEvent,
    PeakMemory,
)
from cliprpn.devices import describe_environment, peak_process_bytes, resolve_device
from cliprpn.errors import CliprpnError
from cliprpn.inference.build import build_model
from cliprpn.inference.checkpoint import count_trainable, save_model
from cliprpn.inference.steps import Emit, evaluate_model, now, open_data, paced
from cliprpn.models import ClipRPN
from cliprpn.seeding import seed_everything
from cliprpn.trials.training import TrainingData, train_model


def complete_cliprpn(
    spec: ClipRpnSpec, folder: Path, emit: Emit, should_stop: Callable[[], bool]
) -> CompletedOutcome:
    """Trains, chooses by val, evaluates val; the folder gets models, curves and answers."""
    started = time.monotonic()
    device = resolve_device(spec.device)
    seed_everything(spec.seed, spec.num_threads)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)

    index, features = open_data(
        spec.dataset,
        spec.backbone,
        spec.settings.image_size_px,
        spec.settings.resize,
        Path(spec.cache_dir),
        device,
        emit,
        should_stop,
        spec.settings.training.views,
    )
    limits = spec.settings.limits
    data = TrainingData(index, features, index.split("train", limits.train), index.split("val", limits.val))
    for name, rows in (("train", data.train_rows), ("val", data.val_rows)):
        if len(rows) == 0:
            raise CliprpnError("data_invalid", f"{spec.dataset.root}: the split {name} has no sentence")
    features_done = time.monotonic()

    seed_everything(spec.seed, spec.num_threads)  # Again: extraction may have drawn numbers.
    sizes = (features.map_channels, features.pooled_dim, features.word_dim)
    model = build_model(spec.settings, *sizes).to(device)
    epochs, best = _train(model, spec, data, sizes, folder, device, emit, should_stop)
    training_done = time.monotonic()

    metrics = evaluate_model(folder, folder, index, features, "val", limits.val, device, emit, should_stop)
    done = time.monotonic()
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    return CompletedOutcome(
        state="completed",
        trial_id=spec.trial_id,
        sources_sha256=spec.sources_sha256,
        finished_at=now(),
        best_epoch=best,
        epochs=epochs,
        metrics=metrics,
        num_trainable_parameters=count_trainable(model),
        durations_ms=Durations(
            features=(features_done - started) * 1000,
            training=(training_done - features_done) * 1000,
            evaluation=(done - training_done) * 1000,
            total=(done - started) * 1000,
        ),
        peak_memory_bytes=PeakMemory(process=peak_process_bytes(), device=peak),
        environment=describe_environment(device),
        notes=[],
    )


def _train(
    model: ClipRPN,
    spec: ClipRpnSpec,
    data: TrainingData,
    sizes: tuple[int, int, int],
    folder: Path,
    device: torch.device,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> tuple[list[Epoch], int]:
    """Trains, saving the best epoch (by val) and the last. Returns all epochs and the best one's number."""
    choose = f"val_{spec.settings.training.select_by}"
    epochs: list[Epoch] = []
    best = 0
    show = paced(emit)
    steps = train_model(
        model,
        data,
        spec.settings.training,
        spec.seed,
        device,
        lambda done, total: show("training", done, total),
        should_stop,
    )
    with SummaryWriter(str(folder / "events")) as writer:
        for epoch in steps:
            epochs.append(epoch)
            if best == 0 or getattr(epoch, choose) > getattr(epochs[best - 1], choose):
                best = epoch.epoch
                save_model(model, spec, sizes, epoch.epoch, folder / "best.safetensors")
            for name in (
                "loss",
                "loss_objectness",
                "loss_box",
                "learning_rate",
                "val_acc_at_50",
                "val_miou",
            ):
                writer.add_scalar(name, getattr(epoch, name), epoch.epoch)
            emit(EpochEvent(type="epoch", epoch=epoch))
    save_model(model, spec, sizes, len(epochs), folder / "last.safetensors")
    return epochs, best
