"""The predictions of a configuration, and the order of configurations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import TrialGroup
from cliprpn.data.predictions import PredictionColumns, predictions_file, read_predictions
from cliprpn.metrics import HIT_IOU


def sort_by_val(groups: list[TrialGroup]) -> list[TrialGroup]:
    """Sorts by Acc@0.5 on val, the mean over seeds, for every split: selecting on test would bias its figures upward.

    Upper bounds (annotated boxes) come last.
    """

    def key(group: TrialGroup) -> tuple[bool, float]:
        return group.is_upper_bound, -float(np.mean([trial.val_acc_at_50 for trial in group.trials]))

    return sorted(groups, key=key)


def read_runs(group: TrialGroup, split: str) -> list[PredictionColumns]:
    """The predictions of each seed of a configuration: a row per sentence.

    Raises:
        CliprpnError: not_found.
    """
    return [read_predictions(predictions_file(Path(trial.predictions_dir), split)) for trial in group.trials]


def mean_hits(runs: list[PredictionColumns]) -> NDArray[np.float64]:
    """[S], fraction of the seeds that have a hit."""
    return np.mean([run["iou"] >= HIT_IOU for run in runs], axis=0)
