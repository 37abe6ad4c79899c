"""Atomic writes, and clear errors for a disk that is full or cannot be written."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cliprpn.errors import CliprpnError, disk_has_failed, disk_is_full, is_not_writable

# How often caches sync appended data. A kill loses at most this much work; syncing after every item would slow down a
# fast device.
COMMIT_EVERY_S = 1.0

# A temporary file this much older than a new one was left by a process that was killed: no write takes a day.
LEFTOVER_AGE_S = 86_400


def write_durably(path: Path, content: bytes) -> None:
    """Writes a temporary file, syncs and renames it, so that `path` is never incomplete, even after a power failure.

    Creates the folder if missing, and removes temporary files of `path` that were left by killed processes.

    Raises:
        CliprpnError: no_space, environment_broken.
    """
    with _temporary_file(path, content) as temporary:
        os.replace(temporary, path)


def create_durably(path: Path, content: bytes) -> bool:
    """As `write_durably`, but never replaces a file: of several processes, also of several machines, one creates it.

    Returns:
        whether this call created the file.

    Raises:
        CliprpnError: no_space, environment_broken.
    """
    with _temporary_file(path, content) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return temporary.stat().st_nlink == 2  # NFS may repeat a request whose reply was lost.
        return True


@contextlib.contextmanager
def _temporary_file(path: Path, content: bytes) -> Iterator[Path]:
    """A complete file beside `path`, with that content on the disk; removed at the end if it still has its name."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # A random name: processes of two machines that share a disk may have the same id.
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _remove_leftovers(path, temporary.stat().st_mtime)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


def _remove_leftovers(path: Path, now: float) -> None:
    """Removes the temporary files of `path` that killed processes have left.

    Args:
        now: modification time of a new file on the same disk, whose clock may differ from this machine's.
    """
    for entry in os.scandir(path.parent):
        if not (entry.name.startswith(f".{path.name}.") and entry.name.endswith(".new")):
            continue
        with contextlib.suppress(FileNotFoundError):  # Another process was faster.
            if now - entry.stat(follow_symlinks=False).st_mtime > LEFTOVER_AGE_S:
                os.unlink(entry)


def write_json(path: Path, value: BaseModel | dict[str, Any]) -> None:
    """Writes a model of the contract, or a dictionary of JSON values, as JSON.

    Raises:
        CliprpnError: no_space.
    """
    content = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    text = json.dumps(content, indent=2, allow_nan=False)
    write_durably(path, f"{text}\n".encode())


def check_space(folder: Path, needed: int) -> None:
    """Checks the free disk space, with a margin of 2%.

    Args:
        needed: bytes.

    Raises:
        CliprpnError: no_space, if the disk has less free space.
    """
    if not has_space(folder, needed):
        free = shutil.disk_usage(folder).free
        raise CliprpnError(
            "no_space",
            f"{folder}: expected {needed / 1e9:.2f} GB of free disk space, found {free / 1e9:.2f} GB; "
            f"{space_advice(folder)}",
        )


def has_space(folder: Path, needed: int) -> bool:
    """Whether the disk has that many bytes of free space, with a margin of 2%."""
    return shutil.disk_usage(folder).free >= needed * 1.02


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns the error of a disk that is full, fails or cannot be written within the context into a CliprpnError.

    Raises:
        CliprpnError: no_space or environment_broken, naming the file being written.
    """
    try:
        yield
    except OSError as error:
        if disk_is_full(error):
            raise CliprpnError(
                "no_space",
                f"{path}: no space left on the disk: {error.strerror}; {space_advice(path)}",
            ) from error
        if disk_has_failed(error):
            raise failed_disk(path) from error
        if is_not_writable(error):
            raise not_writable(path, error) from error
        raise


def failed_disk(path: Path) -> CliprpnError:
    """The error for a file on a disk that does not read or write what it should."""
    return CliprpnError(
        "environment_broken",
        f"{path}: the disk failed: {os.strerror(errno.EIO)}; look into the system's log (dmesg), and repair the "
        f"disk or {_other_folder(path)}",
    )


def not_writable(path: Path, error: OSError) -> CliprpnError:
    """The error for a file or a folder that cannot be written."""
    return CliprpnError(
        "environment_broken",
        f"{path}: expected a writable path, found: {error.strerror}; {_other_folder(path)}",
    )


def _other_folder(path: Path) -> str:
    return (
        "set CLIPRPN_CACHE to another folder"
        if _is_in_cache(path)
        else "use another folder (--runs-dir for the runs)"
    )


def _is_in_cache(path: Path) -> bool:
    """The command tells its worker the cache folder in CLIPRPN_CACHE."""
    cache = os.environ.get("CLIPRPN_CACHE")
    return bool(cache) and path.absolute().is_relative_to(str(cache))


def space_advice(path: Path) -> str:
    """What to do when the disk of a path is full."""
    if _is_in_cache(path):
        return "free some space, or set CLIPRPN_CACHE to a folder on another disk"
    return "free some space, or use a folder on another disk (--runs-dir for the runs)"


def full_folder(*folders: Path) -> Path:
    """The folder whose disk has the least free space, for an error of a full disk that names no file."""
    return min(folders, key=_free_bytes)


def _free_bytes(folder: Path) -> int:
    existing = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    return shutil.disk_usage(existing).free
