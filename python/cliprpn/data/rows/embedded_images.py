"""Images inside annotation files: each gets the name of a file, which is written if a folder is given."""

from __future__ import annotations

import errno
import hashlib
import os
import unicodedata
from pathlib import Path
from typing import Any

from cliprpn.errors import CliprpnError

MAX_NAME_BYTES = 200
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"GIF8", ".gif"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"BM", ".bmp"),
)


class EmbeddedImages:
    """Names the images, and writes each content once.

    The names depend on the images and their order only. An image has the base name of its path; without one, or if
    another image has it already, a hash of its content is the name or part of it.

    Args:
        folder: for the files; None to name the images only.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._contents: dict[str, str] = {}  # Hash of the content by lower-case name.
        self._made: set[str] = set()
        self.count = 0

    def add(self, value: Any) -> Any:
        """The file name of an image; anything that is no image is returned for the checks of the row.

        Args:
            value: bytes, or `{"bytes": ..., "path": ...}`, or a list of one of these.

        Raises:
            CliprpnError: no_space; data_invalid, if the file cannot be written.
        """
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        path = None
        if isinstance(value, dict):
            path, value = value.get("path"), value.get("bytes")
            if value is None:
                return path
        if not isinstance(value, bytes) or not value:
            return None if value == b"" else value
        digest = hashlib.sha256(value).hexdigest()
        name = self._name(path, value, digest)
        if self._folder is not None and name not in self._made:
            _write(self._folder / name, value)
        self._made.add(name)
        self.count = len(self._made)
        return name

    def _name(self, path: Any, content: bytes, digest: str) -> str:
        ending = _ending(content)
        name = _base_name(path)
        if name is None:
            return f"{digest[:20]}{ending}"
        if "." not in name:
            name += ending
        if self._contents.setdefault(_key(name), digest) == digest:
            return name
        stem, dot, given_ending = name.rpartition(".")
        return f"{stem}-{digest[:12]}{dot}{given_ending}"


def _base_name(path: Any) -> str | None:
    """The last part of a path of any system; None if it cannot be the name of a file on every system."""
    if not isinstance(path, str):
        return None
    name = path.replace("\\", "/").rpartition("/")[2].strip()
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return None
    is_safe = name.strip(". ") != "" and all(char.isprintable() and char not in '<>:"|?*' for char in name)
    return name if is_safe and size <= MAX_NAME_BYTES else None


def _key(name: str) -> str:
    """Equal for names that some file systems do not tell apart."""
    return unicodedata.normalize("NFC", name).casefold()


def _ending(content: bytes) -> str:
    """By the first bytes; `.img` for other content, which decoding will name."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ".webp"
    if content[4:12] in (b"ftypavif", b"ftypavis"):
        return ".avif"
    return next((ending for start, ending in SIGNATURES if content.startswith(start)), ".img")


def _write(path: Path, content: bytes) -> None:
    """Writes a file unless it is there; a process that is killed leaves a whole file or none."""
    try:
        if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        code = "no_space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "data_invalid"
        raise CliprpnError(code, f"{path}: expected to write an image: {error}") from error
