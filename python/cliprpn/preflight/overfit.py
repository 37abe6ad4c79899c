"""Whether a model learns a few expressions by heart: labels, losses, gradients, optimizer and decoding fit together."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np

from cliprpn.arithmetic import use_deterministic
from cliprpn.contract.generated import ClipRpnSpec, PreflightFinding, Training
from cliprpn.data.index import open_dataset
from cliprpn.inference.build import build_model
from cliprpn.preflight.finding import failed, figure, not_checked, passed
from cliprpn.preflight.sample import extract_part, one_per_image, part_of, sample_images
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.specs import Spec
from cliprpn.trials.step_data import TrainingData
from cliprpn.trials.training import train_model

NUM_EXPRESSIONS = 64
# Acc@0.5 on the training expressions that passes.
MIN_ACC = 0.95
# Both presets pass on the demo after 250 to 400 steps with their fusions. What counts is the number of steps, so small
# batches are faster: `reference` needs 58 s of a CPU's time with 8 expressions, and 384 s with 50.
BATCH_SIZE, MAX_STEPS, MIN_LEARNING_RATE = 8, 640, 1e-3
# The accuracy is measured each time that the model has seen all expressions this often.
REPEATS = 4


def check_overfit(
    spec: Spec, scratch: Path, context: RunContext, limit_s: float, max_steps: int = MAX_STEPS
) -> PreflightFinding:
    """Trains a new model on one expression of each of some images until nearly every box is a hit.

    The trial's model, losses and optimizer, with small batches and a learning rate that suits them.

    Args:
        scratch: an existing folder for temporary files.
        limit_s, max_steps: end the training.

    Raises:
        CliprpnError: data_invalid, fusion_invalid, interrupted, loss_not_finite, no_space, weights_*.
    """
    if not isinstance(spec, ClipRpnSpec):
        return not_checked("no trial of this experiment trains a model")
    index = open_dataset(Path(spec.dataset.root), spec.dataset.id)
    limit = spec.settings.limits.train
    part = part_of(index, sample_images(index, "train", NUM_EXPRESSIONS, limit), ("train",))
    rows = one_per_image(part, part.split("train"))
    seed_everything(spec.seed, spec.num_threads)
    use_deterministic(spec.settings.training.deterministic, context.device)
    features = extract_part(part, spec, scratch, context)
    sizes = (features.map_channels, features.pooled_dim, features.word_dim)
    model = build_model(spec.settings, *sizes).to(context.device)
    settings = _small_training(spec.settings.training, len(rows), max_steps)
    num_batches = math.ceil(REPEATS * len(rows) / settings.batch_size)
    data = TrainingData(part, features, np.tile(rows, REPEATS), rows)
    started, acc, num_steps = time.monotonic(), 0.0, 0
    for epoch in train_model(model, data, settings, spec.seed, context):
        acc, num_steps = max(acc, epoch.val_acc_at_50), epoch.epoch * num_batches
        if acc > MIN_ACC or time.monotonic() - started > limit_s:
            break
    figures = [figure("Acc@0.5 on the training expressions", 100 * acc, "%", low=100 * MIN_ACC)]
    found = f"{spec.label}: {100 * acc:.1f} % of {len(rows)} expressions after {num_steps} steps"
    if acc > MIN_ACC:
        return passed(f"{found} (more than {100 * MIN_ACC:.0f} %)", figures)
    last = settings.num_epochs * num_batches
    if num_steps < last:
        minutes = math.ceil(last * (time.monotonic() - started) / num_steps / 60)
        return not_checked(
            f"{found} in {limit_s:.0f} s on {context.device}, not enough to tell; add --overfit-minutes {minutes} "
            f"for all {last} steps",
            figures,
        )
    return failed(
        f"{found}; expected more than {100 * MIN_ACC:.0f} %",
        f"look at the drawn boxes, the anchors and the fusion: a model that cannot learn {len(rows)} expressions by "
        "heart will not learn more",
        figures,
    )


def _small_training(training: Training, num_expressions: int, max_steps: int) -> Training:
    """The trial's optimizer and losses, with small batches."""
    batch_size = min(BATCH_SIZE, num_expressions)
    steps_of_epoch = math.ceil(REPEATS * num_expressions / batch_size)
    return training.model_copy(
        update={
            "num_epochs": max(1, max_steps // steps_of_epoch),
            "batch_size": batch_size,
            "batch_by": "sentence",
            "learning_rate": max(training.learning_rate, MIN_LEARNING_RATE),
            "schedule": "cosine",
            "warmup_fraction": 0.0,
            "views": 0,
        }
    )
