"""Whether a configuration was still improving at its last epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cliprpn.contract.generated import Comparison, SettingSummary, TrialGroup


def add_rising(
    settings: Sequence[SettingSummary], groups: Sequence[TrialGroup], comparisons: Sequence[Comparison]
) -> list[SettingSummary]:
    """The settings with `still_rising`.

    Args:
        groups: the trials of each setting, in the same order.
    """
    return [
        setting.model_copy(update={"still_rising": is_rising(group, _detectable(setting.label, comparisons))})
        for setting, group in zip(settings, groups, strict=True)
    ]


def is_rising(group: TrialGroup, detectable: float | None) -> bool | None:
    """Whether the best epoch is the last one in most seeds, and its mean gain is above half the detectable difference.

    Args:
        detectable: difference of Acc@0.5; None if nothing is compared, and any gain counts.
    """
    curves = [trial.val_acc_by_epoch for trial in group.trials if len(trial.val_acc_by_epoch) > 1]
    if not curves:
        return None
    at_end = [max(curve) == curve[-1] > max(curve[:-1]) for curve in curves]
    gain = float(np.mean([curve[-1] - curve[-2] for curve in curves]))
    return sum(at_end) * 2 > len(curves) and gain > (detectable or 0) / 2


def _detectable(label: str, comparisons: Sequence[Comparison]) -> float | None:
    """The smallest difference that can be detected between this configuration and another."""
    values = [
        each.detectable
        for each in comparisons
        if label in (each.label, each.against) and each.detectable is not None
    ]
    return min(values, default=None)
