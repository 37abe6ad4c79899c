"""Converts tensors to half precision, with a range check."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cliprpn.errors import CliprpnError

LARGEST = torch.finfo(torch.float16).max


def to_half(values: Tensor, name: str) -> np.ndarray:
    """The values as float16 on the CPU.

    Args:
        name: names the values in the error, such as "the maps of images 12 to 75".

    Raises:
        CliprpnError: weights_mismatch, if a value is NaN or out of float16's range.
    """
    largest = values.abs().max()
    if not largest <= LARGEST:  # Also true for NaN.
        raise CliprpnError(
            "weights_mismatch",
            f"{name}: expected features within +-{LARGEST:.0f} (half precision), found {largest.item():g}; "
            "the weights may not belong to this backbone",
        )
    return values.half().cpu().numpy()
