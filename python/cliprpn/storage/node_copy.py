"""Copies of a complete store of arrays on the own disk of a machine, which many workers of it read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from cliprpn.errors import CliprpnError, disk_is_full, is_not_writable
from cliprpn.storage.array_store import damaged_features
from cliprpn.storage.durable import check_space
from cliprpn.storage.growing_array import CHUNK_BYTES, HEADER_BYTES
from cliprpn.storage.lock import file_lock
from cliprpn.storage.lock_owner import LockLostError
from cliprpn.storage.unused_copies import copy_lock, hold, make_room, staging_folder

MANIFEST = "manifest.json"


def copy_to_node(
    folder: Path,
    cache: Path,
    warn: Callable[[str], None],
    on_copied: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> Path:
    """The copy of a store on this machine; copied first, by one worker, if it is missing or damaged.

    A copy that is interrupted or killed does not count: it gets its name when all of it is there, and its content was
    compared with the hashes in the manifest. It is not removed while this process lives. If the disk has no space for
    it, copies that no process uses are removed.

    Args:
        folder: a complete store, whose name is a hash of everything that it depends on.
        cache: folder of the copies, on the machine's own disk.
        warn: called if this worker waits for another one, or if there is no copy.
        on_copied: called with the bytes that are copied so far, and in all.

    Returns:
        The folder of the copy; `folder` itself if the disk is full or cannot be written.

    Raises:
        CliprpnError: interrupted; data_invalid, if the store does not have the content of its manifest.
    """
    copy = cache / folder.name
    manifest = (folder / MANIFEST).read_bytes()
    try:
        if not cache.is_absolute():
            raise CliprpnError("environment_broken", f"expected an absolute path, found {cache}")
        while not (hold(copy) and is_whole(copy, manifest)):
            cache.mkdir(parents=True, exist_ok=True)
            with (
                file_lock(
                    copy_lock(copy),
                    lambda: warn("another worker of this machine copies the same features; waiting for it"),
                    should_stop,
                ) as lock,
                suppress(LockLostError),  # Whoever took the lock makes the copy.
            ):
                if not is_whole(copy, manifest):
                    _copy(folder, copy, manifest, on_copied, should_stop, lock.require)
        return copy
    except OSError as error:
        if not (disk_is_full(error) or is_not_writable(error) or isinstance(error, FileNotFoundError)):
            raise
        reason = f"{error.strerror}"
    except CliprpnError as error:
        if error.code not in ("no_space", "environment_broken"):
            raise
        reason = error.message
    warn(f"{cache}: features are not copied to this machine, and are read from {folder.parent}: {reason}")
    return folder


def is_whole(copy: Path, manifest: bytes) -> bool:
    """Whether a copy has this manifest, and files of the sizes that it gives."""
    try:
        if (copy / MANIFEST).read_bytes() != manifest:
            return False
        return all((copy / file).stat().st_size == size for file, (size, _) in _files(manifest).items())
    except FileNotFoundError:
        return False


def _files(manifest: bytes) -> dict[str, tuple[int, str]]:
    """Size in bytes and SHA-256 of the rows of each file of a store."""
    files = {}
    for name, entry in json.loads(manifest)["arrays"].items():
        num_values = int(np.prod(entry["shape"], dtype=np.int64))
        size = HEADER_BYTES + num_values * np.dtype(entry["dtype"]).itemsize
        files[f"{name}.npy"] = (size, str(entry["data_sha256"]))
    return files


def _copy(
    folder: Path,
    copy: Path,
    manifest: bytes,
    on_copied: Callable[[int, int], None],
    should_stop: Callable[[], bool],
    require_lock: Callable[[], None],
) -> None:
    """
    Raises:
        CliprpnError: interrupted, no_space, data_invalid; LockLostError.
    """
    for left in copy.parent.glob(f".{copy.name}.*.part"):  # Of workers that were killed.
        shutil.rmtree(left, ignore_errors=True)
    shutil.rmtree(copy, ignore_errors=True)
    staging = staging_folder(copy)
    staging.mkdir()
    files = _files(manifest)
    total, done = sum(size for size, _ in files.values()), 0
    try:
        make_room(copy.parent, total)
        check_space(staging, total)
        for name, (size, sha256) in files.items():
            for num_bytes in _copy_file(folder / name, staging / name, size, sha256):
                require_lock()
                done += num_bytes
                on_copied(done, total)
                if should_stop():
                    raise CliprpnError("interrupted", f"stopped while copying {folder}")
        (staging / MANIFEST).write_bytes(manifest)
        require_lock()
        os.rename(staging, copy)
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)
        if isinstance(error, OSError):
            require_lock()  # Whoever took the lock removes what is here.
        raise


def _copy_file(source: Path, target: Path, size: int, sha256: str) -> Iterator[int]:
    """Yields the number of bytes of each part that was copied.

    Raises:
        CliprpnError: data_invalid.
    """
    digest, num_bytes = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("xb") as writer:
        while chunk := reader.read(CHUNK_BYTES):
            writer.write(chunk)
            digest.update(chunk[max(0, HEADER_BYTES - num_bytes) :])
            num_bytes += len(chunk)
            yield len(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    if num_bytes != size:
        raise damaged_features(source.parent, f"{source}: expected {size} bytes, found {num_bytes}")
    if digest.hexdigest() != sha256:
        raise damaged_features(source.parent, f"{source}: it does not have the content of its manifest")
