"""Opens annotation files, also inside gzip, tar and zip: in bounded memory, and of a bounded size when unpacked."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

from cliprpn.errors import CliprpnError

# Annotations shrink to a tenth or a thirtieth; a file that shrinks much more is made to fill memory or disks.
MAX_RATIO = 200
ALWAYS_ALLOWED_BYTES = 2**24
MAX_MEMBERS = 1_000_000
# What the standard library raises for archives that are broken or of an unknown version.
BROKEN = (
    *(EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, tarfile.TarError),
    *(zipfile.BadZipFile, NotImplementedError),
)
ENCRYPTED = 1
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
ANNOTATION_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")


@contextmanager
def open_annotations(
    path: Path, suffixes: Sequence[str] = ANNOTATION_SUFFIXES
) -> Iterator[io.BufferedReader]:
    """The bytes of a file; of the annotation file inside, for a gzip, tar or zip.

    Args:
        suffixes: endings of annotation files in an archive, of which it must have one file.

    Raises:
        CliprpnError: data_invalid, if an archive is broken, too large or has not one annotation file.
        OSError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            is_tar = path.name.lower().endswith(TAR_SUFFIXES)
            if is_tar and start.startswith(GZIP):
                # tarfile's own reader of gzip raises a TypeError where the header is cut off.
                with gzip.open(file) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as archive:
                    yield _limited(_tar_member(archive, path, suffixes), path)
            elif is_tar:
                with tarfile.open(fileobj=file, mode="r|*") as archive:
                    yield _limited(_tar_member(archive, path, suffixes), path)
            elif start.startswith(GZIP):
                with gzip.open(file) as unpacked:
                    yield _limited(unpacked, path)
            elif start == ZIP and path.suffix.lower() == ".zip":
                with (
                    zipfile.ZipFile(file) as zipped,
                    zipped.open(_zip_member(zipped, path, suffixes)) as member,
                ):
                    yield _limited(member, path)
            else:
                yield file
    except BROKEN as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected a whole archive, found a broken one: {error}; is it complete?"
        ) from error


def encoding_problem(content: bytes, error: UnicodeDecodeError, file_name: str) -> str:
    """What to do about text that is not UTF-8."""
    at = error.start
    around = content[max(at - 15, 0) : at + 15].decode("cp1252", "replace").strip()
    return (
        f"expected UTF-8, found byte 0x{content[at]:02x} at {at + 1}. Read as Windows-1252, as Excel saves CSV, the "
        f"text there is {around!r}. Save the file as `CSV UTF-8`, or, if that text is right, convert it: "
        f"iconv -f CP1252 -t UTF-8 {file_name} > utf8-{file_name}"
    )


def _tar_member(archive: tarfile.TarFile, path: Path, suffixes: Sequence[str]) -> BinaryIO:
    """The only annotation file of a tar.

    The archive is read as a stream, and the first annotation file must be held while the rest is searched for others.
    """
    found: list[str] = []
    content: BinaryIO = io.BytesIO()
    for count, member in enumerate(archive):
        if count > MAX_MEMBERS:
            raise CliprpnError(
                "data_invalid", f"{path}: expected at most {MAX_MEMBERS:,} files in the archive"
            )
        if member.isfile() and _is_annotation(member.name, suffixes):
            found.append(member.name)
            stream = archive.extractfile(member)
            if len(found) == 1 and stream is not None:
                content = io.BytesIO(_limited(stream, path).read())
    _only(found, path, suffixes)
    return content


def _zip_member(archive: zipfile.ZipFile, path: Path, suffixes: Sequence[str]) -> str:
    names = [
        entry.filename
        for entry in archive.infolist()
        if not entry.is_dir() and _is_annotation(entry.filename, suffixes)
    ]
    name = _only(names, path, suffixes)
    if archive.getinfo(name).flag_bits & ENCRYPTED:
        raise CliprpnError("data_invalid", f"{path}: expected an archive without a password; unpack it")
    return name


def _is_annotation(name: str, suffixes: Sequence[str]) -> bool:
    parts = name.split("/")
    return (
        name.lower().endswith(tuple(suffixes)) and not parts[-1].startswith(".") and "__MACOSX" not in parts
    )


def _only(names: list[str], path: Path, suffixes: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    found = f"{len(names)}: {', '.join(names[:5])}" if names else "none"
    raise CliprpnError(
        "data_invalid",
        f"{path}: expected one file of annotations ({', '.join(suffixes)}) in the archive, found {found[:400]}; "
        "unpack it and pass the file as --from",
    )


class _Limited(io.RawIOBase):
    """A stream that ends with an error when it has given more bytes than an honest file of this size can hold."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._left = max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise CliprpnError(
                "data_invalid",
                f"{self._path}: expected annotations of at most {MAX_RATIO} times the size of their archive; unpack "
                "it if this is right",
            )
        buffer[: len(data)] = data
        return len(data)


def _limited(stream: IO[bytes] | gzip.GzipFile, path: Path) -> io.BufferedReader:
    return io.BufferedReader(_Limited(stream, path), 2**18)
