"""Pickles of plain values: containers, strings and numbers, nothing that runs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO

from cliprpn.data.plain_unpickler import PlainUnpickler
from cliprpn.data.sharing import refuse_endless
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
