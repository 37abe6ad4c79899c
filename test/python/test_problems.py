"""Problems are shown by kind, the same fault in many rows once, in bounded memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cliprpn.data.problems import MAX_SHOWN, Problems
from cliprpn.errors import CliprpnError


def message_of(problems: Problems) -> str:
    with pytest.raises(CliprpnError) as caught:
        problems.raise_if_any()
    return caught.value.message


def test_the_same_fault_in_every_row_is_one_line(tmp_path: Path) -> None:
    problems = Problems(tmp_path)
    for line in range(1, 384):
        problems.add(
            f"rows.jsonl:{line}: image: expected a file name, found no such column in 'file'", "image"
        )
    assert message_of(problems).splitlines()[1:] == [
        "  rows.jsonl:1: image: expected a file name, found no such column in 'file'; the same 382 more times: "
        "rows.jsonl:2, rows.jsonl:3, rows.jsonl:4, ..."
    ]


def test_different_faults_are_shown_by_kind_and_counted(tmp_path: Path) -> None:
    problems = Problems(tmp_path)
    for line in range(1, 31):
        problems.add(f"rows.jsonl:{line}: box: found {line}", "box: no area")
        if line % 10 == 0:
            problems.add(f"rows.jsonl:{line}: split: found 'dev'", "split")
    problems.add_hint("is xyxy their format?")
    lines = message_of(problems).splitlines()
    assert "34 problems" in lines[0] and lines[1] == "  is xyxy their format?"
    assert lines[2:22] == [f"  rows.jsonl:{line}: box: found {line}" for line in range(1, 21)]
    assert lines[22] == "  and 10 more: box: no area"
    assert (
        lines[23]
        == "  rows.jsonl:10: split: found 'dev'; the same 2 more times: rows.jsonl:20, rows.jsonl:30"
    )


def test_memory_is_bounded_whatever_the_messages_are(tmp_path: Path) -> None:
    problems = Problems(tmp_path)
    for line in range(100_000):
        problems.add(f"rows.jsonl:{line}: box: found {line}", "box")
    assert problems.count == 100_000
    assert len(problems.messages) == MAX_SHOWN and sys.getsizeof(problems.messages) < 1000


def test_invalid_rows_are_left_out_and_named_on_request(tmp_path: Path) -> None:
    problems = Problems(tmp_path, allow_invalid=True)
    for line in (3, 5, 8, 9):
        problems.add_row(f"rows.jsonl:{line}: box: expected an area, found {line}", "box: no area")
    problems.add_row("rows.jsonl:7: split: expected train, found 'x'", "split")
    problems.raise_if_any()
    assert problems.num_left_out == 5
    assert problems.left_out_notes() == [
        "4 rows are invalid and left out (box: no area): rows.jsonl:3, rows.jsonl:5, rows.jsonl:8, ...",
        "1 row is invalid and left out (split): rows.jsonl:7",
    ]
    problems.require_rows(1, "expected rows, found no valid one")
    problems.raise_if_any()
    problems.require_rows(0, "expected rows, found no valid one")
    message = message_of(problems)
    assert "found no valid one" in message and "rows.jsonl:3: box: expected an area, found 3" in message


def test_problems_of_other_places_name_them_too(tmp_path: Path) -> None:
    problems = Problems(tmp_path)
    for message in ("refs.p: ref 3: sent_id 7: expected text", "refs.p: ref 4: sent_id 9: expected text"):
        problems.add(message)
    problems.add("coco.json: annotations[2]: expected an object")
    problems.add("the file is empty")
    assert problems.messages == [
        "refs.p: ref 3: sent_id 7: expected text; the same 1 more time: refs.p: ref 4: sent_id 9",
        "coco.json: annotations[2]: expected an object",
        "the file is empty",
    ]
