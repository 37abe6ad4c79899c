"""The checks by name, each a function of a trial, a folder for temporary files, the context and a time limit."""

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

# The limit, in seconds, is for the training of `overfit`.
CHECKS: dict[str, Callable[[Spec, Path, RunContext, float], PreflightFinding]] = {
    "weights": lambda spec, scratch, context, limit_s: check_weights(spec.backbone),
    "crops": lambda spec, scratch, context, limit_s: check_crops(spec, scratch, context),
    "overfit": check_overfit,
    "parity": lambda spec, scratch, context, limit_s: check_parity(spec, scratch, context),
    "baseline": lambda spec, scratch, context, limit_s: check_detections(spec, scratch, context),
}
