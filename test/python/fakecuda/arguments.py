"""Tensors among an operator's arguments. Faster than torch's pytree: arguments are tensors, or lists of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor


def tensors_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """All tensors among the arguments."""
    found = []
    for value in (*args, *kwargs.values()) if kwargs else args:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += [part for part in value if isinstance(part, Tensor)]
    return found


def replace_tensors(value: Any, replace: Callable[[Tensor], Any]) -> Any:
    """A value, list, tuple or dict of values, with its tensors replaced."""
    if isinstance(value, Tensor):
        return replace(value)
    if isinstance(value, dict):
        return {key: replace_tensors(part, replace) for key, part in value.items()}
    if isinstance(value, list):
        return [replace_tensors(part, replace) for part in value]
    if isinstance(value, tuple):
        return tuple(replace_tensors(part, replace) for part in value)
    return value
