"""What a check found, in one line."""

from __future__ import annotations

from collections.abc import Sequence

from cliprpn.contract.generated import PreflightFigure, PreflightFinding


def passed(found: str, figures: Sequence[PreflightFigure] = ()) -> PreflightFinding:
    """The finding of a check that passes."""
    return PreflightFinding(status="passed", found=found, fix=None, figures=list(figures))


def failed(found: str, fix: str, figures: Sequence[PreflightFigure] = ()) -> PreflightFinding:
    """The finding of a check that fails.

    Args:
        found: what was expected and what was found.
        fix: what to do.
    """
    return PreflightFinding(status="failed", found=found, fix=fix, figures=list(figures))


def not_checked(found: str, figures: Sequence[PreflightFigure] = ()) -> PreflightFinding:
    """The finding of a check that cannot tell.

    Args:
        found: why, and what was measured in spite of it.
    """
    return PreflightFinding(status="not_checked", found=found, fix=None, figures=list(figures))


def figure(
    name: str, value: float, unit: str = "", low: float | None = None, high: float | None = None
) -> PreflightFigure:
    """A measured number and the range that passes, both ends included.

    Args:
        low, high: None for no limit.
    """
    return PreflightFigure(name=name, value=value, unit=unit, low=low, high=high)
