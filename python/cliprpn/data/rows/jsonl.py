"""JSON Lines: an object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.data.problems import Problems
from cliprpn.data.records import shown
from cliprpn.data.rows.json_text import parse_json
from cliprpn.data.rows.lines import read_lines


def read_jsonl(path: Path, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where it stands and what it says, for each object; lines that are blank are passed over."""
    for number, line in read_lines(path, problems):
        where = f"{path.name}:{number}"
        if not line.strip():
            continue
        try:
            raw = parse_json(line)
        except ValueError as error:
            problems.add(f"{where}: expected a JSON object: {error}")
            continue
        if not isinstance(raw, dict):
            problems.add(f"{where}: expected a JSON object, found {shown(raw)}")
            continue
        yield where, raw
