"""Which images of several datasets are the same: by name, by COCO's number, and by the bytes of their files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cliprpn.contract.generated import TrialDataset
from cliprpn.figures import combined_images
from cliprpn.figures.combined_images import DistinctImages, SplitImages, distinct_images

FACTS: dict[str, Any] = {
    "format_version": 1,
    "source": {"layout": "refcoco", "instances_file": "instances.json", "refs_file": "refs.p"},
    "annotation_files": [],
    "max_pixels": 1000,
    "follow_links": False,
    "allow_missing": False,
    "pictures_sha256": "",
    "dropped": {"num_images": 0, "num_refs": 0, "num_sentences": 0},
    "splits": [],
    "split_rule": "",
    "deviations": [],
    "notes": [],
    "prepared_at": "",
    "cliprpn_version": "",
}


@pytest.fixture
def make(tmp_path: Path) -> Any:
    """Makes a dataset of these files; None for one that is missing. Returns its images as those of a split."""

    def make(name: str, files: Mapping[str, bytes | None], split_by: str = "own") -> SplitImages:
        root = tmp_path / name
        for file, content in files.items():
            path = root / "images" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                path.write_bytes(content)
        facts = {"id": f"id-{name}", "name": name, "split_by": split_by, "images_dir": str(root / "images")}
        (root / "dataset.json").write_text(json.dumps({**FACTS, **facts}))
        return SplitImages(dataset_of(root, name, split_by), list(files))

    return make


def dataset_of(root: Path, name: str, split_by: str = "own") -> TrialDataset:
    values = {"id": f"id-{name}", "name": name, "root": str(root), "split_by": split_by}
    return TrialDataset.model_validate(values)


def shared(found: DistinctImages, first: str, second: str) -> list[tuple[int, int]]:
    """Pairs of images of two splits that are the same."""
    a, b = found.positions[first].tolist(), found.positions[second].tolist()
    return [(i, b.index(position)) for i, position in enumerate(a) if position in b]


def test_two_demos_share_no_image_though_their_ids_and_names_are_equal(make: Any) -> None:
    """Published splits of images that are none of COCO's."""
    one = make("one", {"demo_000001.png": b"a1", "demo_000002.png": b"a2"}, "umd")
    other = make("other", {"demo_000001.png": b"b1", "demo_000002.png": b"b2"}, "umd")
    found = distinct_images({"one:test": one, "other:test": other})
    assert (found.num, found.notes) == (4, [])


def test_files_with_the_same_bytes_are_one_image_whatever_they_are_named(make: Any) -> None:
    one = make("one", {"a.jpg": b"same", "b.jpg": b"one"})
    other = make("other", {"x/1.jpg": b"two", "x/2.jpg": b"same", "x/3.jpg": b"else"})
    found = distinct_images({"one:test": one, "other:test": other})
    assert found.num == 4
    assert shared(found, "one:test", "other:test") == [(0, 1)]


def test_a_renamed_image_of_coco_is_found_by_its_bytes(make: Any) -> None:
    published = make("published", {"COCO_train2014_000000000009.jpg": b"nine", "000000000025.jpg": b"else"})
    mine = make("mine", {"dog.jpg": b"nine"})
    third = make("third", {"train2017/000000000009.jpg": b"compressed again"})
    found = distinct_images({"p:val": published, "mine:test": mine, "t:test": third})
    assert found.num == 2
    assert shared(found, "p:val", "mine:test") == shared(found, "p:val", "t:test") == [(0, 0)]


def test_names_with_a_number_of_coco_need_no_files() -> None:
    names = ["COCO_train2014_000000000009_3.jpg", "x/000000000025.jpg"]
    found = distinct_images(
        {
            "a:val": SplitImages(dataset_of(Path("none"), "a", "unc"), names),
            "b:val": SplitImages(dataset_of(Path("none"), "b"), names[::-1]),
        }
    )
    assert (found.num, found.notes) == (2, [])
    assert shared(found, "a:val", "b:val") == [(0, 1), (1, 0)]


def test_splits_of_one_dataset_share_images_by_name_and_no_file_is_read(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "none", "mine")
    splits = {
        "mine:val": SplitImages(dataset, ["a.jpg", "b.jpg"]),
        "mine:test": SplitImages(dataset, ["./b.jpg", "c.jpg"]),
    }
    found = distinct_images(splits)
    assert (found.num, found.notes) == (3, [])
    assert shared(found, "mine:val", "mine:test") == [(1, 0)]


def test_only_files_of_the_same_length_are_read(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    hash_files = combined_images._hash_files

    def record(files: Any) -> list[str | None]:
        kept = list(files)
        read.extend(file.path.name for file in kept)
        return hash_files(kept)

    monkeypatch.setattr(combined_images, "_hash_files", record)
    one = make("one", {"1.jpg": b"1", "22.jpg": b"22", "twin.jpg": b"22"})
    other = make("other", {"a.jpg": b"x", "long.jpg": b"long"})
    assert distinct_images({"one:val": one, "other:val": other}).num == 5
    assert sorted(read) == ["1.jpg", "a.jpg"]


def test_images_without_a_file_count_as_others_and_are_counted_in_a_note(make: Any, tmp_path: Path) -> None:
    one = make("one", {"a.jpg": b"same", "gone.jpg": None, "pipe.jpg": None})
    os.mkfifo(tmp_path / "one" / "images" / "pipe.jpg")  # Reading it would wait forever.
    other = make("other", {"a.jpg": b"same", "gone.jpg": b"x"})
    absent = SplitImages(dataset_of(tmp_path / "absent", "absent"), ["a.jpg"])
    found = distinct_images({"one:val": one, "other:val": other, "absent:val": absent})
    assert found.num == 5
    assert [note.split(":")[0] for note in found.notes] == [
        "1 of 1 images of absent have no file here",
        "2 of 3 images of one have no file here",
    ]


def test_the_order_of_splits_changes_nothing(make: Any) -> None:
    one = make("one", {"a.jpg": b"same", "b.jpg": b"1"})
    other = make("other", {"c.jpg": b"2", "d.jpg": b"same"})
    splits = {"one:val": one, "other:val": other}
    found, turned = distinct_images(splits), distinct_images(dict(reversed(splits.items())))
    assert found.num == turned.num
    for split, positions in found.positions.items():
        assert positions.tolist() == turned.positions[split].tolist()
