"""Whether a state_dict is one of a CLIP's architecture."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

ATTENTION_POOL = "visual.attnpool."
LOGIT_SCALE = "logit_scale"
NUM_SHOWN = 3


def check_clip_state(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Checks names, shapes and values before they are loaded.

    The attention pool may be missing as a whole, logit_scale too, and what BatchNorm counts.

    Args:
        state: the weights.
        expected: the architecture's state_dict.

    Raises:
        ValueError: with every kind of problem, and its first entries.
    """
    pool = [key for key in expected if key.startswith(ATTENTION_POOL)]
    has_pool = any(key in state for key in pool)
    missing = [key for key in expected if key not in state and not _may_be_missing(key, has_pool)]
    unknown = [key for key in state if key not in expected]
    shared = [key for key in expected if key in state]
    other_sizes = [key for key in shared if state[key].shape != expected[key].shape]
    shapes = [
        f"{key} of shape {list(state[key].shape)} instead of {list(expected[key].shape)}"
        for key in other_sizes
    ]
    floats = [key for key in shared if expected[key].is_floating_point()]
    others = [f"{key} of {state[key].dtype}" for key in floats if not state[key].is_floating_point()]
    # A small file can claim any size: values are read only of the right one.
    bad = [key for key in floats if key not in other_sizes and not torch.isfinite(state[key].float()).all()]
    problems = [
        f"{what} {_first(entries)}"
        for what, entries in (
            ("missing", missing),
            ("unknown", unknown),
            ("size mismatch:", shapes),
            ("no floating-point numbers:", others),
            ("NaN or infinite:", bad),
        )
        if entries
    ]
    if problems:
        raise ValueError("; ".join(problems))


def _may_be_missing(key: str, has_pool: bool) -> bool:
    is_pool = key.startswith(ATTENTION_POOL)
    return (is_pool and not has_pool) or key == LOGIT_SCALE or key.endswith(".num_batches_tracked")


def _first(entries: list[str]) -> str:
    more = len(entries) - NUM_SHOWN
    return ", ".join(entries[:NUM_SHOWN]) + (f" and {more} more" if more > 0 else "")
