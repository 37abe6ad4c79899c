"""Loads plain values (containers, strings, numbers) from pickles and torch files without running any code."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cliprpn.data.plain_arrays import ArrayUnpickler
from cliprpn.data.plain_unpickler import PlainUnpickler
from cliprpn.errors import CliprpnError

MAX_PICKLE_BYTES = 2**30
MAX_ENTRIES = 50_000_000
# The first pickle in a file of torch before 1.6, which contains four: this number, a version, the system and the value.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
BROKEN_ZIP = (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, KeyError)
CONVERSION = (
    'If you trust the file (loading it may run code), convert it to plain lists: python -c "import torch; '
    "plain = lambda v: v.tolist() if hasattr(v, 'tolist') else [plain(x) for x in v] if isinstance(v, (list, tuple)) "
    "else v; torch.save(plain(torch.load('{name}', map_location='cpu', weights_only=False)), 'plain-{name}')\""
)
ReadStorage = Callable[[str, int], bytes]


def load_plain(path: Path) -> Any:
    """The plain value in a pickle of any protocol, including Python 2's.

    Python 2 byte strings are decoded as UTF-8 with other bytes escaped; `clean_text` decodes those.

    Raises:
        CliprpnError: data_invalid, naming the class that the pickle refers to, or what is broken.
    """
    if path.stat().st_size > MAX_PICKLE_BYTES:
        raise CliprpnError("data_invalid", f"{path}: expected a pickle of at most {MAX_PICKLE_BYTES:,} bytes")
    return _load_next(PlainUnpickler(io.BytesIO(path.read_bytes()), path))


def load_torch_plain(path: Path) -> Any:
    """The plain value in a file that torch.save of any version wrote, or in a plain pickle.

    NumPy arrays and tensors of numbers become lists; tensors only in torch's zip, which versions since 1.6 write.

    Raises:
        CliprpnError: data_invalid, naming what is not plain and how to convert the file.
    """
    content, storages = _read_pickles(path)
    stream = io.BytesIO(content)
    try:
        value = _load_next(ArrayUnpickler(stream, path, storages))
        if value == LEGACY_MAGIC:
            for _ in range(3):
                value = _load_next(ArrayUnpickler(stream, path))
    except CliprpnError as error:
        if error.code != "data_invalid" or "expected plain" not in error.message:
            raise
        raise CliprpnError("data_invalid", f"{error.message}. {CONVERSION.format(name=path.name)}") from error
    return value


def clean_text(text: str) -> str:
    """Text without escaped bytes: text that was not UTF-8 is decoded as Latin-1, which Python 2 wrote."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("latin-1")
    return text


def _load_next(unpickler: PlainUnpickler) -> Any:
    """The next pickle of a stream that may contain several."""
    path = unpickler.path
    try:
        value = unpickler.load()
        if unpickler.has_shared_values:  # Rare: data converted from JSON shares nothing.
            check_expanded_size(value, path)
        return value
    except CliprpnError:
        raise
    except Exception as error:
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected a pickle of plain values, found a broken one: "
            f"{type(error).__name__}: {str(error)[:200]}",
        ) from error


def _read_pickles(path: Path) -> tuple[bytes, ReadStorage | None]:
    """The pickles of a file, and how to read the tensors that lie beside them."""
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            return _read_zipped_pickle(path)
    if path.stat().st_size > MAX_PICKLE_BYTES:
        raise CliprpnError(
            "data_invalid", f"{path}: expected index rows of at most {MAX_PICKLE_BYTES:,} bytes"
        )
    return path.read_bytes(), None


def _read_zipped_pickle(path: Path) -> tuple[bytes, ReadStorage]:
    """`<name>/data.pkl` of torch's zip. Torch never compresses it, so a compressed one may be a zip bomb."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if entry.filename.endswith("/data.pkl")]
            if len(names) != 1:
                raise CliprpnError(
                    "data_invalid",
                    f"{path}: expected one data.pkl, as torch writes it, found {len(names)} in the zip",
                )
            folder = names[0].removesuffix("data.pkl")
            content = _read_stored(archive, names[0], MAX_PICKLE_BYTES, path)
    except BROKEN_ZIP as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected torch's zip, found a broken one: {error}"
        ) from error

    def read_storage(key: str, max_bytes: int) -> bytes:
        with zipfile.ZipFile(path) as archive:
            return _read_stored(archive, f"{folder}data/{key}", max_bytes, path)

    return content, read_storage


def _read_stored(archive: zipfile.ZipFile, name: str, max_bytes: int, path: Path) -> bytes:
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > max_bytes:
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected {name[:80]}, not compressed, of at most {max_bytes:,} bytes, as torch writes it",
        )
    return archive.read(entry)


def check_expanded_size(value: Any, path: Path) -> None:
    """Rejects values that are small in a pickle, but huge or endless for code that reads all of them.

    Raises:
        CliprpnError: data_invalid, if a value contains itself, or has too many entries when each shared value counts
            every time that it occurs; text counts by its length.
    """
    sizes: dict[int, int | None] = {}  # By id(value); None while the parts are being counted.
    stack = [value]
    while stack:
        top = stack[-1]
        parts = _parts(top)
        if id(top) not in sizes:
            sizes[id(top)] = None
            for part in parts:
                if isinstance(part, list | tuple | dict):
                    if id(part) not in sizes:
                        stack.append(part)
                    elif sizes[id(part)] is None:
                        raise _too_large(path, "one that contains itself")
            continue
        stack.pop()
        if sizes[id(top)] is None:
            size = 1 + sum(sizes.get(id(part)) or _leaf_size(part) for part in parts)
            if size > MAX_ENTRIES:
                raise _too_large(path, f"one with more than {MAX_ENTRIES:,} entries when written out")
            sizes[id(top)] = size


def _parts(value: Any) -> list[Any]:
    """The entries of a container; none for other values."""
    if isinstance(value, dict):
        return [*value, *value.values()]
    return list(value) if isinstance(value, list | tuple) else []


def _leaf_size(value: Any) -> int:
    """Number of entries that a value without parts counts as."""
    return 1 + len(value) // 16 if isinstance(value, str | bytes | set | frozenset) else 1


def _too_large(path: Path, found: str) -> CliprpnError:
    return CliprpnError("data_invalid", f"{path}: expected a value of plain rows, found {found}")
