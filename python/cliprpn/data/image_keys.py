"""Identifies images by the content of their files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from cliprpn.data.images import ImageFile
from cliprpn.errors import CliprpnError

# File hashes kept in memory: more than RefCOCOg has images.
MAX_HASHES = 100_000
MAX_HASHING_THREADS = 8


def image_keys(files: Iterable[ImageFile]) -> list[str]:
    """Keys of several images, computed in parallel.

    Raises:
        CliprpnError: data_invalid, if a file is missing.
    """
    with ThreadPoolExecutor(min(MAX_HASHING_THREADS, os.cpu_count() or 1)) as pool:
        return list(pool.map(image_key, files))


def image_key(file: ImageFile) -> str:
    """Identifies what `load_image` returns by the file's content; the same image has the same key in every dataset.

    Raises:
        CliprpnError: data_invalid, if the file is missing.
    """
    try:
        digest = file_sha256(file.path)
    except OSError as error:
        raise _unreadable(file.path, error) from error
    return f"{digest}-upright" if file.upright else digest


def file_sha256(path: Path) -> str:
    """SHA-256 of a file; hashed again only if its size or modification time has changed.

    Raises:
        OSError.
    """
    status = path.stat()
    return _cached_sha256(path, status.st_size, status.st_mtime_ns)


@lru_cache(MAX_HASHES)
def _cached_sha256(path: Path, size: int, mtime_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _unreadable(path: Path, error: OSError) -> CliprpnError:
    if isinstance(error, FileNotFoundError):
        return CliprpnError("data_invalid", f"{path}: expected an image, found no file")
    return CliprpnError(
        "data_invalid", f"{path}: expected an image, found a file that cannot be read: {error}"
    )
