"""Odd values, broken bytes and what a reader may do with them, for the tests of readers."""

from __future__ import annotations

import copy
import json
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cliprpn.contract.generated import RefcocoSource, RowsSource
from cliprpn.data.export import export_rows
from cliprpn.data.index import open_tables
from cliprpn.data.sources import read_source
from cliprpn.data.tables import write_tables
from cliprpn.errors import CliprpnError

MAX_SECONDS_PER_CASE = 120  # Only ends a case that hangs: one takes milliseconds.
MAX_MESSAGE_CHARS = 12_000
Source = RowsSource | RefcocoSource


class HangError(BaseException):
    """Not an Exception, so that no reader reports it as a broken file."""


def outcome(source: Source, folder: Path) -> str:
    """What is read can also be indexed and exported."""
    try:
        annotations = read_source(source).annotations
        write_tables(annotations, None, folder / "set")
        index = open_tables(folder / "set", "fuzz", None, annotations.box_format)
        num = export_rows(index, "jsonl", annotations.box_format, folder / "out.jsonl")
        export_rows(index, "coco", "xywh", folder / "out.json")
    except CliprpnError as error:
        assert error.code == "data_invalid", error.code
        assert 0 < len(error.message) < MAX_MESSAGE_CHARS
        assert all(char.isprintable() or char == "\n" for char in error.message), repr(error.message)
        return "rejected"
    assert num == len(annotations.sentences) > 0
    assert len(json.loads((folder / "out.json").read_bytes())["images"]) == len(annotations.images)
    return "read"


def fuzz(
    folder: Path,
    name: str,
    count: int,
    seed: int,
    read: Callable[[Path, random.Random], str],
    least: int = 40,
    share: float = 0,
) -> None:
    """Reads `count` cases; an AssertionError names the first that is not answered well, and keeps its folder.

    Args:
        read: writes a case into the folder, reads it, and says what became of it.
        least: number of cases from which on both outcomes must occur.
        share: of the cases that must have each outcome; it is exceeded.
    """
    outcomes = Counter[str]()
    for case in range(count):
        place = folder / str(case)
        place.mkdir()
        try:
            with time_limit():
                outcomes[read(place, random.Random(f"{seed} {name} {case}"))] += 1
        except BaseException as error:
            raise AssertionError(
                f"seed {seed}, case {case}: {place}: {type(error).__name__}: {error}"
            ) from error
        shutil.rmtree(place)
    # Otherwise the mutations are too strong or too weak.
    assert count < least or (len(outcomes) == 2 and min(outcomes.values()) > share * count), outcomes


@contextmanager
def time_limit() -> Iterator[None]:
    def ring(number: int, frame: object) -> None:
        raise HangError(f"more than {MAX_SECONDS_PER_CASE} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(MAX_SECONDS_PER_CASE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**30,
    0.1,
    1e308,
    float("nan"),
    float("-inf"),
    "",
    " ",
    "é" * 50,
    "\ud800",
    "\udcff",
    "a\0b",
    "\x1b[2J",
    "../x",
    "/x",
    "C:\\x",
    "train",
    "a" * 20_000,
    "1,2,3,4",
    [],
    {},
    [[]],
    [1, 2],
    [0, 0, 0, 0],
    [1e308, 1e308, 1e308, 1e308],
    ["a", None],
    {"sent": "a"},
    {"id": 1},
]


def odd(value: Any, rng: random.Random) -> Any:
    """A copy with one to three odd, missing or repeated values; unchanged in half of the cases."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice([0, 0, 0, 1, 2, 3])):
        places = list(places_of(value))
        if not places:
            break
        container, key = rng.choice(places)
        change = rng.choice([0, 1, 2, 3, 3, 3])
        if isinstance(container, tuple):
            continue
        if change == 0 and isinstance(container, dict):
            del container[key]
        elif change == 1 and isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        elif change == 2:
            other, other_key = rng.choice(places)
            container[key] = copy.deepcopy(other[other_key])
        else:  # Half of the time text replaces text, since other types are rejected early.
            alike = isinstance(container[key], str) and rng.random() < 0.5
            kinds = [value for value in ODD if isinstance(value, str)] if alike else ODD
            container[key] = copy.deepcopy(rng.choice(kinds))
    return value


def places_of(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in items:
        yield value, key
        if isinstance(part, list | tuple | dict):
            yield from places_of(part)


PIECES = [
    b"\x00",
    b"\xff",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b'"',
    b"{",
    b"[" * 3000,
    b"]" * 30,
    b"}",
    b",",
    b"\n",
    b"\r",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 5000,
    b"\\ud800",
    b"null",
    b"../",
    b"cos\nsystem\n",
    b"R",
    b"\x81",
    b"\x96" + b"\x7f" * 8,
    b"\x8b\xff\xff\xff\x7f",
    b"\x8d" + b"\x7f" * 8,
    b"2\x86" * 40,
    b"(" * 200,
    b"a" * 200_000,
    b"h\x01",
    b"PK\x03\x04",
]


def broken_bytes(content: bytes, rng: random.Random) -> bytes:
    """Unchanged in half of the cases; otherwise with bytes changed, removed, inserted, doubled or cut off."""
    data = bytearray(content)
    for _ in range(rng.choice([0, 0, 0, 1, 2, 5])):
        at = rng.choice([0, *(rng.randrange(len(data) + 1) for _ in range(6))])
        to = min(at + rng.choice([1, 2, 4, 20, 200]), len(data))
        changes: list[Callable[[], bytes]] = [
            lambda at=at, to=to: rng.randbytes(to - at),
            lambda at=at, to=to: bytes(byte ^ 1 << rng.randrange(8) for byte in data[at:to]),
            lambda: b"",
            lambda at=at, to=to: bytes(data[at:to]) * 2,
            lambda at=at, to=to: rng.choice(PIECES) + bytes(data[at:to]),
            lambda: rng.choice(PIECES),
        ]
        data[at:to] = rng.choice(changes)()
        if rng.random() < 0.1:
            del data[rng.randrange(len(data) + 1) :]
    return bytes(data)
