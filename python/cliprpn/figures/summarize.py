"""Figures of a sweep with confidence intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import (
    Comparison,
    Figure,
    Floor,
    Interval,
    SeedFigure,
    SettingSummary,
    StratumSummary,
    Summary,
    TrialDataset,
    TrialGroup,
)
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.predictions import PredictionColumns, predictions_file, read_sentence_ids
from cliprpn.errors import CliprpnError
from cliprpn.figures.breakdowns import breakdowns, category_macro, strata
from cliprpn.figures.floors import constant_iou, fit_constant_box
from cliprpn.figures.gallery import choose_gallery
from cliprpn.figures.proposal_figures import proposal_summary
from cliprpn.figures.setting import mean_hits, read_runs, sort_by_val
from cliprpn.metrics import HIT_IOU, pair_hits, pair_rows, sentence_figures
from cliprpn.statistics import CONFIDENCE, NUM_RESAMPLES, Estimate, mean_interval, ratio_interval


def summarize(split: str, dataset: TrialDataset, groups: list[TrialGroup]) -> Summary:
    """Figures of every configuration, comparisons of the best on val with the rest, floors, and examples.

    Upper bounds (annotated boxes) come last and are not compared, unless there is nothing else.

    Args:
        dataset: the dataset that all trials were evaluated on.
        groups: the trials of each configuration, one per seed, with their predictions.

    Raises:
        CliprpnError: not_found if predictions are missing, data_invalid if configurations were evaluated on
            different sentences.
    """
    _check_same_sentences(groups, split)
    groups = sort_by_val(groups)
    num_candidates = sum(not group.is_upper_bound for group in groups) or len(groups)
    best_runs = read_runs(groups[0], split)
    best_hits = mean_hits(best_runs)
    first = best_runs[0]
    images = first["image_id"]
    index = open_dataset(Path(dataset.root), dataset.id)
    settings: list[SettingSummary] = []
    comparisons: list[Comparison] = []
    candidates: list[tuple[str, PredictionColumns]] = []
    # One configuration at a time: the predictions of all of them may need more than the memory.
    for rank, group in enumerate(groups):
        runs = read_runs(group, split) if rank > 0 else best_runs
        settings.append(_setting_summary(group, runs))
        if 0 < rank < num_candidates:
            difference = _interval(mean_interval(best_hits - mean_hits(runs), images))
            comparisons.append(Comparison(label=groups[0].label, against=group.label, difference=difference))
        if rank in (0, num_candidates - 1):
            candidates.append((group.label, runs[0]))
    return Summary(
        schema_version=1,
        split=cast(Literal["train", "val", "test", "testA", "testB"], split),
        num_sentences=len(images),
        num_images=len(np.unique(images)),
        confidence=CONFIDENCE,
        num_resamples=NUM_RESAMPLES,
        settings=settings,
        comparisons=comparisons,
        floors=_floors(best_runs, index),
        gallery=choose_gallery(first, candidates, index.images_dir or index.root),
    )


def _check_same_sentences(groups: list[TrialGroup], split: str) -> None:
    """
    Raises:
        CliprpnError: not_found, data_invalid.
    """
    expected: NDArray | None = None
    for group in groups:
        for trial in group.trials:
            sentences = read_sentence_ids(predictions_file(Path(trial.predictions_dir), split))
            expected = sentences if expected is None else expected
            if not np.array_equal(sentences, expected):
                raise CliprpnError(
                    "data_invalid",
                    f"{group.label}: expected predictions for the same sentences as {groups[0].label}, found "
                    "others; evaluate both on the same dataset",
                )


def _setting_summary(group: TrialGroup, runs: list[PredictionColumns]) -> SettingSummary:
    first = runs[0]
    hits = mean_hits(runs)
    seeds = [trial.seed for trial in group.trials]
    return SettingSummary(
        kind=group.kind,
        label=group.label,
        trial_ids=[trial.trial_id for trial in group.trials],
        figures=_figures(runs, seeds),
        strata=[
            _stratum_summary(name, [_select_rows(run, mask) for run in runs], seeds)
            for name, mask in strata(first).items()
        ],
        breakdowns=breakdowns(first, hits),
        category_macro_acc_at_50=category_macro(first, hits),
        proposals=proposal_summary(first) if group.kind == "baseline" else None,
    )


def _stratum_summary(name: str, runs: list[PredictionColumns], seeds: list[int]) -> StratumSummary:
    return StratumSummary(
        stratum=name,
        num_sentences=len(runs[0]["iou"]),
        num_pairs=len(pair_rows(runs[0]["pair_id"])),
        figures=_figures(runs, seeds),
    )


def _figures(runs: list[PredictionColumns], seeds: list[int]) -> list[Figure]:
    """All figures over some sentences, with a value for each seed.

    Args:
        runs: predictions of each seed for the same sentences.
    """
    images = runs[0]["image_id"]
    per_run = [sentence_figures(run) for run in runs]
    figures = [
        _figure(
            name,
            mean_interval(np.mean([run[name] for run in per_run], axis=0), images),
            seeds,
            [float(run[name].mean()) for run in per_run],
        )
        for name in per_run[0]
    ]
    intersections = np.array([run["intersection"] for run in runs])
    unions = np.array([run["union"] for run in runs])
    oious = [float(run["intersection"].sum() / run["union"].sum()) for run in runs]
    figures.append(_figure("oiou", ratio_interval(intersections, unions, images), seeds, oious))
    pairs = pair_rows(runs[0]["pair_id"])
    if len(pairs):
        hits = [pair_hits(run["iou"], pairs) for run in runs]
        estimate = mean_interval(np.mean(hits, axis=0), images[pairs[:, 0]])
        figures.append(_figure("pair_accuracy", estimate, seeds, [float(hits_i.mean()) for hits_i in hits]))
    return figures


def _select_rows(columns: PredictionColumns, mask: NDArray) -> PredictionColumns:
    return {name: values[mask] for name, values in columns.items()}


def _floors(best_runs: list[PredictionColumns], index: DatasetIndex) -> list[Floor]:
    """Figures of baselines that ignore the expression, and of the best configuration with empty expressions."""
    boxes = {"whole_image": np.array([0.0, 0.0, 1.0, 1.0])}
    train = index.split("train")
    if len(train):  # Baselines also run on datasets without a train split.
        sizes = index.image_sizes(train)
        boxes_norm = index.gt_boxes[train] / np.concatenate([sizes, sizes], axis=1)
        boxes = {"constant_box": fit_constant_box(boxes_norm), **boxes}
    columns = best_runs[0]
    wh = np.stack([columns["width"], columns["height"]], axis=1).astype(np.float64)
    gt_boxes, images = columns["gt_box_xyxy"], columns["image_id"]
    ious = {name: constant_iou(box, gt_boxes, wh) for name, box in boxes.items()}
    floors = [_floor(name, iou >= HIT_IOU, iou, images) for name, iou in ious.items()]
    blank = np.array([run["iou_blank"] for run in best_runs])
    floors.append(_floor("blank_sentence", (blank >= HIT_IOU).mean(axis=0), blank.mean(axis=0), images))
    return floors


def _floor(name: str, hits: NDArray, iou: NDArray, images: NDArray) -> Floor:
    intervals = {
        "acc_at_50": mean_interval(hits.astype(float), images)._asdict(),
        "miou": mean_interval(iou, images)._asdict(),
    }
    return Floor.model_validate({"name": name, **intervals})


def _figure(name: str, estimate: Estimate, seeds: list[int], values: list[float]) -> Figure:
    per_seed = [SeedFigure(seed=seed, value=value) for seed, value in zip(seeds, values, strict=True)]
    return Figure.model_validate(
        {
            "metric": name,
            "interval": estimate._asdict(),
            "per_seed": [figure.model_dump() for figure in per_seed],
        }
    )


def _interval(estimate: Estimate) -> Interval:
    return Interval(**estimate._asdict())
