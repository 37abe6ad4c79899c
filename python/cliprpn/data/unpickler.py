"""Pickles of plain values: containers, strings and numbers, nothing that runs."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, NoReturn

from cliprpn.errors import CliprpnError


def load_plain(path: Path) -> Any:
    """The plain value in a pickle of any protocol, Python 2's included.

    Python 2's byte strings come as UTF-8 with other bytes escaped; `clean_text` ends the escape.

    Raises:
        CliprpnError: data_invalid, naming the class that the pickle asked for, or what is broken.
    """
    try:
        return PlainUnpickler(path).load()
    except CliprpnError:
        raise
    except Exception as error:
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected a pickle of plain values, found a broken one: {type(error).__name__}: {error}",
        ) from error


def clean_text(text: str) -> str:
    """Text that any encoder takes: bytes that were not UTF-8 are read as Latin-1, as Python 2 wrote them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("latin-1")
    return text


class PlainUnpickler(pickle._Unpickler):
    """Refuses every class and function by name, before anything of it is imported.

    It is the standard library's unpickler in Python, not the one in C: there, one wrong byte in a memo's number
    asks for gigabytes and minutes. RefCOCOg's 80,512 sentences take it a few seconds, once.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.BytesIO(path.read_bytes()), encoding="utf-8", errors="surrogateescape")
        self.path = path

    def find_class(self, module: str, name: str) -> NoReturn:
        raise CliprpnError(
            "data_invalid",
            f"{self.path}: expected plain containers, strings and numbers, found {module}.{name}, "
            "which could run code when loaded",
        )

    def persistent_load(self, pid: Any) -> NoReturn:
        raise CliprpnError("data_invalid", f"{self.path}: expected plain values, found a persistent id")
