"""Whether a configuration was still improving at its last epoch."""

from __future__ import annotations

import pytest

from cliprpn.contract.generated import TrialGroup
from cliprpn.figures.rising import is_rising

UP, FLAT, DOWN = [0.3, 0.5, 0.6], [0.3, 0.6, 0.6], [0.3, 0.6, 0.5]


def group_of(*curves: list[float]) -> TrialGroup:
    trials = [
        {
            "trial_id": f"{seed:016x}",
            "seed": seed,
            "val_acc_at_50": max(curve, default=0.0),
            "val_acc_by_epoch": curve,
            "predictions_dir": "trial",
        }
        for seed, curve in enumerate(curves)
    ]
    values = {"label": "film", "kind": "cliprpn", "is_upper_bound": False, "num_planned_seeds": len(curves)}
    return TrialGroup.model_validate(values | {"trials": trials})


@pytest.mark.parametrize(
    ("curves", "detectable", "expected"),
    [
        ([UP, UP, UP], 0.1, True),
        ([UP, UP, DOWN], None, True),
        ([UP, DOWN], None, False),  # not in most seeds
        ([UP, UP, DOWN], 0.1, False),  # a mean gain of 3.3 points is below half of 10
        ([UP, UP, UP], 0.3, False),
        ([FLAT, FLAT], None, False),  # the best epoch came before
        ([[0.5], [0.6]], None, None),  # a single epoch says nothing
        ([[]], None, None),
    ],
)
def test_the_last_epoch_is_the_best_in_most_seeds_and_adds_more_than_half_of_what_can_be_detected(
    curves: list[list[float]], detectable: float | None, expected: bool | None
) -> None:
    assert is_rising(group_of(*curves), detectable) is expected
