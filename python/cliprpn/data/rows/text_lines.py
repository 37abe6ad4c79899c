"""Reads the lines of text files, in bounded memory, in the encodings that can be told for certain."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from cliprpn.data.annotation_files import encoding_problem, open_annotations
from cliprpn.data.problems import Problems

MAX_LINE_BYTES = 16 * 2**20
# A file of another format has a problem in every line.
MAX_PROBLEMS = 100_000
# A compressed file of a few kilobytes may hold any number of them.
MAX_BLANK_LINES = 1_000_000


def read_lines(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Yields number and text of each line, with its line break; a line that is too long or not UTF-8 is a problem.

    UTF-16 is read, too. Other encodings cannot be told from each other.
    """
    with open_annotations(path) as raw:
        file = _as_utf8(raw)
        first_problem: int | None = None
        num_blank = 0
        for number in count(1):
            line = file.readline(MAX_LINE_BYTES + 1)
            if not line:
                return
            if line in (b"\n", b"\r\n"):
                num_blank += 1
                if num_blank > MAX_BLANK_LINES:
                    problems.add(f"{path.name}:{number}: expected rows, found {num_blank:,} blank lines")
                    return
                yield number, "\n"
                continue
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


def _as_utf8(file: io.BufferedReader) -> io.BufferedIOBase:
    """The same text as UTF-8 if it is UTF-16; with line feeds if it has the line ends of old Macs."""
    start = file.peek(4096)[:4096]
    encoding = utf_16_of(start)
    if encoding is not None:
        return _Recoded(io.TextIOWrapper(file, encoding, errors="replace", newline=None))
    if b"\r" in start and b"\n" not in start and b"\r" in start[:-1]:
        return _Recoded(io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=None))
    return file


def utf_16_of(start: bytes) -> str | None:
    """The byte order of UTF-16, by its mark, or as nearly every second byte of most text is 0; None for others."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first, second = start[0:2000:2], start[1:2000:2]
    if len(second) < 4:
        return None
    if second.count(0) > 0.9 * len(second) and not first.count(0):
        return "utf-16-le"
    return "utf-16-be" if first.count(0) > 0.9 * len(first) and not second.count(0) else None


class _Recoded(io.BufferedIOBase):
    """Lines of text as UTF-8."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text

    def readline(self, size: int | None = -1) -> bytes:
        """The next line; longer lines in pieces."""
        return self._text.readline(-1 if size is None else size).encode("utf-8", "surrogateescape")
