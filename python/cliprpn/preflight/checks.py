"""The checks by name, each a function of a trial, a folder for temporary files and the context."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cliprpn.contract.generated import PreflightFinding
from cliprpn.preflight.weights import check_weights
from cliprpn.run_context import RunContext
from cliprpn.storage.specs import Spec

CHECKS: dict[str, Callable[[Spec, Path, RunContext], PreflightFinding]] = {
    "weights": lambda spec, scratch, context: check_weights(spec.backbone),
}
