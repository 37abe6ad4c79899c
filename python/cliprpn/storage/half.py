"""Half precision, or a clear error."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cliprpn.errors import CliprpnError

LARGEST = torch.finfo(torch.float16).max


def to_half(values: Tensor, what: str) -> np.ndarray:
    """The values as float16 on the CPU.

    Args:
        what: names the values in the error: "the map of image 12 to 75".

    Raises:
        CliprpnError: weights_mismatch, when a value is NaN or beyond float16's range.
    """
    largest = values.abs().max()
    if not largest <= LARGEST:  # Also true for NaN.
        raise CliprpnError(
            "weights_mismatch",
            f"{what}: expected features within +-{LARGEST:.0f} (half precision), found {largest.item():g}; "
            "these weights do not fit the backbone, or the backbone its images",
        )
    return values.half().cpu().numpy()
