"""Objects as plain values and tensors, which a file of a checkpoint may contain without any code."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

_PLAIN = (type(None), bool, int, float, str, bytes)
_SEQUENCES: dict[str, Any] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


class CannotSaveError(Exception):
    """An object of another type, one that two places share, or a tensor that is trained."""


class Encoder:
    """Encodes values of which no two share an object: they would not do so any more after they were loaded.

    Args:
        others: tensors whose memory no value may share.
    """

    def __init__(self, others: Iterable[Tensor]) -> None:
        self._addresses = {tensor.untyped_storage().data_ptr() for tensor in others}
        # By id, which no other object gets as long as they exist.
        self._seen: dict[int, Any] = {}

    def encode(self, value: Any) -> Any:
        """A plain value as it is, and `[type, ...]` for others.

        Raises:
            CannotSaveError
        """
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind not in (tuple, frozenset):
            if id(value) in self._seen:
                raise CannotSaveError
            self._seen[id(value)] = value
        if isinstance(value, Tensor):
            return self._encode_tensor(value)
        if kind in _SEQUENCES.values():
            return [kind.__name__, [self.encode(each) for each in value]]
        if kind is dict:
            return ["dict", [[self.encode(key), self.encode(each)] for key, each in value.items()]]
        if kind is deque:
            return ["deque", [self.encode(each) for each in value], value.maxlen]
        if kind is np.ndarray and value.dtype.kind in "biuf":
            return ["array", torch.from_numpy(value.copy())]
        return self._encode_generator(value)

    def _encode_tensor(self, value: Tensor) -> Any:
        address = value.untyped_storage().data_ptr()
        # A tensor that is trained would come back as one that is not.
        is_trained = value.requires_grad and value.is_leaf
        if is_trained or (address != 0 and address in self._addresses):
            raise CannotSaveError
        self._addresses.add(address)
        return ["tensor", value.detach().cpu(), value.device.type == "cpu"]

    def _encode_generator(self, value: Any) -> Any:
        """A random generator by its state."""
        if isinstance(value, torch.Generator):
            return ["torch.Generator", value.get_state(), value.device.type == "cpu"]
        if type(value) is np.random.Generator:
            return ["numpy.Generator", self.encode(value.bit_generator.state)]
        if type(value) is np.random.RandomState:
            return ["numpy.RandomState", self.encode(value.get_state(legacy=False))]
        if type(value) is random.Random:
            return ["random.Random", self.encode(value.getstate())]
        raise CannotSaveError


def decode(encoded: Any, current: Any, device: torch.device) -> Any:
    """The value that `Encoder` encoded.

    Args:
        current: the value that it replaces; a random generator stays, and gets the state.
        device: of tensors and generators that were not on the CPU.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    if type(encoded) in _PLAIN:
        return encoded
    kind, content, *rest = encoded
    if kind in _SEQUENCES:
        return _SEQUENCES[kind](decode(each, None, device) for each in content)
    if kind == "dict":
        return {decode(key, None, device): decode(each, None, device) for key, each in content}
    if kind == "deque":
        return deque((decode(each, None, device) for each in content), *rest)
    if kind == "array":
        return content.numpy()
    if kind == "tensor":
        return content if rest[0] else content.to(device)
    return _decode_generator(kind, content, rest, current, device)


def _decode_generator(kind: str, content: Any, rest: list[Any], current: Any, device: torch.device) -> Any:
    if kind == "torch.Generator":
        place = torch.device("cpu") if rest[0] else device
        generator = current if isinstance(current, torch.Generator) else torch.Generator(place)
        generator.set_state(content)
        return generator
    state = decode(content, None, device)
    if kind == "numpy.Generator":
        if type(current) is not np.random.Generator:
            current = np.random.Generator(getattr(np.random, state["bit_generator"])())
        current.bit_generator.state = state
        return current
    if kind == "numpy.RandomState":
        current = current if type(current) is np.random.RandomState else np.random.RandomState()
        current.set_state(state)
        return current
    if kind == "random.Random":
        current = current if type(current) is random.Random else random.Random()
        current.setstate(state)
        return current
    raise ValueError(f"expected a type of state, found {kind!r}")
