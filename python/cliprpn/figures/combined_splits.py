"""The accuracies of models on several splits, and on the primary endpoint over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import EndpointParams, TrialGroup
from cliprpn.errors import CliprpnError
from cliprpn.figures.combined_images import DistinctImages, SplitImages
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable, read_split_table
from cliprpn.statistics import Measurement, measure, unweighted_mean

# Of sorting: equal models are sorted by label, whatever the rounding.
DECIMALS = 12


class CombinedSplit:
    """A split with the accuracy of each model on it.

    Attributes:
        accuracies: by label.
    """

    def __init__(self, params: EndpointParams) -> None:
        self.params, self.name = params, params.name
        first = Runs(params.groups[0], params.split)
        self.table: SplitTable = read_split_table(first.files[0], params.split)
        self.accuracies: dict[str, Measurement] = {}
        self.groups: dict[str, TrialGroup] = {group.label: group for group in params.groups}
        self.hits: dict[str, NDArray[np.float64]] = {}
        for group in params.groups:
            runs = Runs(group, params.split)
            runs.check_sentences(self.table, params.groups[0].label)
            hits = runs.hits()
            self.accuracies[group.label] = measure(hits, None, self.table.groups, runs.has_seeds)
            self.hits[group.label] = hits.mean(axis=0)

    def mean_on_val(self, label: str) -> float | None:
        """Acc@0.5 on val of this dataset, by which a model may have been chosen."""
        values = [trial.val_acc_at_50 for trial in self.groups[label].trials]
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if len(known) == len(values) else None

    def knows_val(self, labels: Iterable[str]) -> bool:
        """Whether all of these models were chosen on val of this dataset."""
        return all(label in self.groups and self.mean_on_val(label) is not None for label in labels)

    def images(self) -> SplitImages:
        """The image files in the order of the groups."""
        _, first = np.unique(self.table.image_id, return_index=True)
        return SplitImages(self.params.dataset, [str(name) for name in self.table.image_file[first]])


@dataclass(frozen=True)
class CombinedModel:
    """
    Attributes:
        primary: on the primary endpoint; None without answers on all of it.
        on_val: Acc@0.5 on val, by which it may be chosen; None if it was not chosen so.
    """

    label: str
    kind: str
    is_upper_bound: bool
    num_runs: int
    primary: Measurement | None
    on_val: float | None


def combined_models(
    splits: Sequence[CombinedSplit], primary: Sequence[CombinedSplit], images: DistinctImages
) -> list[CombinedModel]:
    """The best first; those without answers on all of the primary endpoint last, and upper bounds after the others."""
    models: list[CombinedModel] = []
    labels = dict.fromkeys(label for split in splits for label in split.groups)
    # All models must have been chosen by val of the same dataset.
    by_val = next((split for split in splits if split.knows_val(labels)), None)
    for label in labels:
        groups = [split.groups[label] for split in splits if label in split.groups]
        _check_runs(label, groups)
        is_complete = all(label in split.groups for split in primary)
        models.append(
            CombinedModel(
                label=label,
                kind=groups[0].kind,
                is_upper_bound=groups[0].is_upper_bound,
                num_runs=len(groups[0].trials),
                primary=_mean_over(primary, label, images) if is_complete else None,
                on_val=None if by_val is None else by_val.mean_on_val(label),
            )
        )

    def key(model: CombinedModel) -> tuple[bool, bool, float, str]:
        figure = model.on_val if by_val is not None else None if model.primary is None else model.primary.mean
        return model.primary is None, model.is_upper_bound, -round(figure or 0.0, DECIMALS), model.label

    return sorted(models, key=key)


def _check_runs(label: str, groups: Sequence[TrialGroup]) -> None:
    """Run r of a model must be the same run everywhere, as its seed moves all of its figures.

    Raises:
        CliprpnError: bad_input.
    """
    counts = {len(group.trials) for group in groups}
    if len(counts) > 1:
        raise CliprpnError(
            "bad_input",
            f"{label}: expected the same number of runs on each split, found {' and '.join(map(str, sorted(counts)))}; "
            "give as many files for each split",
        )
    if groups[0].kind != "results" and len({tuple(t.trial_id for t in group.trials) for group in groups}) > 1:
        raise CliprpnError("bad_input", f"{label}: expected the same trials on each split, found others")


def _mean_over(splits: Sequence[CombinedSplit], label: str, images: DistinctImages) -> Measurement:
    """The unweighted mean of a model's accuracies over the splits, for each run."""
    parts = [(split.accuracies[label], images.positions[split.name]) for split in splits]
    return unweighted_mean(parts, images.num)
