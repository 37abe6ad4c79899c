"""The unpickler itself: which words of a pickle are heard, how, and at what cost at most."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from cliprpn.errors import CliprpnError

MAX_NUMBER_CHARS = 4096
MAX_SHARED_CHARS = 1000
# Python's own pickler ends at its recursion limit of 1,000.
MAX_OPEN_MARKS = 10_000
# Of empty containers and references. Measured: refs take 4 to 7 bytes for one of the file, TransVG's rows 12 to 22;
# a hostile file can ask for 216.
BASE_MEMORY = 2**26
MEMORY_PER_BYTE = 64
MAX_MEMORY = 2**32

Load = Callable[["PlainUnpickler"], None]


class PlainUnpickler(pickle._Unpickler):
    """Refuses every class and function by name, before anything of it is imported.

    It is the standard library's unpickler in Python, not the one in C: there, one wrong byte in a memo's number
    asks for gigabytes and minutes. RefCOCOg's 95,010 sentences take it a few seconds, once.
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
        self.shares = False  # Whether a container or a long text comes more than once.
        start = stream.tell()
        size = stream.seek(0, io.SEEK_END) - start
        stream.seek(start)
        self.memory_left = min(BASE_MEMORY + MEMORY_PER_BYTE * size, MAX_MEMORY)

    def find_class(self, module: str, name: str) -> NoReturn:
        named = repr(f"{module}.{name}"[:200])[1:-1]
        self.refuse(f"{named}, which could run code when loaded")

    def persistent_load(self, pid: Any) -> NoReturn:
        self.refuse("a persistent id")

    def refuse(self, found: str) -> NoReturn:
        raise CliprpnError(
            "data_invalid", f"{self.path}: expected plain containers, strings and numbers, found {found}"
        )

    def check_key(self, key: Any) -> None:
        """Nested tuples take for ever to hash, and large numbers can be made to collide."""
        if key is None or isinstance(key, str | bytes | float) or (isinstance(key, int) and abs(key) < 2**63):
            return
        self.refuse(f"a key of type {type(key).__name__}, where text or a number of 64 bits is expected")

    def load_mark(self) -> None:
        if len(self.metastack) >= MAX_OPEN_MARKS:
            self.refuse(f"more than {MAX_OPEN_MARKS:,} containers in one another")
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
            self.refuse(f"a number of {size} bytes")
        self.append(pickle.decode_long(self.read(size)))

    def _top(self, kind: type) -> Any:
        """What is filled: on anything else, the same words could mean a method of it."""
        top = self.stack[-1]
        if type(top) is not kind:
            self.refuse(f"a {type(top).__name__} filled like a {kind.__name__}")
        return top

    def _set_all(self, values: dict[Any, Any], items: list[Any]) -> None:
        for place in range(0, len(items), 2):
            self.check_key(items[place])
            values[items[place]] = items[place + 1]


def _counted(load: Load, cost: int) -> Load:
    """What takes far more memory than the file has bytes for it, up to a limit."""

    def counted(unpickler: PlainUnpickler) -> None:
        unpickler.memory_left -= cost
        if unpickler.memory_left < 0:
            unpickler.refuse("more empty containers and references than a file of its size has")
        load(unpickler)

    return counted


def _short_line(load: Load) -> Load:
    """A number that is written out, at a length that is one's."""

    def checked(unpickler: PlainUnpickler) -> None:
        readline = unpickler.readline
        line = readline()
        if len(line) > MAX_NUMBER_CHARS:
            unpickler.refuse(f"a number of {len(line)} characters")
        unpickler.readline = lambda: line
        try:
            load(unpickler)
        finally:
            unpickler.readline = readline

    return checked


def _sharing(load: Load) -> Load:
    """What was read before and comes again."""

    def noticed(unpickler: PlainUnpickler) -> None:
        load(unpickler)
        value = unpickler.stack[-1]
        if not isinstance(value, str) or len(value) > MAX_SHARED_CHARS:
            unpickler.shares = True

    return noticed


def _refused(words: str) -> Load:
    def refuse(unpickler: PlainUnpickler) -> None:
        unpickler.refuse(words)

    return refuse


# Bytes of memory for each of these words, which take a few bytes of the file.
COSTS = {
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
AGAIN = (pickle.GET, pickle.BINGET, pickle.LONG_BINGET, pickle.DUP)
WRITTEN_NUMBERS = (pickle.INT, pickle.LONG, pickle.FLOAT, pickle.PUT, pickle.GET)
REFUSED = {
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


def _dispatch() -> dict[int, Any]:
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
    table |= {word[0]: _counted(table[word[0]], cost) for word, cost in COSTS.items()}
    table |= {word[0]: _short_line(table[word[0]]) for word in WRITTEN_NUMBERS}
    table |= {word[0]: _sharing(table[word[0]]) for word in AGAIN}
    table |= {word[0]: _refused(found) for found, words in REFUSED.items() for word in words}
    return table


PlainUnpickler.dispatch = _dispatch()
