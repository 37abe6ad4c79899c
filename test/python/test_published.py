"""Rows are matched with a published dataset by image and words; only its expressions get its splits."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from user_data import rows_source, write_jsonl

from cliprpn.contract.generated import PublishedSource
from cliprpn.data.published import MatchedSplit, normalize
from cliprpn.data.sources import LoadedSource, read_source
from cliprpn.errors import CliprpnError

NAMES = ("COCO_train2014_{:012d}.jpg", "{:012d}.jpg", "train2014/COCO_train2014_{:012d}_77.jpg")


def write_refs(path: Path, num_images: int = 4) -> Path:
    """Two objects in each image; `the man` is said of both, and one expression is there twice. Image 3 is val."""
    refs = [
        {
            "ref_id": 2 * image + n,
            "ann_id": 1000 + 2 * image + n,
            "image_id": 9 + image,
            "split": "val" if image == 3 else "train",
            "sentences": [
                {"sent_id": 1, "sent": f"man {n} on the left"},
                {"sent_id": 2, "sent": "the man"},
                {"sent_id": 3, "sent": "the man"},
            ],
        }
        for image in range(num_images)
        for n in range(2)
    ]
    path.write_bytes(pickle.dumps(refs))
    return path


def make_rows(name: str, num_images: int = 4) -> list[dict[str, Any]]:
    """The published expressions with other case and punctuation, all called val."""
    texts = [f"Man {n} on the left!" for n in range(2)] + ["the man"] * 4
    return [
        {
            "image": name.format(9 + image),
            "sentence": text,
            "box": [10 + 90 * (i % 2), 20, 40, 50],
            "split": "val",
        }
        for image in range(num_images)
        for i, text in enumerate(texts)
    ]


def load(tmp_path: Path, rows: list[dict[str, Any]], match: bool = True) -> LoadedSource:
    source = rows_source(write_jsonl(tmp_path / "rows.jsonl", rows))
    if match:
        refs = write_refs(tmp_path / "refs(umd).p")
        source.match = PublishedSource(name="refcocog-umd", file=str(refs))
    return read_source(source)


@pytest.mark.parametrize("name", NAMES)
def test_expressions_get_the_published_split_and_all_are_counted_once(tmp_path: Path, name: str) -> None:
    loaded = load(tmp_path, make_rows(name))
    assert loaded.matched == [
        MatchedSplit("refcocog-umd", "train", 18, 18),
        MatchedSplit("refcocog-umd", "val", 6, 6),
    ]
    assert loaded.annotations.warnings == [] and "refcocog-umd" in loaded.split_rule
    splits = {row.image_id: row.split for row in loaded.annotations.sentences}
    assert sorted(splits.values()) == ["train", "train", "train", "val"]


def test_other_rows_are_set_aside_with_their_number_and_place(tmp_path: Path) -> None:
    """As in a copy on a hub, whose val has thousands of rows more than the published one."""
    others = [
        {"image": NAMES[0].format(12), "sentence": f"thing {i}", "box": [i, 2, 30, 40], "split": "val"}
        for i in range(50)
    ]
    other_image = {"image": NAMES[0].format(500), "sentence": "the man", "box": [1, 2, 3, 4], "split": "val"}
    loaded = load(tmp_path, [*others, *make_rows(NAMES[0]), other_image])
    assert [split.num_matched for split in loaded.matched or []] == [18, 6]
    assert len(loaded.annotations.sentences) == 24 and len(loaded.annotations.images) == 4
    (note,) = [note for note in loaded.annotations.notes if "set aside" in note]
    assert note.startswith("51 other expressions of 51 objects") and "rows.jsonl:1" in note


def test_a_part_of_a_published_split_is_a_warning(tmp_path: Path) -> None:
    loaded = load(tmp_path, make_rows(NAMES[0], 1))
    assert loaded.matched == [MatchedSplit("refcocog-umd", "train", 18, 6)]
    assert "only 6 of 18" in loaded.annotations.warnings[0]


def test_rows_without_any_published_expression_are_refused(tmp_path: Path) -> None:
    rows = [{"image": "COCO_train2014_000000000009.jpg", "sentence": "a tree", "box": [1, 2, 3, 4]}]
    with pytest.raises(CliprpnError, match="refcocog-umd") as caught:
        load(tmp_path, rows)
    assert caught.value.code == "data_invalid" and "--match" in caught.value.message


@pytest.mark.parametrize(("name", "is_warned"), [(NAMES[0], True), ("photo-{}.jpg", False)])
def test_unmatched_splits_of_coco_images_are_a_warning(tmp_path: Path, name: str, is_warned: bool) -> None:
    warnings = load(tmp_path, make_rows(name), match=False).annotations.warnings
    assert [("val has 24 expressions of 8 objects" in line, "--match" in line) for line in warnings] == (
        [(True, True)] if is_warned else []
    )


def test_a_file_that_is_not_of_refs_is_refused(tmp_path: Path) -> None:
    source = rows_source(write_jsonl(tmp_path / "rows.jsonl", make_rows(NAMES[0])))
    for value in ([1, 2], [{"image_id": 3}], {"a": 1}, "text"):
        (tmp_path / "refs(umd).p").write_bytes(pickle.dumps(value))
        source.match = PublishedSource(name="refcocog-umd", file=str(tmp_path / "refs(umd).p"))
        with pytest.raises(CliprpnError) as caught:
            read_source(source)
        assert caught.value.code == "data_invalid"


def test_words_are_compared_without_case_and_punctuation() -> None:
    assert normalize("  The MAN's hat, left.") == normalize("the man s hat left")
    assert normalize("café") == normalize("cafe\u0301") != normalize("cafe")
    assert normalize("???") == "???" and normalize("!") != normalize("?")


def test_an_object_id_decides_between_objects_with_the_same_words(tmp_path: Path) -> None:
    """The google split divides the objects of an image."""
    refs = [
        {
            "ref_id": n,
            "ann_id": 70 + n,
            "image_id": 9,
            "split": split,
            "sentences": [{"sent_id": n, "sent": "man"}],
        }
        for n, split in enumerate(("train", "val"))
    ]
    (tmp_path / "refs(google).p").write_bytes(pickle.dumps(refs))
    for ann_id, split in ((70, "train"), (71, "val")):
        row = {"image": NAMES[0].format(9), "sentence": "man", "box": [1, 2, 30, 40], "ann_id": ann_id}
        source = rows_source(write_jsonl(tmp_path / f"{ann_id}.jsonl", [row]))
        source.match = PublishedSource(name="refcocog-google", file=str(tmp_path / "refs(google).p"))
        assert [row.split for row in read_source(source).annotations.sentences] == [split]
