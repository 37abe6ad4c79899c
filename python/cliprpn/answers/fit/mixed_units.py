"""A few boxes in another unit than the rest."""

from __future__ import annotations

import numpy as np

from cliprpn.answers.coordinates.coordinates import coordinates_text
from cliprpn.answers.fit.box_table import BoxTable
from cliprpn.answers.fit.fit import Fit
from cliprpn.answers.fit.readings import NORM_LIMIT

MIN_BOXES = 3
# Normalized boxes may extend beyond their images, but not by so much.
MAX_NORMALIZED = 2.0


def mixed_units(table: BoxTable) -> Fit | None:
    """A model that sometimes answers in normalized coordinates, and sometimes in others: all are read as said."""
    largest = np.abs(table.boxes).max(axis=1)
    is_other = largest > MAX_NORMALIZED if table.unit == "norm" else largest <= NORM_LIMIT
    num = int(is_other.sum())
    if num < MIN_BOXES:
        return None
    found = "numbers above 2" if table.unit == "norm" else "no number above 1"
    what = f"{num:,} of {table.num:,} boxes have {found}, and are read as {coordinates_text(table.said)} all the same"
    return Fit(what, False, int(np.argmax(is_other)))
