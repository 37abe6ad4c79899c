"""Figures on the expressions of a list, such as annotations that reviewers found right, beside those on all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import OnlyList, Reviewed, ReviewedFigure, RowsFile, SettingSummary
from cliprpn.data.index import DatasetIndex
from cliprpn.data.only import keep_only
from cliprpn.figures.comparisons import Candidate, compare_subsets
from cliprpn.figures.expressions import SettingHits
from cliprpn.figures.intervals import mean_interval
from cliprpn.figures.split_table import SplitTable
from cliprpn.figures.subsets import Subset, all_rows
from cliprpn.statistics import ImageGroups


@dataclass(frozen=True)
class _Item:
    """An expression, as lists name it."""

    row: int
    image_id: int
    ann_id: int
    ref_id: int
    sent_id: int
    sentence: str
    split: str


def find_reviewed(only: OnlyList, table: SplitTable, index: DatasetIndex) -> Subset:
    """The expressions of the split that the list names.

    Raises:
        CliprpnError: data_invalid, if the file is not a list of ids, or names none of the expressions.
    """
    sentences = index.sentences
    at = {sent_id: position for position, sent_id in enumerate(sentences["sent_id"].to_pylist())}
    rows = [at[sent_id] for sent_id in table.sent_id.tolist()]
    image_ids, ann_ids, ref_ids = (
        sentences[name].take(rows).to_pylist() for name in ("image_id", "ann_id", "ref_id")
    )
    items = [
        _Item(row, image_ids[row], ann_ids[row], ref_ids[row], sent_id, str(text), table.split)
        for row, (sent_id, text) in enumerate(
            zip(table.sent_id.tolist(), table.sentence.tolist(), strict=True)
        )
    ]
    kept = keep_only(items, [RowsFile(file=str(Path(only.file)), split=None)], [])
    chosen = np.array([item.row for item in kept], dtype=np.int64)
    everything = all_rows(table)
    return Subset(
        rows=chosen,
        groups=ImageGroups(table.image_id[chosen]),
        pairs=np.zeros((0, 2), dtype=np.int64),
        chance=everything.chance[chosen],
        by="reviewed",
        group=only.name,
    )


def reviewed_figures(
    subset: Subset,
    settings: Sequence[SettingSummary],
    mean_hits: Sequence[SettingHits],
    candidates: Sequence[Candidate],
    baseline: str | None,
    level: float,
) -> Reviewed:
    """
    Args:
        mean_hits: of each setting.
        candidates: those that are compared, which come first.
    """
    everything = [_hits_per_run(each, slice(None)) for each in mean_hits]
    inside = [_hits_per_run(each, subset.rows) for each in mean_hits]
    ranks_all, ranks_inside = _ranks(everything), _ranks(inside)
    figures = []
    for position, (setting, hits) in enumerate(zip(settings, mean_hits, strict=True)):
        candidate = candidates[position] if position < len(candidates) else None
        values = hits.mean_hit[None, subset.rows] if candidate is None else candidate.hits[:, subset.rows]
        has_seeds = candidate is not None and candidate.has_seeds
        figures.append(
            ReviewedFigure(
                label=setting.label,
                acc_at_50=mean_interval(values, subset.groups, has_seeds, level),
                rank_all=ranks_all[position],
                rank_reviewed=ranks_inside[position],
            )
        )
    return Reviewed(
        name=subset.group,
        num_sentences=len(subset.rows),
        num_images=subset.groups.num_images,
        settings=figures,
        comparisons=compare_subsets(candidates, baseline, [subset], level) if len(candidates) > 1 else [],
        order_changes=ranks_all != ranks_inside,
    )


def _hits_per_run(setting: SettingHits, rows: NDArray[np.int64] | slice) -> Fraction:
    """Exact: thirds of hits that are rounded would give equal settings different ranks."""
    num_runs = len(setting.runs.files)
    return Fraction(int(np.rint(setting.mean_hit[rows].astype(np.float64) * num_runs).sum()), num_runs)


def _ranks(values: Sequence[Fraction]) -> list[int]:
    """1 is the best; equal values share a rank."""
    return [1 + sum(other > value for other in values) for value in values]
