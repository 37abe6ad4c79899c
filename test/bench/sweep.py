"""Sweeps of 12 trials, ours compared with ClipRPN (Trento): `python -m bench.sweep FOLDER PREPARE_S SPEC.json...`"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch

from bench.original_way import train_original_way
from cliprpn.contract.generated import ClipRpnSpec, CompletedOutcome
from cliprpn.features.frozen import open_data
from cliprpn.run_context import RunContext
from cliprpn.trials.trial import run_trial

NUM_TRIALS = 12


def main(folder: Path, prepare_s: float, spec_files: list[Path]) -> dict[str, Any]:
    """Seconds of both sides for each spec. The cache must be empty, as our time includes feature extraction.

    Args:
        prepare_s: time for decoding the images, which our time includes, too.
    """
    specs = [ClipRpnSpec.model_validate_json(path.read_text(), strict=True) for path in spec_files]
    first = specs[0]
    torch.set_num_threads(first.num_threads)
    started = time.perf_counter()
    settings = first.settings
    context = RunContext(torch.device("cpu"), Path(first.cache_dir), lambda event: None, lambda: False)
    index, features = open_data(
        first.dataset, first.backbone, settings.image_size_px, settings.resize, context
    )
    features_s = time.perf_counter() - started
    rows = []
    for spec in specs:
        trial = folder / spec.trial_id
        before = run_ours(spec, trial / "1")
        parts = train_original_way(spec, index, features)
        trial_s = statistics.mean([before, run_ours(spec, trial / "2")])
        ours_s, original_s = prepare_s + features_s + NUM_TRIALS * trial_s, NUM_TRIALS * sum(parts.values())
        rows.append(
            {
                "preset": spec.preset,
                "trial_s": trial_s,
                "ours_s": ours_s,
                "original_trial_s": sum(parts.values()),
                "original_parts_s": dict(parts),
                "original_s": original_s,
                "ratio": original_s / ours_s,
            }
        )
    counts = {name: len(index.split(name)) for name in ("train", "val")}
    facts = {"num_trials": NUM_TRIALS, "prepare_s": prepare_s, "features_s": features_s}
    return {**facts, "num_sentences": counts, "rows": rows}


def run_ours(spec: ClipRpnSpec, folder: Path) -> float:
    """Seconds of a whole trial in a new folder, including checkpoints and the final evaluation."""
    started = time.perf_counter()
    outcome = run_trial(spec, folder, lambda event: None, lambda: False)
    if not isinstance(outcome, CompletedOutcome):
        raise RuntimeError(outcome.error.message)
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), float(sys.argv[2]), [Path(path) for path in sys.argv[3:]])))
