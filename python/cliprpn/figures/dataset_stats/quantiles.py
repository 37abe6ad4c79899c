"""How numbers are spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cliprpn.contract.generated import Quantiles

SHARES = {"min": 0, "p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "max": 1}


def quantiles(values: ArrayLike) -> Quantiles:
    """
    Args:
        values: [N], at least one.
    """
    numbers = np.asarray(values, dtype=np.float64)
    found = np.quantile(numbers, list(SHARES.values())).tolist()
    return Quantiles(**dict(zip(SHARES, found, strict=True)), mean=float(numbers.mean()))
