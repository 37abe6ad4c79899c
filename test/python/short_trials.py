"""Trials of three epochs of four steps, which may be killed and continued."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpers import make_spec

from cliprpn.contract.generated import ClipRpnSpec, CompletedOutcome
from cliprpn.storage.specs import Spec
from cliprpn.trials.checkpoint import KeepModels, ResumeOptions
from cliprpn.trials.trial import Outcome, run_trial

STEPS_PER_EPOCH = 4


class Killed(BaseException):
    """Ends a trial without an outcome, as SIGKILL does."""


def spec_of(root: Path, cache: Path, **changes: Any) -> ClipRpnSpec:
    training = {"num_epochs": 3, "learning_rate": 1e-2} | changes.pop("training", {})
    return make_spec(root, cache, training=training, **changes)


def run(
    spec: Spec,
    folder: Path,
    *resume_from: Path,
    minutes: float = 0,
    keep_models: KeepModels = "all",
    warnings: list[str] | None = None,
) -> Outcome:
    """Runs an attempt that may continue others; collects its warnings."""

    def emit(event: Any) -> None:
        if event.type == "warning" and warnings is not None:
            warnings.append(event.message)

    resume = ResumeOptions(resume_from, minutes)
    return run_trial(spec, folder, emit, lambda: False, keep_models, resume=resume)


def run_to_end(spec: Spec, folder: Path, *resume_from: Path, **options: Any) -> CompletedOutcome:
    """The same, for a trial that completes. Options are those of `run`."""
    return completed(run(spec, folder, *resume_from, **options))


def completed(outcome: Outcome) -> CompletedOutcome:
    assert isinstance(outcome, CompletedOutcome), outcome
    return outcome
