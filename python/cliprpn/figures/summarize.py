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
from cliprpn.data.predictions import PredictionColumns
from cliprpn.errors import CliprpnError
from cliprpn.figures.breakdowns import breakdowns, category_macro, strata
from cliprpn.figures.floors import constant_iou, fit_constant_box
from cliprpn.figures.gallery import choose_gallery
from cliprpn.figures.proposal_figures import proposal_summary
from cliprpn.figures.setting import Setting, sort_by_val
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
    settings = [Setting(group, split) for group in groups]
    first = settings[0].runs[0]
    for setting in settings:
        for run in setting.runs:
            if not np.array_equal(run["sent_id"], first["sent_id"]):
                raise CliprpnError(
                    "data_invalid",
                    f"{setting.label}: expected predictions for the same sentences as {settings[0].label}, found "
                    "others; evaluate both on the same dataset",
                )
    settings = sort_by_val(settings)
    candidates = [setting for setting in settings if not setting.is_upper_bound] or settings
    best, others = candidates[0], candidates[1:]
    images = first["image_id"]
    index = open_dataset(Path(dataset.root), dataset.id)
    return Summary(
        schema_version=1,
        split=cast(Literal["train", "val", "test", "testA", "testB"], split),
        num_sentences=len(images),
        num_images=len(np.unique(images)),
        confidence=CONFIDENCE,
        num_resamples=NUM_RESAMPLES,
        settings=[_setting_summary(setting) for setting in settings],
        comparisons=[
            Comparison(
                label=best.label,
                against=other.label,
                difference=_interval(mean_interval(best.hits - other.hits, images)),
            )
            for other in others
        ],
        floors=_floors(best, first, index),
        gallery=choose_gallery(
            first,
            [(setting.label, setting.runs[0]) for setting in candidates],
            index.images_dir or index.root,
        ),
    )


def _setting_summary(setting: Setting) -> SettingSummary:
    first = setting.runs[0]
    kind = setting.kind
    seeds = [trial.seed for trial in setting.trials]
    return SettingSummary(
        kind=kind,
        label=setting.label,
        trial_ids=[trial.trial_id for trial in setting.trials],
        figures=_figures(setting.runs, seeds),
        strata=[
            _stratum_summary(name, [_select_rows(run, mask) for run in setting.runs], seeds)
            for name, mask in strata(first).items()
        ],
        breakdowns=breakdowns(first, setting.hits),
        category_macro_acc_at_50=category_macro(first, setting.hits),
        proposals=proposal_summary(first) if kind == "baseline" else None,
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


def _floors(best: Setting, columns: PredictionColumns, index: DatasetIndex) -> list[Floor]:
    """Figures of baselines that ignore the expression, and of the best configuration with empty expressions."""
    boxes = {"whole_image": np.array([0.0, 0.0, 1.0, 1.0])}
    train = index.split("train")
    if len(train):  # Baselines also run on datasets without a train split.
        sizes = index.image_sizes(train)
        boxes_norm = index.gt_boxes[train] / np.concatenate([sizes, sizes], axis=1)
        boxes = {"constant_box": fit_constant_box(boxes_norm), **boxes}
    wh = np.stack([columns["width"], columns["height"]], axis=1).astype(np.float64)
    gt_boxes, images = columns["gt_box_xyxy"], columns["image_id"]
    ious = {name: constant_iou(box, gt_boxes, wh) for name, box in boxes.items()}
    floors = [_floor(name, iou >= HIT_IOU, iou, images) for name, iou in ious.items()]
    blank = np.array([run["iou_blank"] for run in best.runs])
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
