"""Figures of a sweep on a split: every configuration, comparisons, the verdict, and examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import (
    Gallery,
    RankInterval,
    SettingSummary,
    SummarizeParams,
    Summary,
    TrialGroup,
)
from cliprpn.data.index import open_dataset
from cliprpn.figures.comparisons import Candidate, compare_all, compare_subsets, make_candidate
from cliprpn.figures.error_classes import split_objects
from cliprpn.figures.error_summary import error_examples
from cliprpn.figures.explorer import EXPLORER_FILE, make_explorer
from cliprpn.figures.expressions import SettingHits, write_expressions
from cliprpn.figures.floors import find_floors
from cliprpn.figures.gallery import choose_gallery, find_opponent
from cliprpn.figures.image_origins import count_origins
from cliprpn.figures.kept import kept_figures
from cliprpn.figures.reviewed import find_reviewed, reviewed_figures
from cliprpn.figures.rising import add_rising
from cliprpn.figures.runs import Runs
from cliprpn.figures.setting_figures import SettingFigures, setting_figures
from cliprpn.figures.split_table import read_split_table
from cliprpn.figures.subsets import find_subsets, mean_chance, same_category_chance
from cliprpn.figures.verdict import contenders_of, decide, find_remarks
from cliprpn.statistics import (
    MIN_IMAGES,
    NUM_RESAMPLES,
    Measurement,
    optimism,
    rank_intervals,
    resample_weights,
)

Selection = Literal["val", "this_split"]


def summarize(params: SummarizeParams) -> Summary:
    """Computes everything that a report shows of the predictions on one split, and writes `expressions.parquet`.

    The best on val is compared with the others, and so is the declared baseline; if some have no figure on val, the
    best on this split. Upper bounds (annotated boxes) come last and are not compared, unless there is nothing else.

    Raises:
        CliprpnError: not_found if predictions are missing, data_invalid if configurations were evaluated on
            different sentences, no_space.
    """
    split, level = params.split, 1 - params.alpha
    groups, selection = order_groups(params.groups, split)
    is_chosen_here = split == "val" or selection == "this_split"
    all_runs = [Runs(group, split) for group in groups]
    table = read_split_table(all_runs[0].files[0], split)
    subsets = find_subsets(table)
    index = open_dataset(Path(params.dataset.root), params.dataset.id)
    objects = split_objects(index, table.sent_id)
    reviewed = None if params.only is None else find_reviewed(params.only, table, index)
    settings: list[SettingSummary] = []
    candidates: list[Candidate] = []
    mean_hits: list[SettingHits] = []
    num_candidates = sum(not group.is_upper_bound for group in groups) or len(groups)
    for runs in all_runs:

        def compute(runs: Runs = runs) -> SettingFigures:
            runs.check_sentences(table, groups[0].label)
            return setting_figures(runs, table, subsets, objects, level)

        key = [index.dataset_id, table.sha256, level]
        figures = kept_figures(runs, key, Path(params.cache_dir) / "figures", compute)
        settings.append(figures.summary)
        if len(candidates) < num_candidates:
            candidates.append(make_candidate(runs, figures.hits, table))
        mean_hits.append(SettingHits(runs, figures.hits.mean(axis=0, dtype=np.float32)))
        runs.forget()  # The predictions of all configurations may need more than the memory.
    comparisons = compare_all(
        candidates, params.baseline, is_chosen_here, table, level, params.smallest_difference
    )
    subset_comparisons = compare_subsets(candidates, params.baseline, subsets, level)
    weights = resample_weights(table.groups.num_images)
    accuracies = [candidate.accuracy for candidate in candidates]
    settings = _add_ranks(settings, accuracies, weights, level)
    settings = add_rising(settings, groups, comparisons)
    best = candidates[0]
    remarks = find_remarks(
        settings[:num_candidates],
        best,
        [each for each in subset_comparisons if each.label == best.label],
        table,
        subsets,
        level,
    )
    write_expressions(Path(params.out_dir) / "expressions.parquet", table, subsets, mean_hits)
    of_best = [each for each in comparisons if each.label == best.label]
    verdict = decide(
        contenders_of(settings[:num_candidates]),
        of_best,
        table.groups.num_images,
        params.alpha,
        params.smallest_difference,
        remarks,
    )
    opponent = find_opponent([candidate.label for candidate in candidates], params.baseline, verdict, of_best)
    chance = same_category_chance(table)
    explorer = make_explorer(table, subsets, objects, all_runs, params.baseline, index.images_dir)
    (Path(params.out_dir) / EXPLORER_FILE).write_text(explorer.model_dump_json(), encoding="utf-8")
    gallery = choose_gallery(
        table, all_runs[0], None if opponent is None else all_runs[opponent], subsets, index.images_dir
    )
    return Summary(
        schema_version=2,
        split=split,
        selection=selection,
        reviewed=None
        if reviewed is None
        else reviewed_figures(reviewed, settings, mean_hits, candidates, params.baseline, level),
        num_sentences=len(table.sent_id),
        num_images=table.groups.num_images,
        image_origins=count_origins(set(table.image_file.tolist()), params.dataset.split_by),
        confidence=level,
        smallest_difference=params.smallest_difference,
        baseline=params.baseline,
        num_resamples=NUM_RESAMPLES,
        settings=settings,
        subsets=[subset.summary() for subset in subsets],
        chance_acc_at_50=mean_chance(chance),
        comparisons=comparisons,
        subset_comparisons=subset_comparisons,
        optimism=optimism(accuracies, weights) if is_chosen_here and num_candidates > 1 else None,
        verdict=verdict,
        floors=find_floors(table, index, level),
        gallery=gallery,
        error_examples=error_examples(
            settings[0].error_classes, all_runs[0], table, index.images_dir, _sent_ids(gallery)
        ),
    )


def _sent_ids(gallery: Gallery) -> set[int]:
    """The expressions of all its cases."""
    examples = [example for group in gallery.groups for example in group.examples]
    return {case.sent_id for example in examples for case in example.cases}


def order_groups(groups: Sequence[TrialGroup], split: str) -> tuple[list[TrialGroup], Selection]:
    """Sorts by Acc@0.5 on val, the mean over seeds, for every split: selecting on test would bias its figures upward.

    If a group has no figure on val, such as an outside model, all are sorted by this split, which is said. Upper
    bounds (annotated boxes) come last; equal ones are sorted by label.
    """
    on_val = [_mean([trial.val_acc_at_50 for trial in group.trials]) for group in groups]
    known = [value for value in on_val if value is not None]
    selection: Selection = "val" if len(known) == len(groups) else "this_split"
    values = known if selection == "val" else [float(Runs(group, split).hits().mean()) for group in groups]
    order = sorted(
        zip(groups, values, strict=True), key=lambda item: (item[0].is_upper_bound, -item[1], item[0].label)
    )
    return [group for group, _ in order], selection


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


def _add_ranks(
    settings: list[SettingSummary],
    accuracies: list[Measurement],
    weights: NDArray[np.float32],
    level: float,
) -> list[SettingSummary]:
    """The intervals of the ranks of the candidates, which come first; none with too few images."""
    if accuracies[0].num_images < MIN_IMAGES:
        return settings
    ranks = rank_intervals(accuracies, weights, level).tolist()
    ranked = [
        setting.model_copy(update={"rank": RankInterval(low=low, high=high)})
        for setting, (low, high) in zip(settings, ranks, strict=False)
    ]
    return [*ranked, *settings[len(accuracies) :]]
