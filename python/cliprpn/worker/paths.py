"""Paths of an attempt on this machine, where folders may have other names than on the machine that runs the sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cliprpn.contract.generated import QueuedAttempt

Replaced = Sequence[tuple[str, str]]


def with_local_paths(attempt: QueuedAttempt, replaced: Replaced) -> QueuedAttempt:
    """The attempt with other starts of its paths.

    Args:
        replaced: start of paths of the machine that runs the sweep, and what it is here; the first that fits counts.
    """
    pairs = [(old, new) for old, new in replaced if old != new]
    if not pairs:
        return attempt
    return QueuedAttempt.model_validate(_replace(attempt.model_dump(exclude_unset=True), pairs))


def missing_path(attempt: QueuedAttempt) -> str | None:
    """A path that the attempt reads and that does not exist here; None if there is none."""
    spec = attempt.params.spec
    paths = [spec.dataset.root, spec.backbone.weights]
    return next((path for path in paths if Path(path).is_absolute() and not Path(path).exists()), None)


def _replace(value: Any, replaced: Replaced) -> Any:
    if isinstance(value, dict):
        return {key: _replace(item, replaced) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace(item, replaced) for item in value]
    if not isinstance(value, str):
        return value
    for old, new in replaced:
        if value == old or value.startswith(f"{old}/"):
            return new + value[len(old) :]
    return value
