"""Reads the lines of text files, in bounded memory, in the encodings that can be told for certain."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO

from cliprpn.data.annotation_files import open_annotations
from cliprpn.data.problems import Problems

MAX_LINE_BYTES = 16 * 2**20
# A file of another format has a problem in every line.
MAX_PROBLEMS = 100_000
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_lines(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Yields number and text of each line, with its line break; a line that is too long or not UTF-8 is a problem.

    UTF-16 is read if it begins with a byte order mark. Other encodings cannot be told from each other.
    """
    with open_annotations(path) as raw:
        file = _as_utf8(raw)
        first_problem: int | None = None
        for number in count(1):
            line = file.readline(MAX_LINE_BYTES + 1)
            if not line:
                return
            where = f"{path.name}:{number}"
            if problems.count > MAX_PROBLEMS:
                problems.add(f"{where}: the rest of the file was not read")
                return
            if len(line) > MAX_LINE_BYTES:
                problems.add_row(
                    f"{where}: expected a line of at most {MAX_LINE_BYTES:,} bytes", "lines that are too long"
                )
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE_BYTES)
                continue
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                problem = f"expected UTF-8, as in line {first_problem}"
                if first_problem is None:
                    first_problem, problem = number, encoding_problem(line, error, path.name)
                problems.add_row(f"{where}: {problem}", "lines that are not UTF-8")


def encoding_problem(content: bytes, error: UnicodeDecodeError, file_name: str) -> str:
    """What to do about text that is not UTF-8."""
    at = error.start
    if content.count(0) > len(content) // 4:
        return "expected UTF-8, found UTF-16 without a byte order mark; save the file as UTF-8"
    around = content[max(at - 15, 0) : at + 15].decode("cp1252", "replace").strip()
    return (
        f"expected UTF-8, found byte 0x{content[at]:02x} at {at + 1}. Read as Windows-1252, as Excel saves CSV, the "
        f"text there is {around!r}. Save the file as `CSV UTF-8`, or, if that text is right, convert it: "
        f"iconv -f CP1252 -t UTF-8 {file_name} > utf8-{file_name}"
    )


def _as_utf8(raw: BinaryIO) -> io.BufferedIOBase:
    """The same text as UTF-8 if it is UTF-16; with line feeds if it has the line ends of old Macs."""
    file = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore[type-var]
    start = file.peek(4096)[:4096]
    if start.startswith(UTF_16_MARKS):
        return _Recoded(io.TextIOWrapper(file, "utf-16", errors="replace", newline=None))
    if b"\r" in start and b"\n" not in start and b"\r" in start[:-1]:
        return _Recoded(io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=None))
    return file


class _Recoded(io.BufferedIOBase):
    """Lines of text as UTF-8."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text

    def readline(self, size: int | None = -1) -> bytes:
        """The next line; longer lines in pieces."""
        return self._text.readline(-1 if size is None else size).encode("utf-8", "surrogateescape")
