"""Confidence intervals of configurations while a sweep runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.contract.generated import (
    CompletedConfiguration,
    IntervalSoFar,
    IntervalsSoFar,
    IntervalsSoFarParams,
)
from cliprpn.data.predictions import predictions_file
from cliprpn.data.read_predictions import read_numbers
from cliprpn.errors import CliprpnError
from cliprpn.figures.intervals import mean_interval
from cliprpn.metrics import HIT_IOU
from cliprpn.statistics import ImageGroups


def intervals_so_far(params: IntervalsSoFarParams) -> IntervalsSoFar:
    """The interval of each configuration's Acc@0.5 over its completed trials, as the report computes it.

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    return IntervalsSoFar(
        intervals=[_interval(each, params.split, params.confidence) for each in params.configurations]
    )


def _interval(configuration: CompletedConfiguration, split: str, level: float) -> IntervalSoFar | None:
    """None with fewer than 30 images, and for one run of what differs when it is trained again."""
    files = [predictions_file(Path(folder), split) for folder in configuration.predictions_dirs]
    if configuration.has_seeds and len(files) < 2:
        return None
    runs = [read_numbers(file, ("sent_id", "image_id", "iou")) for file in files]
    for file, run in zip(files, runs, strict=True):
        if any(not np.array_equal(run[name], runs[0][name]) for name in ("sent_id", "image_id")):
            raise CliprpnError(
                "data_invalid",
                f"{file}: expected predictions for the same expressions as {files[0]}, found others",
            )
    hits = np.stack([run["iou"] for run in runs]) >= HIT_IOU
    interval = mean_interval(hits, ImageGroups(runs[0]["image_id"]), configuration.has_seeds, level)
    if interval.low is None or interval.high is None:
        return None
    return IntervalSoFar(low=interval.low, high=interval.high)
