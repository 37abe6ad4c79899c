"""Times the parts of a trial that trains a model, on a sample of its images."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from cliprpn.arithmetic import use_deterministic
from cliprpn.contract.generated import (
    ClipRpnSpec,
    FeatureNeed,
    MeasuredTarget,
    PeakMemory,
    SpeedMeasurement,
    Timing,
)
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.pixels import open_pixels_for
from cliprpn.data.predictions import predictions_file
from cliprpn.devices import peak_process_bytes
from cliprpn.features.frozen import FrozenFeatures
from cliprpn.inference.build import build_model
from cliprpn.inference.checkpoint import checkpoint_bytes, copy_fusion, save_model
from cliprpn.inference.predict import top1_ious
from cliprpn.models import ClipRPN
from cliprpn.preflight.extraction import time_extraction
from cliprpn.preflight.needs import find_needs
from cliprpn.preflight.sample import part_of, sample_images, temporary_folder
from cliprpn.preflight.timing import time_ms, timing
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.trials.evaluate import evaluate_model
from cliprpn.trials.splits import split_rows
from cliprpn.trials.step_data import TrainingData
from cliprpn.trials.training import train_model

NUM_TRAIN_IMAGES, NUM_VAL_IMAGES = 128, 64
# Of the evaluation and of saving; the first one is a warm-up.
NUM_REPEATS = 3


def measure_speed(
    spec: ClipRpnSpec,
    num_steps: int,
    limit_ms: float,
    targets: list[MeasuredTarget],
    scratch: Path,
    context: RunContext,
) -> SpeedMeasurement:
    """Extracts the features of some images, trains a new model on them, and predicts; nothing is kept.

    Args:
        num_steps: training steps to time, after a warm-up.
        limit_ms: fewer steps are timed if they take longer.
        targets: splits that the trial is evaluated on besides val; their datasets are prepared.
        scratch: an existing folder for temporary files.
        context: with the cache of the trial, which is not written to.

    Raises:
        CliprpnError: data_invalid, fusion_invalid, interrupted, loss_not_finite, no_space, weights_*.
    """
    settings = spec.settings
    root = Path(spec.dataset.root)
    index = open_dataset(root, spec.dataset.id)
    pixels = open_pixels_for(index.images, root, settings.image_size_px, settings.resize)
    seed_everything(spec.seed, spec.num_threads)
    use_deterministic(settings.training.deterministic, context.device)
    if context.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(context.device)
    train = sample_images(index, "train", NUM_TRAIN_IMAGES, settings.limits.train)
    val = sample_images(index, "val", NUM_VAL_IMAGES, settings.limits.val)
    part = part_of(index, np.union1d(train, val), ("train", "val"))
    extraction = time_extraction(part, pixels, spec, replace(context, cache_dir=scratch))
    features = extraction.features
    sizes = (features.map_channels, features.pooled_dim, features.word_dim)
    model = build_model(settings, *sizes).to(context.device)
    timed_steps, step = _time_steps(model, part, features, spec, num_steps, limit_ms, context)
    selection = _time_selection(model, part, features, context)
    with temporary_folder(scratch) as folder:
        prediction, prediction_bytes = _time_evaluation(model, part, features, folder, context)
        save = _time_saving(model, spec, sizes, folder)
    map_bytes = int(np.prod(features.maps.shape[1:])) * 2
    sentence_bytes = features.text.num_bytes / part.sentences.num_rows
    needs, num_evaluated = find_needs(spec, targets, context)
    peak = torch.cuda.max_memory_allocated(context.device) if context.device.type == "cuda" else None
    return SpeedMeasurement(
        num_steps=timed_steps,
        batch_size=settings.training.batch_size,
        step=step,
        selection=selection,
        prediction=prediction,
        image=extraction.image,
        view=extraction.view,
        sentence=extraction.sentence,
        save=save,
        num_sampled_images=part.images.num_rows,
        map_bytes=map_bytes,
        sentence_bytes=sentence_bytes,
        prediction_bytes=prediction_bytes,
        checkpoint_bytes=checkpoint_bytes(settings, sizes),
        num_train=len(split_rows(index, "train", settings.limits.train)),
        num_val=len(split_rows(index, "val", settings.limits.val)),
        num_evaluated=num_evaluated,
        num_views=settings.training.views,
        features=needs,
        resident_bytes=_resident_bytes(
            needs[0], map_bytes, sentence_bytes, settings.training.views, context.device
        ),
        peak_memory_bytes=PeakMemory(process=peak_process_bytes(), device=peak),
    )


def _time_steps(
    model: ClipRPN,
    part: DatasetIndex,
    features: FrozenFeatures,
    spec: ClipRpnSpec,
    num_steps: int,
    limit_ms: float,
    context: RunContext,
) -> tuple[int, Timing]:
    """Trains the model for some epochs of the sample; the first one, a warm-up, is not timed.

    Returns:
        the number of timed steps, and the duration of a step.
    """
    training = spec.settings.training
    rows = part.split("train")
    num_batches = max(1, len(rows) // training.batch_size)
    rows = np.resize(rows, num_batches * training.batch_size)  # Full batches only.
    num_epochs = 1 + math.ceil(num_steps / num_batches)
    settings = training.model_copy(update={"num_epochs": num_epochs, "views": min(1, training.views)})
    # One val sentence: the time for val is measured apart.
    data = TrainingData(part, features, rows, part.split("val")[:1])
    epochs_ms: list[float] = []
    for epoch in train_model(model, data, settings, spec.seed, context):
        if epoch.epoch > 1:
            epochs_ms.append(epoch.duration_ms)
        if epochs_ms and sum(epochs_ms) > limit_ms:
            break
    return len(epochs_ms) * num_batches, timing([ms / num_batches for ms in epochs_ms])


def _time_selection(
    model: ClipRPN, part: DatasetIndex, features: FrozenFeatures, context: RunContext
) -> Timing:
    """Of one val sentence."""
    rows = part.split("val")
    times = [time_ms(lambda: top1_ious(model, part, features, rows, context))[0] for _ in range(NUM_REPEATS)]
    return timing([ms / len(rows) for ms in times[1:]])


def _time_evaluation(
    model: ClipRPN, part: DatasetIndex, features: FrozenFeatures, folder: Path, context: RunContext
) -> tuple[Timing, float]:
    """Of one val sentence: the duration, and the size of its stored prediction."""
    num = len(part.split("val"))
    times = [
        time_ms(lambda: evaluate_model(model, part, features, "val", None, folder, context))[0]
        for _ in range(NUM_REPEATS)
    ]
    return timing([ms / num for ms in times[1:]]), predictions_file(folder, "val").stat().st_size / num


def _time_saving(model: ClipRPN, spec: ClipRpnSpec, sizes: tuple[int, int, int], folder: Path) -> Timing:
    """Of one model, on the disk of the temporary files."""
    copy_fusion(spec.settings, folder)
    file = folder / "model.safetensors"
    times = [time_ms(lambda: save_model(model, spec, sizes, 1, file))[0] for _ in range(NUM_REPEATS)]
    return timing(times[1:])


def _resident_bytes(
    need: FeatureNeed, map_bytes: int, sentence_bytes: float, num_views: int, device: torch.device
) -> float:
    """How much of the features stays on a CUDA device: each array that fits, as in `FrozenFeatures.move_to`."""
    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    resident = 0.0
    arrays = [
        sentence_bytes * need.num_sentences,
        map_bytes * need.num_images,
        *[map_bytes * need.num_view_images] * num_views,
    ]
    for num_bytes in arrays:
        if num_bytes < (free - resident) / 2:
            resident += num_bytes
    return resident
