"""What a part measures."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """A line of the results.

    Attributes:
        part: name of the part, for `--only`.
        what: what was measured.
        figures: by name, which ends with the unit: `epoch_s`, `peak_device_bytes`, `images_per_s`.
        notes: what a reader has to know about the figures.
        problem: why there are no figures; None if there are.
    """

    part: str
    what: str
    figures: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problem: str | None = None


class NotMeasuredError(Exception):
    """A part cannot measure: its time is too short, or the device has no such thing; the message says what it needs."""
