"""One attempt at a trial, as every worker runs it: the one of the bridge, the one that reads lines, and a pilot's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from cliprpn.contract.generated import RunTrialParams
from cliprpn.run_context import Emit
from cliprpn.trials.checkpoint import ResumeOptions
from cliprpn.trials.event_log import logged
from cliprpn.trials.trial import Outcome, run_trial
from cliprpn.trials.worker_memory import release_attempt


def run_attempt(
    params: RunTrialParams, device: torch.device, emit: Emit, should_stop: Callable[[], bool]
) -> Outcome:
    """Runs an attempt on this process's device, and writes `outcome.json` last. Frees the memory that it used.

    Args:
        should_stop: whether the attempt has been asked to end early.

    Raises:
        CliprpnError: as `run_trial`.
    """
    release_attempt(device)  # Of an attempt that was interrupted.
    outcome = run_trial(
        params.spec.model_copy(update={"device": str(device)}),
        Path(params.folder),
        logged(emit),
        should_stop,
        params.keep_models,
        params.fusion_file,
        ResumeOptions(
            tuple(Path(folder) for folder in params.resume_from or []), params.checkpoint_minutes or 0
        ),
        params.recorded_weights,
    )
    release_attempt(device)
    return outcome
