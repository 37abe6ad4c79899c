"""State that a custom fusion keeps outside of parameters and buffers: what a checkpoint can contain, and what not.

Looks at the attributes of its modules and classes, and at the variables of its file. What has not changed since the
fusion was built needs no saving, whatever it is.
"""

from __future__ import annotations

import functools
import hashlib
import io
import pickle
import sys
import types
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from cliprpn.inference.build import custom_fusion_file
from cliprpn.trials.plain_state import CannotSaveError, Encoder, decode

# Of a module itself: parameters, buffers, hooks.
_OWN = frozenset(vars(nn.Module()))
# Code, of which the names and lines do not change.
_CODE = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MemberDescriptorType,
    staticmethod,
    classmethod,
    property,
    functools.cached_property,
    functools._lru_cache_wrapper,
)


class FusionState:
    """Of one fusion. Make it before the first step; for a fusion of the package, it is empty."""

    def __init__(self, fusion: nn.Module) -> None:
        self._fusion = fusion
        self._is_custom = custom_fusion_file(fusion) is not None
        self._initial = self._fingerprints()

    def dump(self) -> tuple[dict[str, Any], list[str]]:
        """What has changed, as plain values and tensors by place; and the places of what cannot be saved."""
        encoder = Encoder((*self._fusion.parameters(), *self._fusion.buffers()))
        saved: dict[str, Any] = {}
        values = dict(self._values())
        unsaved = [place for place in self._initial if place not in values]  # Loading removes nothing.
        for place, fingerprint in self._fingerprints().items():
            if fingerprint == self._initial.get(place):
                continue
            try:
                saved[place] = encoder.encode(values[place])
            except CannotSaveError:
                unsaved.append(place)
        return saved, unsaved

    def load(self, saved: dict[str, Any], device: torch.device) -> None:
        """Sets what `dump` returned.

        Raises:
            KeyError, TypeError, ValueError: it is of another fusion.
        """
        holders = self._holders()
        for place, encoded in saved.items():
            name, key = place.rsplit(".", 1)
            # By setattr, since the `vars` of a class cannot be changed.
            setattr(holders[name], key, decode(encoded, vars(holders[name]).get(key), device))

    def _fingerprints(self) -> dict[str, object]:
        """By place: equal for what has not changed, and unequal for what cannot be compared."""
        registered = {id(each) for _, each in _registered(self._fusion)}
        return {place: _fingerprint(value, registered) for place, value in self._values()}

    def _values(self) -> Iterator[tuple[str, Any]]:
        """All that may be state, with its place, such as `fusion.blocks.0.calls`."""
        for name, holder in self._holders().items():
            for key, value in list(vars(holder).items()):
                if not (key in _OWN or key.startswith("__") or isinstance(value, _CODE)):
                    yield f"{name}.{key}", value

    def _holders(self) -> dict[str, Any]:
        """The modules of a custom fusion, its classes and its file."""
        if not self._is_custom:
            return {}
        file = type(self._fusion).__module__
        modules = {
            f"fusion.{name}" if name else "fusion": each for name, each in self._fusion.named_modules()
        }
        classes = {each for module in modules.values() for each in type(module).__mro__}
        own = {f"class {each.__qualname__}": each for each in classes if each.__module__ == file}
        return {**modules, **dict(sorted(own.items())), "file": sys.modules[file]}


def _registered(fusion: nn.Module) -> Iterator[tuple[str, object]]:
    """What is saved elsewhere, wherever else it is referred to."""
    yield from fusion.named_modules()
    yield from fusion.named_parameters()
    yield from fusion.named_buffers()


def _fingerprint(value: Any, registered: set[int]) -> object:
    buffer = io.BytesIO()
    try:
        _Pickler(buffer, registered).dump(value)
    except Exception:  # noqa: BLE001 - objects of a person's classes may raise anything
        return object()
    return hashlib.sha256(buffer.getbuffer()).digest()


class _Pickler(pickle.Pickler):
    """Writes the content of tensors and generators; of code and of what is saved elsewhere, only which it is."""

    def __init__(self, buffer: io.BytesIO, registered: set[int]) -> None:
        super().__init__(buffer)
        self._registered = registered

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, _CODE) or id(value) in self._registered:
            return id(value)
        if isinstance(value, Tensor):
            content = value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
            return str(value.dtype), str(value.device), [*value.shape], content
        if isinstance(value, torch.Generator):
            return value.get_state().numpy().tobytes()
        return None
