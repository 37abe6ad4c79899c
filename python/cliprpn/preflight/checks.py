"""The checks by name, each a function of a trial, a folder for temporary files and the context."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cliprpn.contract.generated import PreflightFinding
from cliprpn.preflight.crops import check_crops
from cliprpn.preflight.detections import check_detections
from cliprpn.preflight.overfit import check_overfit
from cliprpn.preflight.parity import check_parity
from cliprpn.preflight.weights import check_weights
from cliprpn.run_context import RunContext
from cliprpn.storage.specs import Spec

CHECKS: dict[str, Callable[[Spec, Path, RunContext], PreflightFinding]] = {
    "weights": lambda spec, scratch, context: check_weights(spec.backbone),
    "crops": check_crops,
    "overfit": check_overfit,
    "parity": check_parity,
    "baseline": check_detections,
}
