"""Loads plain values (containers, strings, numbers) from pickles and torch files without running code."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

from cliprpn.data.plain_unpickler import PlainUnpickler
from cliprpn.errors import CliprpnError

MAX_BYTES = 2**30


def load_plain(path: Path) -> Any:
    """The plain value in a pickle of any protocol, Python 2's included.

    Python 2's byte strings come as UTF-8 with other bytes escaped; `clean_text` ends the escape.

    Raises:
        CliprpnError: data_invalid, naming the class that the pickle asked for, or what is broken.
    """
    if path.stat().st_size > MAX_BYTES:
        raise CliprpnError("data_invalid", f"{path}: expected a pickle of at most {MAX_BYTES:,} bytes")
    return load_plain_from(io.BytesIO(path.read_bytes()), path)


def load_plain_from(stream: BinaryIO, path: Path) -> Any:
    """The next pickle of a stream, such as of a file that holds several.

    Args:
        path: named in the messages.
    """
    try:
        unpickler = PlainUnpickler(stream, path)
        value = unpickler.load()
        if unpickler.shares:  # Seldom: what was JSON once says each thing where it stands.
            refuse_endless(value, path)
        return value
    except CliprpnError:
        raise
    except Exception as error:
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected a pickle of plain values, found a broken one: "
            f"{type(error).__name__}: {str(error)[:200]}",
        ) from error


def clean_text(text: str) -> str:
    """Text that any encoder takes: bytes that were not UTF-8 are read as Latin-1, as Python 2 wrote them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("latin-1")
    return text


# First of the pickles in a file of torch before 1.6: this, a version, the system, the value.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def load_torch_plain(path: Path) -> Any:
    """The value of a `.pth` file of any torch, or of a plain pickle.

    Raises:
        CliprpnError: data_invalid, naming what is not plain: tensors, arrays, classes.
    """
    stream = io.BytesIO(_pickles(path))
    value = load_plain_from(stream, path)
    if value == LEGACY_MAGIC:
        for _ in range(3):
            value = load_plain_from(stream, path)
    return value


def _pickles(path: Path) -> bytes:
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            return _zipped_pickle(path)
    if path.stat().st_size > MAX_BYTES:
        raise CliprpnError("data_invalid", f"{path}: expected index rows of at most {MAX_BYTES:,} bytes")
    return path.read_bytes()


def _zipped_pickle(path: Path) -> bytes:
    """`<name>/data.pkl` of torch's zip, which is not compressed: what is has no business to be."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl")]
            if (
                len(found) != 1
                or found[0].compress_type != zipfile.ZIP_STORED
                or found[0].file_size > MAX_BYTES
            ):
                raise CliprpnError(
                    "data_invalid",
                    f"{path}: expected one data.pkl, not compressed, of at most {MAX_BYTES:,} bytes, as torch "
                    f"writes it, found {len(found)} in the zip",
                )
            return archive.read(found[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected torch's zip, found a broken one: {error}"
        ) from error


MAX_EXPANDED = 50_000_000


def refuse_endless(value: Any, path: Path) -> None:
    """
    Raises:
        CliprpnError: data_invalid, when a value holds itself, or has more entries than a file would have that
            wrote each of them out; text counts by its length.
    """
    sizes: dict[int, int | None] = {}  # By id; None while its parts are counted.
    open_values = [value]
    while open_values:
        top = open_values[-1]
        parts = _parts(top)
        if id(top) not in sizes:
            sizes[id(top)] = None
            for part in parts:
                if isinstance(part, list | tuple | dict):
                    if id(part) not in sizes:
                        open_values.append(part)
                    elif sizes[id(part)] is None:
                        raise _endless(path, "one that holds itself")
            continue
        open_values.pop()
        if sizes[id(top)] is None:
            size = 1 + sum(sizes.get(id(part)) or _leaf_size(part) for part in parts)
            if size > MAX_EXPANDED:
                raise _endless(path, f"one with more than {MAX_EXPANDED:,} entries when written out")
            sizes[id(top)] = size


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return list(value) if isinstance(value, list | tuple) else []


def _leaf_size(value: Any) -> int:
    return 1 + len(value) // 16 if isinstance(value, str | bytes | set | frozenset) else 1


def _endless(path: Path, found: str) -> CliprpnError:
    return CliprpnError("data_invalid", f"{path}: expected a value of plain rows, found {found}")
