"""Figures of models over several splits and datasets: rule "several splits" of docs/statistics.md.

The unit of all intervals is an image, wherever it occurs: RefCOCO, RefCOCO+ and RefCOCOg share images of COCO, so that
splits are not independent. The primary endpoint is the unweighted mean over its splits, computed for each run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import (
    Combined,
    CombinedComparison,
    CombinedSetting,
    CombineParams,
    Endpoint,
    EndpointComparison,
    EndpointParams,
    TrialGroup,
)
from cliprpn.errors import CliprpnError
from cliprpn.figures.comparisons import adjust, possible_difference
from cliprpn.figures.image_origins import image_origin
from cliprpn.figures.intervals import to_interval
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable, read_split_table
from cliprpn.figures.verdict import Contender, decide
from cliprpn.statistics import (
    MIN_IMAGES,
    Difference,
    Measurement,
    compare,
    detectable_difference,
    estimate,
    holm,
    is_equivalent,
    measure,
    optimism,
    pairwise,
    resample_weights,
    unweighted_mean,
)
from cliprpn.statistics.variance import population_of

# Of sorting: equal models are sorted by label, whatever the rounding.
DECIMALS = 12
COCO_NUMBER = re.compile(r"(\d{12})(?:_\d+)?\.\w+$")


def combine(params: CombineParams) -> Combined:
    """
    Raises:
        CliprpnError: not_found if predictions are missing; data_invalid if models were evaluated on different
            expressions; bad_input if a model has another number of runs on another split.
    """
    level = 1 - params.alpha
    _check_names(params)
    splits = [_Split(endpoint, level) for endpoint in params.endpoints]
    primary = _primary(splits)
    images = _Images(primary)
    models = _models(splits, primary, images, params)
    compared = [model for model in models if model.primary is not None and not model.is_upper_bound] or [
        model for model in models if model.primary is not None
    ]
    is_on_val = all(model.on_val is not None for model in models)
    # Where val is part of the primary endpoint, its figures chose the best, too.
    are_val = [split.params.split == "val" for split in primary]
    is_chosen_here = not is_on_val or any(are_val)
    comparisons = _compare(compared, splits, params, level, is_chosen_here)
    of_best = [each for each in comparisons if compared and each.label == compared[0].label]
    contenders = [
        Contender(model.label, model.primary.mean, model.kind == "cliprpn" and model.num_runs < 2)
        for model in compared
        if model.primary is not None
    ]
    if not contenders:
        raise CliprpnError(
            "bad_input", "expected a model with answers on all of the primary endpoint, found none"
        )
    measurements = [model.primary for model in compared if model.primary is not None]
    return Combined(
        schema_version=1,
        confidence=level,
        smallest_difference=params.smallest_difference,
        baseline=params.baseline,
        num_images=images.num,
        endpoints=[
            Endpoint(
                name=split.name,
                dataset_name=split.params.dataset.name,
                split=split.params.split,
                num_sentences=len(split.table.sent_id),
                num_images=split.table.groups.num_images,
                in_primary=split in primary,
            )
            for split in splits
        ],
        settings=[_setting(model, splits, level) for model in models],
        comparisons=comparisons,
        optimism=optimism(measurements, resample_weights(images.num))
        if (not is_on_val or all(are_val)) and len(measurements) > 1
        else None,
        selection="val" if is_on_val else "primary",
        verdict=decide(contenders, of_best, images.num, params.alpha, params.smallest_difference, []),
    )


def _check_names(params: CombineParams) -> None:
    """
    Raises:
        CliprpnError: bad_input, if a split or a model of a split is given twice.
    """
    lists = [[endpoint.name for endpoint in params.endpoints]]
    lists += [[group.label for group in endpoint.groups] for endpoint in params.endpoints]
    twice = next((name for names in lists for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CliprpnError("bad_input", f"{twice}: expected different names of splits and models, found two")


def _primary(splits: Sequence[_Split]) -> list[_Split]:
    """The declared splits with enough images; if none has enough, all that are declared."""
    declared = [split for split in splits if split.params.in_primary] or list(splits)
    return [split for split in declared if split.table.groups.num_images >= MIN_IMAGES] or declared


class _Split:
    """A split with the accuracy of each model on it.

    Attributes:
        accuracies: by label.
    """

    def __init__(self, params: EndpointParams, level: float) -> None:
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

    def image_keys(self) -> list[str]:
        """What identifies each image in all datasets, in the order of the groups: the number of a COCO image."""
        _, first = np.unique(self.table.image_id, return_index=True)
        dataset = self.params.dataset
        return [
            image_key(
                int(self.table.image_id[row]), str(self.table.image_file[row]), dataset.split_by, dataset.id
            )
            for row in first
        ]


def image_key(image_id: int, file_name: str, split_by: str, dataset_id: str) -> str:
    """What identifies an image in all datasets: COCO's number, or the dataset and the file.

    Args:
        split_by: the published splits, other than `own`, have images of COCO train2014 only, with COCO's ids.
    """
    if split_by != "own":
        return f"coco {image_id}"
    number = COCO_NUMBER.search(file_name)
    if number is not None and image_origin(file_name).startswith("coco"):
        return f"coco {int(number[1])}"
    return f"{dataset_id} {file_name}"


class _Images:
    """The different images of several splits.

    Attributes:
        num: of them.
        positions: for each split by name, the position of each of its images.
    """

    def __init__(self, splits: Sequence[_Split]) -> None:
        # By name: resampled images, and so the optimism, must not depend on the order of the splits.
        splits = sorted(splits, key=lambda split: split.name)
        position_of: dict[str, int] = {}
        self.positions = {
            split.name: np.array(
                [position_of.setdefault(key, len(position_of)) for key in split.image_keys()]
            )
            for split in splits
        }
        self.num = len(position_of)

    def mean_over(self, splits: Sequence[_Split], label: str) -> Measurement:
        """The unweighted mean of a model's accuracies over the splits, for each run."""
        parts = [(split.accuracies[label], self.positions[split.name]) for split in splits]
        return unweighted_mean(parts, self.num)


