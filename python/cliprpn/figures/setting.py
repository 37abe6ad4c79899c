"""The predictions of a configuration, and the order of configurations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.contract.generated import TrialGroup
from cliprpn.data.predictions import predictions_file, read_predictions
from cliprpn.metrics import HIT_IOU


class Setting:
    """The predictions of all seeds of one configuration on one split.

    Attributes:
        runs: one per seed, a row per sentence.
        hits: [S], fraction of the seeds that have a hit.
        val_acc_at_50: mean over the seeds.
        is_upper_bound: whether the configuration uses the annotated boxes, which no model has.

    Raises:
        CliprpnError: not_found.
    """

    def __init__(self, group: TrialGroup, split: str) -> None:
        self.label, self.kind, self.is_upper_bound = group.label, group.kind, group.is_upper_bound
        self.trials = list(group.trials)
        self.runs = [
            read_predictions(predictions_file(Path(trial.predictions_dir), split)) for trial in self.trials
        ]
        self.hits = np.mean([run["iou"] >= HIT_IOU for run in self.runs], axis=0)
        self.val_acc_at_50 = float(np.mean([trial.val_acc_at_50 for trial in self.trials]))


def sort_by_val(settings: list[Setting]) -> list[Setting]:
    """Sorts by Acc@0.5 on val for every split, since selecting on test would bias its figures upward.

    Upper bounds come last.
    """
    return sorted(settings, key=lambda setting: (setting.is_upper_bound, -setting.val_acc_at_50))
