"""Replaces `cliprpn.bridge.runtime`: the trials of this benchmark, with the files and checks of real ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench.runners.trial import run_trial
from cliprpn.bridge import runtime
from cliprpn.code_identity import CODE_FOLDER, code_hashes
from cliprpn.contract.generated import CompletedOutcome, RunTrialParams
from cliprpn.storage.durable import write_json

Values = dict[str, Any]


def start() -> str:
    """Like that of `cliprpn.bridge.runtime`, with the methods below."""
    runtime._run = _run
    return runtime.start()


handle = runtime.handle


def _run(method: str, params: Values) -> Values:
    if method == "hello":
        return {
            "schema_sha256": params["schema_sha256"],
            "sources_sha256": code_hashes(),
            "code_folder": str(CODE_FOLDER),
            "environment": ENVIRONMENT,
            "pid": os.getpid(),
        }
    checked = RunTrialParams.model_validate(params, strict=True)
    run_trial(os.environ["BENCH_ENDS"], with_torch=checked.spec.label == "torch")
    return {"outcome": write_outcome(checked).model_dump(mode="json")}


def write_outcome(params: RunTrialParams) -> CompletedOutcome:
    """Writes a made outcome into the folder of the attempt."""
    outcome = CompletedOutcome.model_validate(
        {
            "schema_version": 1,
            "state": "completed",
            "trial_id": params.spec.trial_id,
            "sources_sha256": params.spec.sources_sha256,
            "finished_at": "2026-01-01T00:00:00+00:00",
            "best_epoch": 1,
            "epochs": [],
            "metrics": {"num_sentences": 1, "num_images": 1, **dict.fromkeys(RATES, 0.5)},
            "num_trainable_parameters": 1,
            "durations_ms": {"features": 0, "training": 0, "evaluation": 0, "total": 0},
            "peak_memory_bytes": {"process": 0, "device": None},
            "environment": ENVIRONMENT,
            "notes": [],
        }
    )
    write_json(Path(params.folder, "outcome.json"), outcome)
    return outcome


ENVIRONMENT: Values = {
    **dict.fromkeys(("python", "torch", "torchvision", "open_clip", "platform", "device_name"), "not asked"),
    "device": "cpu",
    "num_threads": 1,
}
RATES = [
    *("acc_at_25", "acc_at_50", "acc_at_75", "acc_at_90", "macc", "miou", "oiou"),
    *("recall_at_1", "recall_at_5", "recall_at_10", "recall_at_100", "pointing", "pair_accuracy"),
]
