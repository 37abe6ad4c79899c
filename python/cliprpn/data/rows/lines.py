"""Lines of a text file that may be anything: decoded one by one, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from cliprpn.data.problems import Problems

MAX_LINE_BYTES = 16 * 2**20
# A file that is something else altogether has as many problems as lines.
MAX_PROBLEMS = 100_000


def read_lines(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Number and text of each line, its end included; a line that is too long or not UTF-8 is a problem."""
    with path.open("rb") as file:
        for number in count(1):
            line = file.readline(MAX_LINE_BYTES + 1)
            if not line:
                return
            if len(problems.found) > MAX_PROBLEMS:
                problems.add(f"{path.name}:{number}: the rest of the file was not read")
                return
            if len(line) > MAX_LINE_BYTES:
                problems.add(f"{path.name}:{number}: expected a line of at most {MAX_LINE_BYTES:,} bytes")
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE_BYTES)
                continue
            if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
                problems.add(f"{path.name}:1: expected UTF-8, found UTF-16; save the file as UTF-8")
                return
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                byte = f"0x{line[error.start]:02x}"
                problems.add(
                    f"{path.name}:{number}: expected UTF-8, found byte {byte} at {error.start + 1}; "
                    "save the file as UTF-8"
                )
