"""Reads a trial's spec of either kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from cliprpn.contract.generated import BaselineSpec, ClipRpnSpec

Spec = ClipRpnSpec | BaselineSpec
_SPEC: TypeAdapter[Spec] = TypeAdapter(Annotated[Spec, Field(discriminator="kind")])


def read_spec(path: Path) -> Spec:
    """Reads a file with a trial's full spec, as a run needs it.

    Raises:
        OSError, ValueError: the file is missing or invalid (pydantic's errors are ValueErrors).
    """
    return _SPEC.validate_json(path.read_text(), strict=True)
