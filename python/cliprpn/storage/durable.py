"""Files that are whole or not there, on a disk that may be full."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from cliprpn.errors import CliprpnError


def write_durably(path: Path, content: bytes) -> None:
    """Beside, synced, then renamed: a file under its name is whole, even after a power cut.

    Makes the folder where there is none.

    Raises:
        CliprpnError: no_space.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        staging = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            with staging.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(staging, path)
        except BaseException:
            staging.unlink(missing_ok=True)
            raise


def write_json(path: Path, value: BaseModel) -> None:
    """Writes a model of the contract as JSON.

    Raises:
        CliprpnError: no_space.
    """
    text = json.dumps(value.model_dump(mode="json"), indent=2, allow_nan=False)
    write_durably(path, f"{text}\n".encode())


def check_space(folder: Path, needed: int) -> None:
    """
    Raises:
        CliprpnError: no_space, when the disk has less room than these bytes.
    """
    free = shutil.disk_usage(folder).free
    if free < needed * 1.02:
        raise CliprpnError(
            "no_space",
            f"{folder}: expected {needed / 1e9:.2f} GB of free room, found {free / 1e9:.2f} GB; "
            "make room there, or set CLIPRPN_CACHE to a folder on another disk",
        )


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """A full disk becomes no_space, naming the file that was being written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CliprpnError(
                "no_space",
                f"{path}: no room left on the disk: {error.strerror}; make room there, or set CLIPRPN_CACHE to "
                "a folder on another disk",
            ) from error
        raise
