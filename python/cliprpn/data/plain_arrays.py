"""Reads NumPy arrays and torch tensors from pickles as lists of numbers, without importing or calling anything."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from cliprpn.data.plain_unpickler import PlainUnpickler

MAX_NUMBERS = 100_000
BYTES_PER_NUMBER = 40
DTYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")
STORAGE_DTYPES = {
    "torch.HalfStorage": "f2",
    "torch.FloatStorage": "f4",
    "torch.DoubleStorage": "f8",
    "torch.ByteStorage": "u1",
    "torch.CharStorage": "i1",
    "torch.ShortStorage": "i2",
    "torch.IntStorage": "i4",
    "torch.LongStorage": "i8",
}
RECONSTRUCT = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
SCALAR = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2"
KNOWN = (
    *RECONSTRUCT,
    *SCALAR,
    *STORAGE_DTYPES,
    *("numpy.ndarray", "numpy.dtype", "_codecs.encode", REBUILD_TENSOR, "collections.OrderedDict"),
)


@dataclass(frozen=True)
class _Name:
    """Stands for a constructor that a pickle names."""

    name: str


@dataclass
class _DType:
    code: str


@dataclass(frozen=True)
class _Storage:
    numbers: np.ndarray


class _Array(list[Any]):
    """The numbers of an array, nested as its dimensions are."""


class ArrayUnpickler(PlainUnpickler):
    """Also accepts NumPy's arrays and numbers, and torch's tensors.

    Args:
        read_storage: the bytes of a tensor storage by its key, of at most this many bytes; None if there are none.
    """

    def __init__(
        self, stream: BinaryIO, path: Path, read_storage: Callable[[str, int], bytes] | None = None
    ) -> None:
        super().__init__(stream, path)
        self._read_storage = read_storage
        self._storages: dict[str, _Storage] = {}
        self._names = {name: _Name(name) for name in KNOWN}

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in for a known constructor; every other name is rejected."""
        return self._names.get(f"{module}.{name}") or super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """The numbers of a tensor."""
        if self._read_storage is None or not isinstance(pid, tuple) or len(pid) != 5 or pid[0] != "storage":
            self.reject("a persistent id")
        _, kind, key, _, num = pid
        dtype = STORAGE_DTYPES.get(kind.name) if isinstance(kind, _Name) else None
        if dtype is None or not isinstance(key, str) or not isinstance(num, int) or num < 0:
            self.reject("a tensor of another type than numbers")
        if key not in self._storages:
            size = num * np.dtype(dtype).itemsize
            self.spend(size)
            data = self._read_storage(key, size)
            if len(data) != size:
                self.reject(f"a tensor of {len(data)} bytes where {size} are expected")
            self._storages[key] = _Storage(np.frombuffer(data, f"<{dtype}"))
        return self._storages[key]

    def load_reduce(self) -> None:
        """Builds a value of a known kind."""
        args = self.stack.pop()
        function = self.stack[-1]
        if not isinstance(function, _Name) or type(args) is not tuple:
            self.reject("an object that is built when loaded")
        self.stack[-1] = self._build(function.name, args)

    def load_build(self) -> None:
        """Sets the numbers of an array, or the byte order of a type of numbers."""
        state = self.stack.pop()
        target = self.stack[-1]
        if (
            isinstance(target, _DType)
            and type(state) is tuple
            and len(state) >= 2
            and state[1] in ("<", ">", "|", "=")
        ):
            target.code = target.code[-2:] if state[1] in ("|", "=") else f"{state[1]}{target.code[-2:]}"
        elif isinstance(target, _Array) and type(state) is tuple and len(state) == 5:
            _, shape, dtype, is_fortran, data = state
            target[:] = self._numbers(data, dtype, shape, "F" if is_fortran is True else "C")
        else:
            self.reject("an object that is built when loaded")

    def spend(self, num_bytes: int) -> None:
        """Counts memory that is allocated."""
        self.memory_left -= num_bytes
        if self.memory_left < 0:
            self.reject("more numbers than a file of this size can hold")

    def _build(self, name: str, args: tuple[Any, ...]) -> Any:
        if name in RECONSTRUCT:
            self.spend(BYTES_PER_NUMBER)
            return _Array()
        if name == "numpy.dtype" and args and args[0] in DTYPES:
            return _DType(args[0])
        if name in SCALAR and len(args) == 2:
            return self._numbers(args[1], args[0], (), "C")
        if name == "_codecs.encode" and len(args) == 2 and args[1] == "latin1" and isinstance(args[0], str):
            self.spend(len(args[0]))
            return args[0].encode("latin1")
        if name == "collections.OrderedDict" and not args:
            return {}
        if name == REBUILD_TENSOR and len(args) >= 4:
            return self._tensor(*args[:4])
        self.reject(f"{name} with other values than numbers")

    def _numbers(self, data: Any, dtype: Any, shape: Any, order: Any) -> Any:
        """Nested lists of numbers from bytes; Python 2 wrote these as text."""
        content = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        if not isinstance(dtype, _DType) or not isinstance(content, bytes) or not self._is_shape(shape):
            self.reject("an array of other values than numbers")
        numbers = np.frombuffer(content, dtype.code)
        self.spend(BYTES_PER_NUMBER * numbers.size)
        return numbers.reshape(shape, order=order).tolist()

    def _tensor(self, storage: Any, offset: Any, shape: Any, strides: Any) -> Any:
        if not isinstance(storage, _Storage) or not self._is_shape(shape) or not self._is_shape(strides):
            self.reject("a tensor of other values than numbers")
        positions = np.array(offset)
        if positions.dtype.kind != "i" or positions.shape != () or len(shape) != len(strides):
            self.reject("a broken tensor")
        for length, stride in zip(shape, strides, strict=True):
            positions = positions[..., None] + np.arange(length) * stride
        if positions.size and not 0 <= positions.min() <= positions.max() < storage.numbers.size:
            self.reject("a tensor that reaches outside its numbers")
        self.spend(BYTES_PER_NUMBER * positions.size)
        return storage.numbers[positions].tolist()

    def _is_shape(self, shape: Any) -> bool:
        """Whether these are a few numbers that are no larger than the arrays of annotations."""
        if type(shape) is not tuple or len(shape) > 4:
            return False
        if not all(type(length) is int and 0 <= length <= MAX_NUMBERS for length in shape):
            return False
        size = 1
        for length in shape:
            size *= max(length, 1)
        return size <= MAX_NUMBERS


_DISPATCH: dict[int, Any] = PlainUnpickler.dispatch | {
    pickle.REDUCE[0]: ArrayUnpickler.load_reduce,
    pickle.BUILD[0]: ArrayUnpickler.load_build,
}
ArrayUnpickler.dispatch = _DISPATCH
