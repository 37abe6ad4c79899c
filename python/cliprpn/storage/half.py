"""Half precision, with a range check that does not wait for the device."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from cliprpn.errors import CliprpnError

LARGEST = torch.finfo(torch.float16).max


def to_half(values: Tensor) -> tuple[Tensor, Tensor]:
    """The values as float16, and what `check_range` needs; both on the device.

    Args:
        values: [N, ...].

    Returns:
        float16 [N, ...], contiguous; and [N], the largest magnitude of each row, NaN if it contains one.
    """
    half = values.to(torch.float16, memory_format=torch.contiguous_format)
    return half, values.abs().amax(dim=tuple(range(1, values.dim())))


def check_range(largest: np.ndarray, name_of: Callable[[int], str]) -> None:
    """Checks that values were finite and within float16's range.

    Args:
        largest: [N], from `to_half`.
        name_of: names a row in the error, such as "the map of a.jpg".

    Raises:
        CliprpnError: weights_mismatch, naming the first row with a value that is NaN or out of range.
    """
    wrong = np.flatnonzero(~(largest <= LARGEST))  # Also true for NaN.
    if len(wrong) > 0:
        raise CliprpnError(
            "weights_mismatch",
            f"{name_of(int(wrong[0]))}: expected features within +-{LARGEST:.0f} (half precision), found "
            f"{largest[wrong[0]]:g}; the weights may not belong to this backbone",
        )
