"""Times the figures of a report, on made answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cliprpn.contract.generated import (
    CombineParams,
    EndpointParams,
    EvaluatedTrial,
    MeasuredTarget,
    MeasureReportParams,
    ReportMeasurement,
    SummarizeParams,
    TrialGroup,
)
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.predictions import PredictionColumns
from cliprpn.figures.combine import combine
from cliprpn.figures.summarize import summarize
from cliprpn.inference.predict import prediction_columns
from cliprpn.preflight.sample import temporary_folder
from cliprpn.preflight.timing import time_ms, timing
from cliprpn.trials.splits import save_predictions, split_rows

ALPHA = 0.05  # Does not change the time.
NUM_BOXES = 10
NUM_GROUPS = 2


def measure_report(params: MeasureReportParams) -> ReportMeasurement:
    """Summarizes made answers of one and of two configurations to all of val, and compares them over other splits.

    Raises:
        CliprpnError: data_invalid, no_space.
    """
    with temporary_folder(Path(params.scratch_dir)) as folder:
        val = MeasuredTarget(dataset=params.dataset, split="val")
        groups = _make_groups(params, val, folder / "val")
        first_ms = _time_summary(params, groups[:1], folder / "first")
        both_ms = _time_summary(params, groups, folder / "both")
        splits = None
        if params.targets:
            others = [
                _make_groups(params, target, folder / str(number))
                for number, target in enumerate(params.targets)
            ]
            endpoints = zip([val, *params.targets], [groups, *others], strict=True)
            splits = timing([_time_combining([*endpoints], folder)])
    return ReportMeasurement(
        first=timing([first_ms]), another=timing([max(0.0, both_ms - first_ms)]), splits=splits
    )


def _make_groups(params: MeasureReportParams, target: MeasuredTarget, folder: Path) -> list[TrialGroup]:
    """Two configurations with random answers to a split."""
    index = open_dataset(Path(target.dataset.root), target.dataset.id)
    limit = params.limit if target.split == "val" else params.test_limit
    rows = split_rows(index, target.split, limit if target.dataset.id == params.dataset.id else None)
    rng = np.random.default_rng(0)

    def make_trial(group: int, seed: int) -> EvaluatedTrial:
        place = folder / f"{group}-{seed}"
        metrics = save_predictions(place, index, target.split, rows, _random_answers(index, rows, rng))
        return EvaluatedTrial(
            trial_id=f"made-{group}-{seed}",
            seed=seed,
            val_acc_at_50=metrics.acc_at_50,
            predictions_dir=str(place),
            val_acc_by_epoch=[metrics.acc_at_50],
        )

    return [
        TrialGroup(
            label=f"made {group}",
            kind="cliprpn",
            is_upper_bound=False,
            num_planned_seeds=params.num_seeds,
            trials=[make_trial(group, seed) for seed in range(params.num_seeds)],
        )
        for group in range(NUM_GROUPS)
    ]


def _random_answers(index: DatasetIndex, rows: np.ndarray, rng: np.random.Generator) -> PredictionColumns:
    """The ground truth with noise that makes about half of the answers wrong."""
    gt_boxes = torch.from_numpy(index.gt_boxes[rows]).double()
    sizes = (gt_boxes[:, 2:] - gt_boxes[:, :2]).repeat(1, 2)[:, None]  # [S, 1, 4]
    noise = torch.from_numpy(rng.normal(0, 0.2, (len(rows), NUM_BOXES, 4)))
    boxes = gt_boxes[:, None] + noise * sizes  # [S, K, 4]
    columns = prediction_columns([*boxes], torch.from_numpy(rng.random(len(rows))), gt_boxes)
    return {**columns, "iou_blank": rng.random(len(rows))}


def _time_summary(params: MeasureReportParams, groups: list[TrialGroup], folder: Path) -> float:
    folder.mkdir()
    request = SummarizeParams(
        split="val",
        dataset=params.dataset,
        groups=groups,
        baseline=None,
        smallest_difference=None,
        alpha=ALPHA,
        out_dir=str(folder),
        cache_dir=str(folder / "cache"),
    )
    ms, _ = time_ms(lambda: summarize(request))
    return ms


def _time_combining(endpoints: list[tuple[MeasuredTarget, list[TrialGroup]]], folder: Path) -> float:
    request = CombineParams(
        endpoints=[
            EndpointParams(
                name=f"{target.dataset.id}:{target.split}",
                dataset=target.dataset,
                split=target.split,
                in_primary=True,
                groups=groups,
            )
            for target, groups in endpoints
        ],
        baseline=None,
        smallest_difference=None,
        alpha=ALPHA,
        cache_dir=str(folder / "cache"),
    )
    ms, _ = time_ms(lambda: combine(request))
    return ms
