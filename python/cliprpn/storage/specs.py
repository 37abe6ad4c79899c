"""Reads a trial's spec of either kind."""

from __future__ import annotations

from pathlib import Path

from cliprpn.contract.generated import BaselineSpec, ClipRpnSpec, TrialSpec

Spec = ClipRpnSpec | BaselineSpec


def read_spec(path: Path) -> Spec:
    """Reads a trial's spec.json.

    Raises:
        OSError, ValueError: the file is missing or invalid (pydantic's errors are ValueErrors).
    """
    return TrialSpec.model_validate_json(path.read_text(), strict=True).root
