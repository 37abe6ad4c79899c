"""An unpickler for plain values only: permitted opcodes, checked arguments, bounded memory."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from cliprpn.errors import CliprpnError

MAX_NUMBER_CHARS = 4096
MAX_SHARED_CHARS = 1000
# Python's own pickler stops at its recursion limit of 1,000.
MAX_OPEN_MARKS = 10_000
# Memory for empty containers and references. Measured: refs files need 4 to 7 bytes per byte of the file, TransVG's
# 12 to 22; a malicious file could need 216.
BASE_MEMORY = 2**26
MEMORY_PER_BYTE = 64
MAX_MEMORY = 2**32

Load = Callable[["PlainUnpickler"], None]


class PlainUnpickler(pickle._Unpickler):
    """Rejects every class and function, by name, before anything is imported.

    Based on the standard library's pure-Python unpickler: in the C one, a single wrong byte in a memo index allocates
    gigabytes. RefCOCOg's 95,010 sentences take it a few seconds, once.
    """

    stack: list[Any]
    metastack: list[list[Any]]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    readline: Callable[[], bytes]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        super().__init__(stream, encoding="utf-8", errors="surrogateescape")
        self.path = path
        self.has_shared_values = False  # Whether a container or a long text occurs more than once.
        start = stream.tell()
        size = stream.seek(0, io.SEEK_END) - start
        stream.seek(start)
        self.memory_left = min(BASE_MEMORY + MEMORY_PER_BYTE * size, MAX_MEMORY)

    def find_class(self, module: str, name: str) -> NoReturn:
        class_name = repr(f"{module}.{name}"[:200])[1:-1]
        self.reject(f"{class_name}, which could run code when loaded")

    def persistent_load(self, pid: Any) -> NoReturn:
        self.reject("a persistent id")

    def reject(self, found: str) -> NoReturn:
        raise CliprpnError(
            "data_invalid", f"{self.path}: expected plain containers, strings and numbers, found {found}"
        )

    def check_key(self, key: Any) -> None:
        """Rejects keys that are slow to hash: tuples may be nested, and large integers can be chosen to collide."""
        if key is None or isinstance(key, str | bytes | float) or (isinstance(key, int) and abs(key) < 2**63):
            return
        self.reject(f"a key of type {type(key).__name__}, where text or a number of 64 bits is expected")

    def load_mark(self) -> None:
        if len(self.metastack) >= MAX_OPEN_MARKS:
            self.reject(f"more than {MAX_OPEN_MARKS:,} nested containers")
        super().load_mark()  # type: ignore[misc]

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.check_key(key)
        self._top(dict)[key] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        self._set_all(self._top(dict), items)

    def load_dict(self) -> None:
        items = self.pop_mark()
        values: dict[Any, Any] = {}
        self._set_all(values, items)
        self.append(values)

    def load_additems(self) -> None:
        items = self.pop_mark()
        for item in items:
            self.check_key(item)
        self._top(set).update(items)

    def load_frozenset(self) -> None:
        items = self.pop_mark()
        for item in items:
            self.check_key(item)
        self.append(frozenset(items))

    def load_append(self) -> None:
        value = self.stack.pop()
        self._top(list).append(value)

    def load_appends(self) -> None:
        items = self.pop_mark()
        self._top(list).extend(items)

    def load_long4(self) -> None:
        size = int.from_bytes(self.read(4), "little", signed=True)
        if not 0 <= size <= MAX_NUMBER_CHARS:
            self.reject(f"a number of {size} bytes")
        self.append(pickle.decode_long(self.read(size)))

    def _top(self, kind: type) -> Any:
        """The container to fill. Its exact type is checked, since these opcodes call methods of it."""
        top = self.stack[-1]
        if type(top) is not kind:
            self.reject(f"a {type(top).__name__} used as a {kind.__name__}")
        return top

    def _set_all(self, values: dict[Any, Any], items: list[Any]) -> None:
        for key, value in zip(items[::2], items[1::2], strict=True):
            self.check_key(key)
            values[key] = value


def _with_memory_limit(load: Load, cost: int) -> Load:
    """For opcodes that allocate far more memory than their bytes in the file."""

    def load_within_limit(unpickler: PlainUnpickler) -> None:
        unpickler.memory_left -= cost
        if unpickler.memory_left < 0:
            unpickler.reject("more empty containers and references than a file of this size can hold")
        load(unpickler)

    return load_within_limit


def _with_length_limit(load: Load) -> Load:
    """For opcodes that read a number as text."""

    def load_short(unpickler: PlainUnpickler) -> None:
        readline = unpickler.readline
        line = readline()
        if len(line) > MAX_NUMBER_CHARS:
            unpickler.reject(f"a number of {len(line)} characters")
        unpickler.readline = lambda: line
        try:
            load(unpickler)
        finally:
            unpickler.readline = readline

    return load_short


def _with_sharing_noted(load: Load) -> Load:
    """For opcodes that repeat an earlier value."""

    def load_and_note(unpickler: PlainUnpickler) -> None:
        load(unpickler)
        value = unpickler.stack[-1]
        if not isinstance(value, str) or len(value) > MAX_SHARED_CHARS:
            unpickler.has_shared_values = True

    return load_and_note


def _rejected(description: str) -> Load:
    def reject(unpickler: PlainUnpickler) -> None:
        unpickler.reject(description)

    return reject


# Bytes of memory for each of these opcodes, which take a few bytes in the file.
MEMORY_COSTS = {
    pickle.EMPTY_LIST: 64,
    pickle.LIST: 64,
    pickle.EMPTY_DICT: 64,
    pickle.DICT: 64,
    pickle.EMPTY_SET: 216,
    pickle.FROZENSET: 216,
    pickle.TUPLE: 64,
    pickle.TUPLE1: 64,
    pickle.TUPLE2: 64,
    pickle.TUPLE3: 64,
    pickle.PUT: 100,
    pickle.BINPUT: 100,
    pickle.LONG_BINPUT: 100,
    pickle.MEMOIZE: 100,
}
REPEATING_OPCODES = (pickle.GET, pickle.BINGET, pickle.LONG_BINGET, pickle.DUP)
TEXT_NUMBER_OPCODES = (pickle.INT, pickle.LONG, pickle.FLOAT, pickle.PUT, pickle.GET)
REJECTED_OPCODES = {
    "an object that is built when loaded": (
        pickle.REDUCE,
        pickle.BUILD,
        pickle.OBJ,
        pickle.NEWOBJ,
        pickle.NEWOBJ_EX,
    ),
    "a class named by an extension code": (pickle.EXT1, pickle.EXT2, pickle.EXT4),
    "a buffer of bytes": (pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER),
}


def _permitted_opcodes() -> dict[int, Any]:
    table: dict[int, Any] = dict(pickle._Unpickler.dispatch)
    table |= {
        pickle.MARK[0]: PlainUnpickler.load_mark,
        pickle.SETITEM[0]: PlainUnpickler.load_setitem,
        pickle.SETITEMS[0]: PlainUnpickler.load_setitems,
        pickle.DICT[0]: PlainUnpickler.load_dict,
        pickle.ADDITEMS[0]: PlainUnpickler.load_additems,
        pickle.FROZENSET[0]: PlainUnpickler.load_frozenset,
        pickle.APPEND[0]: PlainUnpickler.load_append,
        pickle.APPENDS[0]: PlainUnpickler.load_appends,
        pickle.LONG4[0]: PlainUnpickler.load_long4,
    }
    table |= {code[0]: _with_memory_limit(table[code[0]], cost) for code, cost in MEMORY_COSTS.items()}
    table |= {code[0]: _with_length_limit(table[code[0]]) for code in TEXT_NUMBER_OPCODES}
    table |= {code[0]: _with_sharing_noted(table[code[0]]) for code in REPEATING_OPCODES}
    table |= {code[0]: _rejected(name) for name, codes in REJECTED_OPCODES.items() for code in codes}
    return table


PlainUnpickler.dispatch = _permitted_opcodes()
