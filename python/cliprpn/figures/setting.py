"""The predictions of a configuration, and the order of configurations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from cliprpn.contract.generated import BaselineSpec
from cliprpn.data.predictions import predictions_file, read_predictions
from cliprpn.metrics import HIT_IOU
from cliprpn.storage.specs import read_spec


class Setting:
    """The predictions of all seeds of one configuration on one split.

    Attributes:
        runs: one per seed, a row per sentence.
        hits: [S], fraction of the seeds that have a hit.
        val_acc_at_50: mean over the seeds; None if it is unknown.

    Raises:
        CliprpnError: not_found.
    """

    def __init__(self, label: str, trial_dirs: list[Path], split: str) -> None:
        self.label = label
        self.specs = [read_spec(folder / "spec.json") for folder in trial_dirs]
        self.runs = [read_predictions(predictions_file(folder, split)) for folder in trial_dirs]
        self.hits = np.mean([run["iou"] >= HIT_IOU for run in self.runs], axis=0)
        self.val_acc_at_50 = _val_acc_at_50(trial_dirs)

    @property
    def is_upper_bound(self) -> bool:
        """Whether the configuration uses the annotated boxes, which no model has."""
        spec = self.specs[0]
        return isinstance(spec, BaselineSpec) and spec.baseline.detector.kind == "gt_boxes"


def _val_acc_at_50(trial_dirs: list[Path]) -> float | None:
    """Mean over the trials; None if one has no metrics on val."""
    files = [folder / "metrics-val.json" for folder in trial_dirs]
    if not all(file.is_file() for file in files):
        return None
    return float(np.mean([json.loads(file.read_text())["acc_at_50"] for file in files]))


def sort_by_val(settings: list[Setting]) -> list[Setting]:
    """Sorts by Acc@0.5 on val for every split, since selecting on test would bias its figures upward.

    Upper bounds come last.
    """
    on_val = [setting.val_acc_at_50 for setting in settings]
    # A trial writes metrics on val before it completes: they are missing only in folders made by hand, and
    # then only the split's own figures can order the settings.
    if None in on_val:
        return sorted(settings, key=lambda setting: (setting.is_upper_bound, -setting.hits.mean()))
    return sorted(settings, key=lambda setting: (setting.is_upper_bound, -(setting.val_acc_at_50 or 0.0)))
