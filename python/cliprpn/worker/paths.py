"""Paths of an attempt on this machine, where folders may have other names than on the machine that runs the sweep."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from cliprpn.contract.generated import BaselineSpec, ClipRpnSpec, QueuedAttempt, QueuedPreparation

# What a pilot finds in a queue.
AnyQueued = TypeVar("AnyQueued", QueuedAttempt, QueuedPreparation)


class Roots:
    """Folders of the machine that runs the sweep, and what they are called on this one.

    Args:
        pairs: the one and the other. The longest one that a path begins with counts; of equal ones, the first.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        ends = [(there.rstrip("/"), here.rstrip("/")) for there, here in pairs]
        self._pairs = sorted(ends, key=lambda pair: len(pair[0]), reverse=True)

    def find(self, path: str) -> tuple[str, str] | None:
        """The pair that counts for a path; None if its folder has the same name here, as far as known."""
        return next((pair for pair in self._pairs if path == pair[0] or path.startswith(f"{pair[0]}/")), None)

    def here(self, path: str) -> str:
        """A path as this machine has it."""
        found = self.find(path)
        return path if found is None else found[1] + path[len(found[0]) :]

    def attempt_here(self, attempt: AnyQueued) -> AnyQueued:
        """An attempt with its paths as this machine has them. Its models name their weights as the other one does."""
        here = type(attempt).model_validate(self._replace(attempt.model_dump(exclude_unset=True)))
        if isinstance(attempt, QueuedAttempt) and isinstance(here, QueuedAttempt):
            weights = attempt.params.spec.backbone.weights
            if here.params.spec.backbone.weights != weights:
                here.params.recorded_weights = weights
        return here

    def missing(self, attempt: QueuedAttempt | QueuedPreparation) -> str | None:
        """What the attempt, as it was queued, needs and this machine lacks, for people; None if there is nothing."""
        if isinstance(attempt, QueuedAttempt):
            return self._missing_of(attempt.params.spec)
        found = (self._missing_of(part.trial) for part in attempt.params.spec.parts)
        return next((missing for missing in found if missing is not None), None)

    def _missing_of(self, spec: ClipRpnSpec | BaselineSpec) -> str | None:
        detector = None if spec.kind == "cliprpn" else spec.baseline.detector
        files = [spec.dataset.root, spec.backbone.weights, getattr(detector, "file", "")]
        for path in (path for path in files if path.startswith("/")):
            here = self.here(path)
            if Path(here).exists():
                continue
            if here != path:
                return (
                    f"{here}: expected {path} of the machine that runs the sweep, found nothing; correct where that "
                    "folder is on this machine: `roots` of engines/lab.json there, or --replace FROM=TO here"
                )
            return (
                f"{path}: expected this path of the machine that runs the sweep, found nothing here; share the "
                "folder, or say where it is: `roots` in engines/lab.json there, or --replace FROM=TO here"
            )
        return self._missing_root(spec.cache_dir)

    def _missing_root(self, folder: str) -> str | None:
        """A folder that is created if needed must be below a root that exists."""
        found = self.find(folder)
        if found is None or found[0] == found[1] or Path(found[1]).is_dir():
            return None
        return (
            f"{found[1]}: expected the folder {found[0]} of the machine that runs the sweep, found none; correct "
            "`roots` of engines/lab.json there, or --replace FROM=TO here"
        )

    def _replace(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._replace(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._replace(item) for item in value]
        return self.here(value) if isinstance(value, str) else value
