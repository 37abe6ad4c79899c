"""Everything about one configuration that no other configuration changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import (
    AccuracyAtIou,
    BlankAnswers,
    Breakdown,
    Figure,
    ProposalSummary,
    SettingSummary,
    StratumSummary,
)
from cliprpn.figures.calibration import calibrate
from cliprpn.figures.conventions import by_other_conventions
from cliprpn.figures.error_classes import SplitObjects
from cliprpn.figures.error_summary import error_summary
from cliprpn.figures.intervals import mean_interval, to_interval
from cliprpn.figures.proposal_figures import PROPOSAL_COLUMNS, proposal_summary
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable
from cliprpn.figures.subsets import Rows, Subset, all_rows
from cliprpn.metrics import HIT_IOU, RECALL_AT, pair_hits, sentence_figures
from cliprpn.statistics import ImageGroups, Measurement, compare, estimate, measure, zero

# Read at once: opening a file costs more than a column.
COLUMNS = (
    "iou",
    "iou_blank",
    "intersection",
    "union",
    "pointing",
    "pred_box_xyxy",
    "objectness",
    *(f"iou_at_{k}" for k in RECALL_AT[1:]),
)
IOU_GRID = tuple(t / 100 for t in range(5, 100, 5))


@dataclass(frozen=True)
class SettingFigures:
    """Figures of one configuration, and what comparisons with others need.

    Attributes:
        summary: without what depends on the other configurations, and on the names in the experiment.
        hits: [R, S], whether the IoU of each run is at least 0.5.
    """

    summary: SettingSummary
    hits: NDArray[np.bool_]


def setting_figures(
    runs: Runs, table: SplitTable, subsets: list[Subset], objects: SplitObjects, level: float
) -> SettingFigures:
    """
    Args:
        objects: in the images of the split.
        level: confidence level of the intervals.

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    runs.read(*(name for name in COLUMNS if runs.has(name)))
    values = _values(runs)
    hits = runs.hits()
    accuracy = measure(hits, None, table.groups, runs.has_seeds)
    summary = SettingSummary(
        kind=runs.group.kind,
        label=runs.group.label,
        trial_ids=[trial.trial_id for trial in runs.group.trials],
        seeds=runs.seeds,
        num_planned_seeds=runs.group.num_planned_seeds,
        is_upper_bound=runs.group.is_upper_bound,
        population="procedure" if runs.has_seeds and len(runs.seeds) > 1 else "checkpoints",
        repeats=runs.group.repeats,
        seed_sd=accuracy.seed_variance**0.5 if runs.has_seeds and len(runs.seeds) > 1 else None,
        rank=None,
        figures=_figures(runs, values, all_rows(table), level),
        strata=[
            StratumSummary(
                stratum=subset.group,
                num_sentences=len(subset.rows),
                num_pairs=len(subset.pairs),
                figures=_figures(runs, values, subset, level),
            )
            for subset in subsets
            if subset.by == "stratum"
        ],
        breakdowns=[
            Breakdown(
                by=subset.by,
                group=subset.group,
                num_sentences=len(subset.rows),
                interval=mean_interval(hits[:, subset.rows], subset.groups, runs.has_seeds, level),
            )
            for subset in subsets
        ],
        category_macro_acc_at_50=_category_macro(table, hits),
        blank=_blank(runs, table, level) if runs.has("iou_blank") else None,
        accuracy_at_iou=[
            AccuracyAtIou(iou=t, value=float((runs.column("iou") >= t).mean())) for t in IOU_GRID
        ],
        proposals=_proposals(runs, table, level) if runs.group.kind == "baseline" else None,
        error_classes=error_summary(runs, table, objects, level),
        calibration=calibrate(runs.column("objectness"), hits, table.groups, level)
        if runs.has("objectness")
        else None,
        conventions=by_other_conventions(runs, table),
        still_rising=None,
    )
    return SettingFigures(summary, hits)


def _values(runs: Runs) -> dict[str, NDArray]:
    """[R, S] for each metric that is a mean over expressions."""
    boxes = runs.column("pred_box_xyxy")
    has_area = (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])
    columns = {
        "iou": runs.column("iou"),
        # Files of earlier versions count the center of an empty box.
        "pointing": runs.column("pointing").astype(bool) & has_area,
        **{f"iou_at_{k}": runs.column(f"iou_at_{k}") for k in RECALL_AT[1:] if runs.has(f"iou_at_{k}")},
    }
    return sentence_figures(columns)


def _figures(runs: Runs, values: dict[str, NDArray], subset: Rows, level: float) -> list[Figure]:
    """All metrics over some expressions, with a value for each seed."""
    rows, groups = subset.rows, subset.groups
    measured = {name: measure(value[:, rows], None, groups, runs.has_seeds) for name, value in values.items()}
    intersection, union = (runs.column(name)[:, rows] for name in ("intersection", "union"))
    measured["oiou"] = measure(intersection, union, groups, runs.has_seeds)
    if len(subset.pairs):
        hits = pair_hits(runs.column("iou")[:, rows], subset.pairs)
        # A pair counts on its first image.
        first = ImageGroups(groups.index[subset.pairs[:, 0]])
        measured["pair_accuracy"] = measure(hits, None, first, runs.has_seeds)
    return [_figure(name, metric, runs.seeds, level) for name, metric in measured.items()]


def _figure(name: str, metric: Measurement, seeds: list[int], level: float) -> Figure:
    per_seed = [
        {"seed": seed, "value": value} for seed, value in zip(seeds, metric.per_seed.tolist(), strict=True)
    ]
    interval = to_interval(estimate(metric, level)).model_dump()
    return Figure.model_validate({"metric": name, "interval": interval, "per_seed": per_seed})


def _blank(runs: Runs, table: SplitTable, level: float) -> BlankAnswers:
    """The image-only answers: those to an empty expression."""
    blank = runs.column("iou_blank") >= HIT_IOU
    gain = measure(runs.hits().astype(float) - blank, None, table.groups, runs.has_seeds)
    difference = compare(gain, zero(gain), level)
    return BlankAnswers(
        acc_at_50=mean_interval(blank, table.groups, runs.has_seeds, level),
        difference=to_interval(difference),
        p_value=difference.p_value,
    )


def _proposals(runs: Runs, table: SplitTable, level: float) -> ProposalSummary:
    runs.read(*PROPOSAL_COLUMNS)
    return proposal_summary({name: runs.column(name)[0] for name in PROPOSAL_COLUMNS}, table.groups, level)


def _category_macro(table: SplitTable, hits: NDArray) -> float:
    """Acc@0.5, averaged over categories; expressions without one count only if no category is known."""
    categories = table.category.astype(str)
    known = categories != "" if (categories != "").any() else np.ones(len(categories), dtype=bool)
    _, group = np.unique(categories[known], return_inverse=True)
    return float((np.bincount(group, weights=hits.mean(axis=0)[known]) / np.bincount(group)).mean())
