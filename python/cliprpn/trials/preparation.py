"""Makes what trials of a sweep share, before they run: frozen features, detections and embeddings, into the cache."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import torch

from cliprpn.arithmetic import fix_arithmetic, prefer_deterministic, use_deterministic
from cliprpn.contract.generated import (
    BaselineSpec,
    ClipRpnSpec,
    ErrorInfo,
    PreparationOutcome,
    PreparationPart,
    PreparationSpec,
    PreparedPart,
)
from cliprpn.data.index import open_dataset
from cliprpn.detectors.propose import propose
from cliprpn.errors import CliprpnError, disk_has_failed, disk_is_full
from cliprpn.features.frozen import open_data
from cliprpn.ranking.clip_embeddings import ClipEmbeddings
from cliprpn.run_context import Emit, RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.durable import failed_disk, full_folder, space_advice, write_json
from cliprpn.trials.baseline import encode_clip_inputs
from cliprpn.trials.event_log import logged
from cliprpn.trials.failures import describe_failure
from cliprpn.trials.splits import split_rows
from cliprpn.trials.worker_memory import release_attempt

TRACEBACK_FILE = "traceback.txt"
# Errors of the machine: every trial would fail.
OF_THE_MACHINE = ("interrupted", "no_space", "environment_broken", "package_missing", "device_unavailable")


def run_preparation(
    spec: PreparationSpec,
    folder: Path,
    num_lanes: int,
    device: torch.device,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> PreparationOutcome:
    """Makes each part that is not in the cache yet, and writes `outcome.json` last.

    A part that fails is in the outcome, and the next one is made: a trial that needs it fails by itself, with the same
    error as a rule. What is made so far stays when a run ends early, and the next one continues.

    Args:
        folder: of this attempt; exists.
        num_lanes: see `RunContext`.

    Raises:
        CliprpnError: interrupted, no_space, environment_broken, package_missing, device_unavailable.
    """
    emit = logged(emit)
    parts = [_run_part(part, folder, num_lanes, device, emit, should_stop) for part in spec.parts]
    release_attempt(device)
    finished_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    outcome = PreparationOutcome(schema_version=1, finished_at=finished_at, parts=parts)
    write_json(folder / "outcome.json", outcome)
    return outcome


def _run_part(
    part: PreparationPart,
    folder: Path,
    num_lanes: int,
    device: torch.device,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> PreparedPart:
    started = time.monotonic()
    trial = part.trial.model_copy(update={"device": str(device)})
    error: ErrorInfo | None = None
    try:
        _make(
            part.make,
            trial,
            RunContext(device, Path(trial.cache_dir), emit, should_stop, num_lanes=num_lanes),
        )
    except Exception as failure:
        if isinstance(failure, CliprpnError) and failure.code in OF_THE_MACHINE:
            raise
        if disk_is_full(failure):
            full = full_folder(folder, Path(trial.cache_dir), Path(tempfile.gettempdir()))
            raise CliprpnError(
                "no_space", f"{full}: no space left on the disk; {space_advice(full)}"
            ) from failure
        if disk_has_failed(failure):
            raise failed_disk(Path(getattr(failure, "filename", None) or trial.cache_dir)) from failure
        with (folder / TRACEBACK_FILE).open("a") as file:
            file.write(traceback.format_exc())
        code, message = describe_failure(failure, trial, folder / TRACEBACK_FILE, None)
        error = ErrorInfo.model_validate({"code": code, "message": message})
    ms = (time.monotonic() - started) * 1000
    return PreparedPart(make=part.make, label=trial.label, duration_ms=ms, error=error)


def _make(what: str, trial: ClipRpnSpec | BaselineSpec, context: RunContext) -> None:
    """With the arithmetic of the trial, so that the numbers are those that it would compute."""
    fix_arithmetic()
    seed_everything(trial.seed, trial.num_threads)
    if isinstance(trial, ClipRpnSpec):
        settings = trial.settings
        use_deterministic(settings.training.deterministic, context.device)
        size, views = settings.image_size_px, settings.training.views
        open_data(trial.dataset, trial.backbone, size, settings.resize, context, views)
        return
    prefer_deterministic()
    index = open_dataset(Path(trial.dataset.root), trial.dataset.id)
    rows = split_rows(index, "val", trial.limits.val)
    proposed = propose(trial.baseline, index, rows, context)
    if what == "embeddings":
        encode_clip_inputs(trial.baseline, index, rows, proposed, ClipEmbeddings(trial.backbone, context))