@dataclass(frozen=True)
class _Model:
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


def _models(
    splits: Sequence[_Split], primary: Sequence[_Split], images: _Images, params: CombineParams
) -> list[_Model]:
    """The best first; those without answers on all of the primary endpoint last, and upper bounds after the others."""
    models: list[_Model] = []
    labels = dict.fromkeys(label for split in splits for label in split.groups)
    # All models must have been chosen by val of the same dataset.
    by_val = next((split for split in splits if split.knows_val(labels)), None)
    for label in labels:
        groups = [split.groups[label] for split in splits if label in split.groups]
        _check_runs(label, groups)
        is_complete = all(label in split.groups for split in primary)
        models.append(
            _Model(
                label=label,
                kind=groups[0].kind,
                is_upper_bound=groups[0].is_upper_bound,
                num_runs=len(groups[0].trials),
                primary=images.mean_over(primary, label) if is_complete else None,
                on_val=None if by_val is None else by_val.mean_on_val(label),
            )
        )

    def key(model: _Model) -> tuple[bool, bool, float, str]:
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


def _setting(model: _Model, splits: Sequence[_Split], level: float) -> CombinedSetting:
    known = [split.accuracies[model.label] for split in splits if model.label in split.accuracies]
    return CombinedSetting.model_validate(
        {
            "label": model.label,
            "kind": model.kind,
            "is_upper_bound": model.is_upper_bound,
            "population": population_of(known[0]),
            "num_runs": model.num_runs,
            "primary": None
            if model.primary is None
            else to_interval(estimate(model.primary, level)).model_dump(),
            "per_endpoint": [
                to_interval(estimate(split.accuracies[model.label], level)).model_dump()
                if model.label in split.accuracies
                else None
                for split in splits
            ],
        }
    )


def _compare(
    models: Sequence[_Model],
    splits: Sequence[_Split],
    params: CombineParams,
    level: float,
    is_chosen_here: bool,
) -> list[CombinedComparison]:
    """The best with each other one, and the declared baseline with each other one."""
    measurements = [model.primary for model in models if model.primary is not None]
    if len(measurements) < 2:
        return []
    table = pairwise(measurements)
    named = [i for i, model in enumerate(models) if model.label == params.baseline]
    rows: list[CombinedComparison] = []
    for reference in sorted({0, *named}):
        adjusted = adjust(table, reference, is_chosen_here)
        for i, model in enumerate(models):
            if i != reference:
                difference = compare(measurements[reference], measurements[i], level)
                pair = (models[reference].label, model.label)
                rows.append(_comparison(pair, difference, adjusted[i], splits, params, level))
    return rows


def _comparison(
    pair: tuple[str, str],
    difference: Difference,
    p_adjusted: float | None,
    splits: Sequence[_Split],
    params: CombineParams,
    level: float,
) -> CombinedComparison:
    label, against = pair
    alpha = 1 - level
    both = [split for split in splits if label in split.accuracies and against in split.accuracies]
    parts = [compare(split.accuracies[label], split.accuracies[against], level) for split in both]
    adjusted = holm([part.p_value for part in parts])
    is_ahead = [part.mean > 0 and _is_below(part.p_value, alpha) for part in parts]
    # Ahead on all splits is one claim, an intersection; on some of them, several.
    ahead_on_all = len(both) == len(splits) and all(is_ahead)
    surely = [part.mean > 0 and _is_below(p, alpha) for part, p in zip(parts, adjusted, strict=True)]
    behind = [part.mean < 0 and _is_below(p, alpha) for part, p in zip(parts, adjusted, strict=True)]
    found = {
        split.name: EndpointComparison(difference=to_interval(part), p_value=part.p_value, p_adjusted=p)
        for split, part, p in zip(both, parts, adjusted, strict=True)
    }
    margin = params.smallest_difference
    return CombinedComparison(
        label=label,
        against=against,
        difference=to_interval(difference),
        population=difference.population,
        p_value=difference.p_value,
        p_adjusted=p_adjusted,
        same_answers=difference.same_answers
        and all(np.allclose(split.hits[label], split.hits[against], rtol=0, atol=1e-9) for split in both),
        detectable=possible_difference(detectable_difference(difference, alpha)),
        equivalent=None if margin is None else is_equivalent(difference, margin, alpha),
        per_endpoint=[found.get(split.name) for split in splits],
        ahead_on=[
            split.name for split, now in zip(both, is_ahead if ahead_on_all else surely, strict=True) if now
        ],
        behind_on=[split.name for split, now in zip(both, behind, strict=True) if now],
        ahead_on_all=ahead_on_all,
    )


def _is_below(p_value: float | None, alpha: float) -> bool:
    return p_value is not None and p_value < alpha
