"""Runs one trial; `outcome.json` records the result, whether it completed or failed."""

from __future__ import annotations

import errno
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeGuard

import torch

from cliprpn.arithmetic import prefer_deterministic, use_deterministic
from cliprpn.code_identity import code_hashes
from cliprpn.contract.generated import (
    BaselineSpec,
    CompletedOutcome,
    Durations,
    ErrorInfo,
    FailedOutcome,
    PeakMemory,
)
from cliprpn.devices import describe_environment, peak_process_bytes, resolve_device
from cliprpn.errors import CliprpnError, disk_has_failed, disk_is_full, is_not_writable
from cliprpn.run_context import Emit, RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.durable import failed_disk, full_folder, not_writable, space_advice, write_json
from cliprpn.storage.node_disk import node_stores
from cliprpn.storage.specs import Spec
from cliprpn.trials.baseline import evaluate_baseline
from cliprpn.trials.checkpoint import KeepModels, ResumeOptions, remove_checkpoint
from cliprpn.trials.cliprpn import NO_RESUME, train_cliprpn
from cliprpn.trials.failures import describe_failure
from cliprpn.trials.result import TrialResult

Outcome = CompletedOutcome | FailedOutcome
LOG_FILE = "worker.log"
TRACEBACK_FILE = "traceback.txt"
# Codes of errors that are no outcome.
NOT_OF_TRIAL = ("interrupted", "no_space", "environment_broken")


def run_trial(
    spec: Spec,
    folder: Path,
    emit: Emit,
    should_stop: Callable[[], bool],
    keep_models: KeepModels = "all",
    fusion_file: str | None = None,
    resume: ResumeOptions = NO_RESUME,
    recorded_weights: str | None = None,
) -> Outcome:
    """Runs one attempt at a trial in a new folder and writes `outcome.json` last, atomically.

    A failure is an outcome, too. Only errors that do not depend on the trial are raised; they leave no outcome.

    Args:
        folder: created if missing; contains nothing but, at most, the log of this process.
        keep_models: the models that stay: of the best and the last epoch, of the best one, or none.
        fusion_file: for messages, the person's file of a custom fusion, of which the trial runs a copy.
        resume: the earlier attempts that it may continue.
        recorded_weights: as in `train_cliprpn`.

    Raises:
        CliprpnError: interrupted, no_space, environment_broken; bad_input if the folder contains an earlier attempt.
    """
    code_hashes()  # Now: a file may be edited while the trial runs.
    _make_folder(folder)
    try:
        outcome: Outcome = _run_by_kind(
            spec, folder, keep_models, emit, should_stop, resume, recorded_weights
        )
    except BaseException as error:
        if isinstance(error, CliprpnError) and error.code in NOT_OF_TRIAL:
            raise
        if disk_is_full(error):
            full = full_folder(folder, Path(spec.cache_dir), Path(tempfile.gettempdir()))
            raise CliprpnError(
                "no_space", f"{full}: no space left on the disk; {space_advice(full)}"
            ) from error
        if disk_has_failed(error):
            raise failed_disk(Path(getattr(error, "filename", None) or folder)) from error
        if _hinders_all(error, folder, Path(spec.cache_dir)):
            raise not_writable(Path(error.filename or folder), error) from error
        code, message = describe_failure(error, spec, folder / TRACEBACK_FILE, fusion_file)
        outcome = _failed(spec, folder, code, message)
    write_json(folder / "outcome.json", outcome)
    remove_checkpoint(folder)  # After the outcome, since a full disk or a kill may still prevent it.
    return outcome


def _hinders_all(error: BaseException, *folders: Path) -> TypeGuard[OSError]:
    """Whether a disk or one of these folders cannot be written, which would hinder every other trial, too."""
    if not isinstance(error, OSError) or not is_not_writable(error):
        return False
    if error.errno == errno.EROFS:
        return True
    # Any other file is the trial's: its data, or what a custom fusion opens.
    return error.filename is not None and any(
        Path(str(error.filename)).is_relative_to(folder) for folder in folders
    )


def _make_folder(folder: Path) -> None:
    """
    Raises:
        CliprpnError: no_space, environment_broken; bad_input, if the folder is not empty or cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = [path.name for path in folder.iterdir() if path.name != LOG_FILE]
    except OSError as error:
        if disk_has_failed(error):
            raise failed_disk(folder) from error
        if is_not_writable(error):
            raise not_writable(folder, error) from error
        raise CliprpnError(
            "no_space" if disk_is_full(error) else "bad_input",
            f"{folder}: expected a new or empty folder: {error.strerror}; choose another folder",
        ) from error
    if others:
        raise CliprpnError(
            "bad_input",
            f"{folder}: expected a new or empty folder, found {', '.join(sorted(others)[:3])}; choose another folder",
        )


def _run_by_kind(
    spec: Spec,
    folder: Path,
    keep_models: KeepModels,
    emit: Emit,
    should_stop: Callable[[], bool],
    resume: ResumeOptions,
    recorded_weights: str | None,
) -> CompletedOutcome:
    """Runs a trial of either kind, and measures time and memory."""
    started = time.monotonic()
    device = resolve_device(spec.device)
    seed_everything(spec.seed, spec.num_threads)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    context = RunContext(device, Path(spec.cache_dir), emit, should_stop, own_stores=node_stores())
    if isinstance(spec, BaselineSpec):
        prefer_deterministic()
        result = _run_baseline(spec, folder, context)
    else:
        use_deterministic(spec.settings.training.deterministic, device)
        result = train_cliprpn(spec, folder, keep_models, context, resume, recorded_weights)
    total_ms = result.earlier_ms + (time.monotonic() - started) * 1000
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    return CompletedOutcome(
        schema_version=1,
        state="completed",
        trial_id=spec.trial_id,
        sources_sha256=code_hashes()[spec.kind],
        finished_at=_utc_now(),
        best_epoch=result.best_epoch,
        epochs=result.epochs,
        metrics=result.metrics,
        num_trainable_parameters=result.num_trainable_parameters,
        durations_ms=Durations(
            features=result.features_ms,
            training=result.training_ms,
            evaluation=total_ms - result.features_ms - result.training_ms,
            total=total_ms,
        ),
        peak_memory_bytes=PeakMemory(process=peak_process_bytes(), device=peak),
        environment=describe_environment(device),
        precision=result.precision,
        notes=result.notes,
        resumed_from=result.resumed_from,
        micro_batch_size=result.micro_batch_size,
        evaluation_batch_size=result.evaluation_batch_size,
    )


def _run_baseline(spec: BaselineSpec, folder: Path, context: RunContext) -> TrialResult:
    evaluation = evaluate_baseline(spec, None, "val", folder, context)
    return TrialResult(
        best_epoch=0,
        epochs=[],
        metrics=evaluation.metrics,
        num_trainable_parameters=0,
        features_ms=evaluation.features_ms,
        training_ms=0,
        precision=None,
        evaluation_batch_size=context.batch_limit.rows,
        notes=evaluation.notes,
    )


def _failed(spec: Spec, folder: Path, code: str, message: str) -> FailedOutcome:
    """The outcome of a failed trial. Call within the `except` clause: writes the current traceback to a file."""
    (folder / TRACEBACK_FILE).write_text(traceback.format_exc())
    return FailedOutcome(
        schema_version=1,
        state="failed",
        trial_id=spec.trial_id,
        sources_sha256=code_hashes()[spec.kind],
        finished_at=_utc_now(),
        error=ErrorInfo.model_validate({"code": code, "message": message}),
        traceback_file=TRACEBACK_FILE,
    )


def _utc_now() -> str:
    """The current time, ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
