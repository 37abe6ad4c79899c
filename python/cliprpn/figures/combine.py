"""Figures of models over several splits and datasets: rule "several splits" of docs/statistics.md.

The unit of all intervals is an image, wherever it occurs: RefCOCO, RefCOCO+ and RefCOCOg share images of COCO, so that
splits are not independent. The primary endpoint is the unweighted mean over its splits, computed for each run.
"""

from __future__ import annotations

from collections.abc import Sequence

from cliprpn.contract.generated import (
    Combined,
    CombinedSetting,
    CombineParams,
    Endpoint,
)
from cliprpn.errors import CliprpnError
from cliprpn.figures.combined_comparisons import combined_comparisons
from cliprpn.figures.combined_images import distinct_images
from cliprpn.figures.combined_splits import CombinedModel, CombinedSplit, combined_models
from cliprpn.figures.intervals import to_interval
from cliprpn.figures.verdict import Contender, decide
from cliprpn.statistics import MIN_IMAGES, estimate, optimism, resample_weights
from cliprpn.statistics.variance import population_of


def combine(params: CombineParams) -> Combined:
    """
    Raises:
        CliprpnError: not_found if predictions are missing; data_invalid if models were evaluated on different
            expressions; bad_input if a model has another number of runs on another split.
    """
    level = 1 - params.alpha
    _check_names(params)
    splits = [CombinedSplit(endpoint) for endpoint in params.endpoints]
    primary = _primary(splits)
    images = distinct_images({split.name: split.images() for split in primary})
    models = combined_models(splits, primary, images)
    complete = [model for model in models if model.primary is not None]
    if not complete:
        raise CliprpnError(
            "bad_input", "expected a model with answers on all of the primary endpoint, found none"
        )
    compared = [model for model in complete if not model.is_upper_bound] or complete
    is_on_val = all(model.on_val is not None for model in models)
    # Where val is part of the primary endpoint, its figures chose the best, too.
    are_val = [split.params.split == "val" for split in primary]
    is_chosen_here = not is_on_val or any(are_val)
    measurements = [model.primary for model in compared if model.primary is not None]
    comparisons = combined_comparisons(compared, splits, params, is_chosen_here)
    of_best = [each for each in comparisons if each.label == compared[0].label]
    contenders = [
        Contender(model.label, model.primary.mean, model.kind == "cliprpn" and model.num_runs < 2)
        for model in compared
        if model.primary is not None
    ]
    return Combined(
        schema_version=1,
        confidence=level,
        smallest_difference=params.smallest_difference,
        baseline=params.baseline,
        num_images=images.num,
        endpoints=[_endpoint(split, split in primary) for split in splits],
        settings=[_setting(model, splits, level) for model in models],
        comparisons=comparisons,
        optimism=optimism(measurements, resample_weights(images.num))
        if (not is_on_val or all(are_val)) and len(measurements) > 1
        else None,
        selection="val" if is_on_val else "primary",
        verdict=decide(contenders, of_best, images.num, params.alpha, params.smallest_difference, []),
        notes=images.notes or None,
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


def _primary(splits: Sequence[CombinedSplit]) -> list[CombinedSplit]:
    """The declared splits with enough images; if none has enough, all that are declared."""
    declared = [split for split in splits if split.params.in_primary] or list(splits)
    return [split for split in declared if split.table.groups.num_images >= MIN_IMAGES] or declared


def _endpoint(split: CombinedSplit, in_primary: bool) -> Endpoint:
    return Endpoint(
        name=split.name,
        dataset_name=split.params.dataset.name,
        split=split.params.split,
        num_sentences=len(split.table.sent_id),
        num_images=split.table.groups.num_images,
        in_primary=in_primary,
    )


def _setting(model: CombinedModel, splits: Sequence[CombinedSplit], level: float) -> CombinedSetting:
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
