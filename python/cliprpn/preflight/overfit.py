"""Whether a model learns a few expressions by heart: labels, losses, gradients, optimizer and decoding fit together."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np

from cliprpn.arithmetic import use_deterministic
from cliprpn.contract.generated import ClipRpnSpec, PreflightFinding
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
MAX_STEPS = 1000
LIMIT_S = 120.0
# The accuracy is measured each time that the model has seen all expressions this often.
REPEATS = 4


def check_overfit(
    spec: Spec, scratch: Path, context: RunContext, max_steps: int = MAX_STEPS, limit_s: float = LIMIT_S
) -> PreflightFinding:
    """Trains a new model on one expression of each of some images until nearly every box is a hit.

    With the trial's optimizer and learning rate, but a constant schedule and no augmentation.

    Args:
        scratch: an existing folder for temporary files.
        max_steps, limit_s: end the training.

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
    batch_size = min(spec.settings.training.batch_size, len(rows))
    num_batches = math.ceil(REPEATS * len(rows) / batch_size)
    changes = {
        "num_epochs": max(1, max_steps // num_batches),
        "batch_size": batch_size,
        "batch_by": "sentence",
        "schedule": "constant",
        "views": 0,
    }
    settings = spec.settings.training.model_copy(update=changes)
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
    if num_steps < settings.num_epochs * num_batches:
        return not_checked(
            f"{found} in {limit_s:.0f} s, which is too short on this device; more than {100 * MIN_ACC:.0f} % pass",
            figures,
        )
    return failed(
        f"{found}; expected more than {100 * MIN_ACC:.0f} %",
        f"look at the drawn boxes and the fusion, and try a higher training.learning_rate (now "
        f"{settings.learning_rate:g}): a model that cannot learn {len(rows)} expressions by heart will not learn more",
        figures,
    )
