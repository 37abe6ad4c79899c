"""What `--clip-boxes`, `--allow-invalid` and `--force-box-format` do with imperfect annotations."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import HEIGHT, WIDTH, make_records, write_dataset
from prepared import source_of
from user_data import make_mdetr, rows_source, write_jsonl

from cliprpn.contract.generated import RefcocoSource, RowsSource
from cliprpn.data.problems import MAX_SHOWN, Problems
from cliprpn.data.sources import LoadedSource, read_source
from cliprpn.data.tables import WrittenTables, write_tables
from cliprpn.errors import CliprpnError

Source = RowsSource | RefcocoSource
GOOD: dict[str, Any] = {
    "image": "a.jpg",
    "sentence": "the dog",
    "box": [10, 20, 30, 40],
    "width": 640,
    "height": 480,
}


def jsonl(folder: Path, *changes: dict[str, Any] | str, **options: bool) -> RowsSource:
    """Rows of one image each, with changes."""
    rows = [
        change if isinstance(change, str) else {**GOOD, "image": f"{i}.jpg", "sent_id": 10 + i, **change}
        for i, change in enumerate(changes)
    ]
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path = folder / "rows.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rows_source(path).model_copy(update=options)


def with_options(source: Source, **options: bool) -> Source:
    return source.model_copy(update=options)


def problem_of(source: Source) -> str:
    with pytest.raises(CliprpnError) as caught:
        read_source(source)
    assert caught.value.code == "data_invalid"
    return caught.value.message


def sent_ids(loaded: LoadedSource) -> list[int]:
    return sorted(row.sent_id for row in loaded.annotations.sentences)


def written(loaded: LoadedSource, folder: Path) -> WrittenTables:
    return write_tables(loaded.annotations, None, folder / "set", rules=loaded.rules)


INVALID_ROWS: list[tuple[dict[str, Any] | str, str]] = [
    ("{oops", "JSON"),
    ({"box": None}, "box"),
    ({"box": [1, 2, "x", 4]}, "box"),
    ({"box": [10, 20, 0, 40]}, "no positive area"),
    ({"box": [700, 20, 30, 40]}, "outside"),
    ({"box": [600, 20, 300, 40]}, "extend past"),
    ({"sentence": " "}, "sentence"),
    ({"split": "holdout"}, "split"),
    ({"width": -4}, "width"),
    ({"image": 3.5}, "image"),
    ({"image": "0.jpg", "width": 480, "height": 640}, "another size"),
]


@pytest.mark.parametrize(("invalid", "kind"), INVALID_ROWS)
def test_an_invalid_row_is_refused_and_left_out_on_request(
    tmp_path: Path, invalid: dict[str, Any] | str, kind: str
) -> None:
    source = jsonl(tmp_path, {}, {}, invalid)
    message = problem_of(source)
    assert "rows.jsonl:3" in message and "--allow-invalid" in message
    loaded = read_source(with_options(source, allow_invalid=True))
    assert sent_ids(loaded) == [10, 11]  # The ids of the others stay.
    assert loaded.annotations.num_left_out == 1
    (note,) = [note for note in loaded.annotations.notes if "left out" in note]
    assert note.startswith("1 row is invalid") and "rows.jsonl:3" in note and kind in note


def test_an_option_changes_nothing_where_all_rows_are_valid(tmp_path: Path) -> None:
    source = jsonl(tmp_path, {}, {}, {})
    expected = read_source(source).annotations
    for option in ("clip_boxes", "allow_invalid", "force_box_format"):
        assert read_source(with_options(source, **{option: True})).annotations == expected


def test_only_invalid_rows_are_an_error_with_the_reasons(tmp_path: Path) -> None:
    source = jsonl(tmp_path, {"box": [1, 2, 0, 4]}, {"split": "x"}, allow_invalid=True)
    message = problem_of(source)
    assert "found none" in message and "rows.jsonl:1" in message and "rows.jsonl:2" in message


def test_clipping_keeps_rows_and_their_boxes_in_the_source(tmp_path: Path) -> None:
    source = jsonl(tmp_path, {}, {"box": [600, 20, 300, 40]}, clip_boxes=True)
    loaded = read_source(source)
    assert sent_ids(loaded) == [10, 11] and loaded.annotations.num_left_out == 0
    tables = written(loaded, tmp_path)
    (note,) = [note for note in tables.notes if "clipped" in note]
    assert note.startswith("1 box ") and "260 px" in note and "rows.jsonl:2" in note
    assert tables.dropped.num_sentences == 0


def test_what_clipping_cannot_mend_is_still_a_problem(tmp_path: Path) -> None:
    past, outside = {"box": [600, 20, 300, 40]}, {"box": [700, 20, 30, 40]}
    source = jsonl(tmp_path, past, outside, *[{}] * 8, clip_boxes=True)
    message = problem_of(source)
    assert "rows.jsonl:2: " in message and "rows.jsonl:1: " not in message
    both = read_source(with_options(source, allow_invalid=True))
    assert sent_ids(both) == [10, *range(12, 20)] and both.annotations.num_left_out == 1


def test_a_format_is_forced_only_on_request(tmp_path: Path) -> None:
    corners = [[300 + i, 30, 345 + i, 455] for i in range(30)]  # They are said to be xywh.
    source = jsonl(tmp_path, *({"box": box} for box in corners))
    message = problem_of(source)
    assert "xyxy" in message and "--force-box-format" in message
    forced = problem_of(with_options(source, force_box_format=True))
    assert (
        "--force-box-format" not in forced and "rows.jsonl:1" in forced
    )  # They do extend past their images.
    clipped = read_source(with_options(source, force_box_format=True, clip_boxes=True))
    assert len(clipped.annotations.sentences) == 30
    assert any("xyxy" in warning for warning in written(clipped, tmp_path).warnings)


def refcoco(root: Path, boxes: dict[int, list[float]]) -> RefcocoSource:
    """Twelve images with two sentences each about the objects 1, 3, 5, ...; some with another box."""
    instances, refs = make_records()
    for annotation in instances["annotations"]:
        annotation["bbox"] = boxes.get(annotation["id"], annotation["bbox"])
    return source_of(write_dataset(root, instances, refs))


def test_refcoco_layout_leaves_refs_with_invalid_boxes_out(tmp_path: Path) -> None:
    source = refcoco(tmp_path, {5: [10, 10, 0, 5]})
    message = problem_of(source)
    assert "annotation 5" in message and "--allow-invalid" in message
    loaded = read_source(with_options(source, allow_invalid=True))
    assert sent_ids(loaded) == [i for i in range(24) if i not in (4, 5)]
    assert {row.ref_id for row in loaded.annotations.sentences} == set(range(100, 112)) - {102}
    assert loaded.annotations.num_left_out == 2
    assert any("2 rows are invalid" in note for note in loaded.annotations.notes)


def test_refcoco_layout_clips_boxes(tmp_path: Path) -> None:
    source = refcoco(tmp_path, {5: [WIDTH - 20, HEIGHT - 10, 60, 40]})
    assert "--clip-boxes" in problem_of(source)
    loaded = read_source(with_options(source, clip_boxes=True))
    assert sent_ids(loaded) == list(range(24))
    (note,) = [note for note in written(loaded, tmp_path).notes if "clipped" in note]
    assert "40 px" in note and "annotation 5" in note


def test_refcoco_layout_forces_the_format(tmp_path: Path) -> None:
    corners = {ann_id: [40.0, 30.0, 110.0 - ann_id, 85.0] for ann_id in range(24)}
    source = refcoco(tmp_path, corners)
    assert "--force-box-format" in problem_of(source)
    forced = read_source(with_options(source, force_box_format=True, clip_boxes=True))
    assert sent_ids(forced) == list(range(24))


def test_layouts_leave_invalid_entries_out(tmp_path: Path) -> None:
    odvg = [
        {"filename": "a.jpg", "grounding": {"caption": "dog", "regions": [{"bbox": [1, 2, 30, 40], "phrase": "dog"}]}},
        {"filename": "b.jpg", "grounding": 3},
        {"filename": "c.jpg", "grounding": {"caption": "x", "regions": "none"}},
        {"filename": "d.jpg"},
    ]  # fmt: skip
    path = write_jsonl(tmp_path / "odvg.jsonl", odvg)
    source = rows_source(path, format="odvg", box_format="xyxy")
    message = problem_of(source)
    assert all(f"odvg.jsonl:{line}" in message for line in (2, 3, 4))
    loaded = read_source(with_options(source, allow_invalid=True))
    assert [row.sentence for row in loaded.annotations.sentences] == ["dog"]
    assert loaded.annotations.num_left_out == 3
    mdetr = make_mdetr()
    mdetr["annotations"][0]["bbox"] = [1, 2, 3]
    (tmp_path / "mdetr.json").write_text(json.dumps(mdetr))
    source = rows_source(tmp_path / "mdetr.json", format="mdetr")
    assert "four numbers" in problem_of(source)
    num_read = len(read_source(with_options(source, allow_invalid=True)).annotations.sentences)
    assert 0 < num_read < len(mdetr["images"])


FAULTS: dict[str, Any] = {
    "not JSON": lambda i: f"{{oops {i}",
    "box": lambda i: {"box": f"a{i}"},
    "outside": lambda i: {"box": [700 + i, 2, 5, 5]},
    "split": lambda i: {"split": f"s{i}"},
    "size": lambda i: {"image": "a.jpg", "width": 640 + i},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_every_row_keeps_twenty_messages(tmp_path: Path, fault: str) -> None:
    num_rows = 1000
    source = jsonl(tmp_path, *map(FAULTS[fault], range(num_rows)))
    message = problem_of(source)
    assert len(message.splitlines()) <= MAX_SHOWN + 4 and len(message) < 12_000
    assert any(f"{num} more" in message for num in (999, 980, 979))  # The same, another, another size.


def test_long_messages_of_many_rows_keep_little_memory(tmp_path: Path) -> None:
    problems = Problems(tmp_path, allow_invalid=True)
    for line in range(50_000):
        problems.add_row(f"rows.jsonl:{line}: box: expected four numbers, found {line}", "box")
    assert problems.num_left_out == 50_000
    (kind,) = problems._left_out.values()
    assert len(kind.by_text) == MAX_SHOWN and sys.getsizeof(kind.by_text) < 5000
    assert len(problems.left_out_notes()[0]) < 300
