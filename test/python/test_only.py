"""Lists of the expressions to keep: ids in text, CSV, JSON and JSON Lines, and reviewed annotations."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from helpers import make_records
from user_data import make_mdetr, make_rows, read, rows_source, write_jsonl

from cliprpn.contract.generated import RefcocoSource, RowsFile, RowsSource
from cliprpn.data.sources import read_source
from cliprpn.errors import CliprpnError

ROWS = [
    {**row, "sent_id": 10 + i, "ref_id": i // 2, "ann_id": 5 + i // 2, "split": "val" if i < 4 else "train"}
    for i, row in enumerate(make_rows())
]


def source_with(tmp_path: Path, *only: tuple[Path, str | None]) -> RowsSource:
    source = rows_source(write_jsonl(tmp_path / "rows.jsonl", ROWS))
    files = [RowsFile.model_validate({"file": str(file), "split": split}) for file, split in only]
    return source.model_copy(update={"only": files})


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.txt", "sent_id\n10\n13\n\n", [10, 13]),
        ("a.csv", "ref_id,note\n0,x\n2,y\n", [10, 11, 14, 15]),
        ("a.csv", "ann_id;sent_id\n5;12\n", [12]),
        ("a.tsv", "x\t ann_id\n1\t6\n", [12, 13]),
        ("a.json", '{"sent_id": [10, "11"]}', [10, 11]),
        ("a.json", '{"ref_ids": [1]}', [12, 13]),
        ("a.json", '[{"ann_id": 5, "caption_quality": 0}, {"ann_id": 6, "caption_quality": 1}]', [12, 13]),
        ("a.jsonl", '{"sent_id": 15}\n\n{"sent_id": 10}\n', [10, 15]),
    ],
)
def test_listed_expressions_are_kept(tmp_path: Path, name: str, text: str, expected: list[int]) -> None:
    (tmp_path / name).write_text(text)
    annotations, problems = read(source_with(tmp_path, (tmp_path / name, None)))
    assert problems == [] and [row.sent_id for row in annotations.sentences] == expected
    assert annotations.notes == [f"{len(expected)} of 6 expressions are kept (--only {name})"]


def test_a_list_for_a_split_keeps_the_other_splits(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("sent_id\n11\n14\n99\n")
    annotations, _ = read(source_with(tmp_path, (tmp_path / "a.txt", "val")))
    assert [row.sent_id for row in annotations.sentences] == [11, 14, 15]
    assert "a.txt: 2 of 3 ids are not in the data" in annotations.notes


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.txt", "10\n11\n", "a.txt:1: expected a list that says which ids it has"),
        ("a.json", "[10, 11]", "a.json: [0]: expected a list that says which ids"),
        ("a.json", '{"ids": [10]}', "a.json: expected a list that says which ids"),
        (
            "a.json",
            '{"sent_id": [10, null]}',
            "a.json: sent_id[1]: expected an id as sent_id, found None",
        ),
        ("a.csv", "x,sent_id\n1,10\n2,\n", "a.csv:3: expected an id as sent_id, found ''"),
        ("a.txt", "sent_id\n", "a.txt: expected ids of expressions to keep, found none"),
        ("a.txt", "sent_id\n99\n98\n", "a.txt: expected ids of expressions (sent_id), found 2 ids and none"),
        ("a.jsonl", '{"sent_id": 10}\n{\n', "a.jsonl:2: expected a JSON object"),
        ("a.json", '[{"sent_id": 1, "caption_quality": 7}]', "expected 0 or 1 as caption_quality, found 7"),
    ],
)
def test_a_problem_in_a_list_is_reported_with_its_place(
    tmp_path: Path, name: str, text: str, expected: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CliprpnError) as error:
        read(source_with(tmp_path, (tmp_path / name, None)))
    assert expected in error.value.message


def test_ids_that_the_rows_lack_are_not_those_that_are_assigned(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("sent_id\n1\n2\n")
    source = rows_source(write_jsonl(tmp_path / "rows.jsonl", make_rows()))
    only = [RowsFile(file=str(tmp_path / "a.txt"), split=None)]
    with pytest.raises(CliprpnError, match="the annotations must have these ids"):
        read(source.model_copy(update={"only": only}))


def test_ids_may_be_text(tmp_path: Path) -> None:
    rows = [{**row, "sent_id": f"s-{i}"} for i, row in enumerate(make_rows())]
    (tmp_path / "a.txt").write_text("sent_id\ns-1\ns-4\n")
    source = rows_source(write_jsonl(tmp_path / "rows.jsonl", rows))
    only = [RowsFile(file=str(tmp_path / "a.txt"), split=None)]
    annotations, _ = read(source.model_copy(update={"only": only}))
    assert [row.sentence for row in annotations.sentences] == [rows[1]["sentence"], rows[4]["sentence"]]


def reviewed(refs: list[dict[str, Any]], is_good: list[bool]) -> dict[str, Any]:
    """The sentences of refs in the layout of Ref-L4's reviewed annotations."""
    sentences = [(ref, sentence) for ref in refs for sentence in ref["sentences"]]
    return {
        "images": [
            {"id": i, "original_id": ref["image_id"], "caption": sentence["sent"], "file_name": "x.jpg"}
            for i, (ref, sentence) in enumerate(sentences)
        ],
        "annotations": [
            {"id": i, "image_id": i, "original_id": ref["ann_id"], "caption_quality": int(good)}
            for i, ((ref, _), good) in enumerate(zip(sentences, is_good, strict=True))
        ],
    }


def test_reviewed_annotations_leave_out_the_wrong_expressions_of_refcoco(tmp_path: Path) -> None:
    instances, refs = make_records(4)
    (tmp_path / "instances.json").write_text(json.dumps(instances))
    (tmp_path / "refs(unc).p").write_bytes(pickle.dumps(refs))
    sent_ids = [sentence["sent_id"] for ref in refs for sentence in ref["sentences"]]
    is_good = [i % 3 != 1 for i in range(len(sent_ids))]
    (tmp_path / "refcoco_val_reviewed.json").write_text(json.dumps(reviewed(refs, is_good)))
    source = RefcocoSource(
        layout="refcoco",
        instances_file=str(tmp_path / "instances.json"),
        refs_file=str(tmp_path / "refs(unc).p"),
    )
    assert len(read_source(source).annotations.sentences) == len(sent_ids)
    only = [RowsFile(file=str(tmp_path / "refcoco_val_reviewed.json"), split=None)]
    annotations = read_source(source.model_copy(update={"only": only})).annotations
    kept = [sent_id for sent_id, good in zip(sent_ids, is_good, strict=True) if good]
    assert [row.sent_id for row in annotations.sentences] == kept
    assert {row.image_id for row in annotations.sentences} == {image.image_id for image in annotations.images}


def test_reviewed_annotations_are_read_and_filtered_by_themselves(tmp_path: Path) -> None:
    mdetr = make_mdetr()
    for annotation, quality in zip(mdetr["annotations"], (1, 0, 1), strict=True):
        annotation["caption_quality"] = quality
    file = tmp_path / "refcocog_val_reviewed.json"
    file.write_text(json.dumps(mdetr))
    source = rows_source(file, format="mdetr")
    annotations, _ = read(source)
    assert len(annotations.sentences) == 3
    assert ["1 of its expressions" in note and "--only" in note for note in annotations.notes] == [True]
    only = [RowsFile(file=str(file), split=None)]
    annotations, _ = read(source.model_copy(update={"only": only}))
    assert [row.sentence for row in annotations.sentences] == ["the nearer cup", "a café table"]
    assert not any("caption_quality" in note for note in annotations.notes)
