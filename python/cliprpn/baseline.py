"""One trial of a baseline: boxes, CLIP's ranking of them, evaluation. Nothing is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cliprpn.contract.generated import BaselineSpec, CompletedOutcome
from cliprpn.errors import CliprpnError
from cliprpn.steps import Emit


def complete_baseline(
    spec: BaselineSpec, folder: Path, emit: Emit, should_stop: Callable[[], bool]
) -> CompletedOutcome:
    """Answers val; the folder gets the answers."""
    raise CliprpnError("internal", "baselines are being built")
