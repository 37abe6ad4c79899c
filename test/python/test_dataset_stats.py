"""Statistics of a dataset that can be counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import HEIGHT, WIDTH, make_records, write_dataset
from prepared import prepare

from cliprpn.contract.generated import DatasetStats
from cliprpn.data import index as index_module
from cliprpn.errors import CliprpnError
from cliprpn.figures.dataset_stats.compute import compute_dataset_stats

pytestmark = pytest.mark.usefixtures("no_open_datasets")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six images: four of train, one of val, one of test; two blocks and two sentences each."""
    return prepare(write_dataset(tmp_path / "raw", *make_records(6)), tmp_path / "prepared")


def stats_of(folder: Path, hash_pixels: bool = False) -> DatasetStats:
    return compute_dataset_stats(folder, hash_pixels)


def test_counts_of_words_and_objects_of_the_same_category(folder: Path) -> None:
    train, val, test = stats_of(folder).splits
    assert [split.split for split in (train, val, test)] == ["train", "val", "test"]
    assert (train.num_images, train.num_refs, train.num_sentences) == (4, 4, 8)
    # "the red block" and "the large red thing".
    assert (train.words.min, train.words.p50, train.words.max, train.words.mean) == (3, 3.5, 4, 3.5)
    assert train.word_histogram == [0, 8, 0, 0, 0, 0, 0]
    assert train.same_category.model_dump() == {"one": 0, "two": 8, "three_or_more": 0, "unknown": 0}
    assert [entry.model_dump() for entry in val.top_categories] == [{"category": "block", "num_sentences": 2}]
    assert test.objects_per_image.p50 == 2
    assert test.aspects is not None and test.aspects.p50 == WIDTH / HEIGHT
    assert stats_of(folder).num_coco_train2014 == 6
    origins = stats_of(folder).image_origins
    assert origins is not None
    assert [(each.origin, each.num_images) for each in origins] == [("coco_train2014", 6)]


def test_unusual_sentences_are_counted(folder: Path) -> None:
    change(
        folder,
        "sentences",
        "sentence",
        {0: "The left-most café", 1: "the LEFT-MOST cafe", 2: "leftover rights"},
    )
    change(folder, "sentences", "sentence", {4: "same", 5: "same"})
    train = stats_of(folder).splits[0]
    assert (train.num_left_right, train.num_non_ascii) == (2, 1)
    # Rows 4 and 5 belong to val: their image is the third.
    assert train.num_repeated == 0
    assert stats_of(folder).splits[1].num_repeated == 1


def test_areas_are_relative_to_the_image(folder: Path) -> None:
    stats = stats_of(folder)
    area = 40.5 * 30.25 / (WIDTH * HEIGHT)  # 11.3 % for every box
    for split in stats.splits:
        assert split.areas is not None
        assert split.areas.quantiles.p50 == pytest.approx(area, rel=1e-6)
        assert split.areas.refcocog_shares.model_dump() == {"small": 0, "medium": 1, "large": 0}
    assert stats.area_cuts is not None
    assert stats.area_cuts.own_low == pytest.approx(area, rel=1e-6)


def test_the_iou_of_the_whole_image_is_the_relative_area(folder: Path) -> None:
    for split in stats_of(folder).splits:
        whole, constant = split.floors
        assert split.areas is not None
        assert whole.miou == pytest.approx(split.areas.quantiles.mean, rel=1e-6)
        assert whole.acc_at_50 == 0
        assert constant.miou > whole.miou


def test_a_consistent_dataset_passes_every_check(folder: Path) -> None:
    stats = stats_of(folder, hash_pixels=True)
    assert [(overlap.first, overlap.second) for overlap in stats.overlaps] == [
        ("train", "val"),
        ("train", "test"),
        ("val", "test"),
    ]
    for overlap in stats.overlaps:
        shared = (
            overlap.num_images,
            overlap.num_identical_pixels,
            overlap.num_refs,
            overlap.num_objects,
            overlap.num_sentences,
        )
        assert shared == (0, 0, 0, 0, 0)
    wrong = {check.expected: check.num_wrong for check in stats.table_checks if check.num_wrong > 0}
    assert wrong == {"counts agree with dataset.json": 3}  # The helper writes none.


def test_an_image_in_two_splits_is_reported(folder: Path) -> None:
    # The second image's second sentence moves to val, and the third image's first one from val to train.
    change(folder, "sentences", "split", {3: "val", 4: "train"})
    train_val = stats_of(folder).overlaps[0]
    assert (train_val.num_images, train_val.num_refs, train_val.num_objects) == (2, 2, 2)
    assert train_val.num_sentences == 0
    assert train_val.num_identical_pixels is None
    assert train_val.examples == ["COCO_train2014_000000000001.png", "COCO_train2014_000000000002.png"]
    change(folder, "sentences", "sentence", {2: "The Same ", 3: "the same"})
    index_module._opened.clear()
    assert stats_of(folder).overlaps[0].num_sentences == 1


def test_a_renamed_copy_is_reported_by_its_pixels(tmp_path: Path) -> None:
    raw = write_dataset(tmp_path / "raw", *make_records(6))
    files = sorted((raw / "images").iterdir())
    files[4].write_bytes(files[0].read_bytes())  # the image of test is a copy of train's first
    stats = stats_of(prepare(raw, tmp_path / "prepared"), hash_pixels=True)
    shared = {
        (overlap.first, overlap.second): (overlap.num_images, overlap.num_identical_pixels)
        for overlap in stats.overlaps
    }
    assert shared == {("train", "val"): (0, 0), ("train", "test"): (0, 1), ("val", "test"): (0, 0)}
    assert stats.overlaps[1].examples == ["COCO_train2014_000000000004.png"]


@pytest.mark.parametrize(
    ("table", "column", "values", "expected", "example"),
    [
        ("objects", "ann_id", {0: 1}, "object ids are unique", "1"),
        ("sentences", "sent_id", {1: 0}, "sentence ids are unique", "0"),
        ("sentences", "ann_id", {3: 0}, "every sentence has an object in its image", "sent_id 3"),
        ("sentences", "sentence", {3: " "}, "every sentence has text", "sent_id 3"),
        (
            "sentences",
            "gt_box_xyxy",
            {3: [10, 10, WIDTH + 1, 20]},
            "every sentence's box has a positive area and lies in its image",
            "sent_id 3",
        ),
        (
            "sentences",
            "gt_box_xyxy",
            {3: [10, 10, 10, 20]},
            "every sentence's box has a positive area and lies in its image",
            "sent_id 3",
        ),
        (
            "images",
            "pixel_row",
            {2: 3},
            "pixels/squash-64 match the images of the table",
            "COCO_train2014_000000000002.png",
        ),
    ],
)
def test_a_damaged_table_is_reported(
    folder: Path, table: str, column: str, values: dict[int, object], expected: str, example: str
) -> None:
    change(folder, table, column, values)
    check = {check.expected: check for check in stats_of(folder).table_checks}[expected]
    assert (check.num_wrong, check.examples) == (1, [example])


def test_without_image_sizes_there_are_no_areas(folder: Path) -> None:
    for column in ("width", "height", "pixel_row"):
        change(folder, "images", column, dict.fromkeys(range(6)))
    (folder / "pixels/squash-64/manifest.json").unlink()
    stats = stats_of(folder, hash_pixels=True)
    assert stats.area_cuts is None
    assert [(split.areas, split.aspects, split.floors) for split in stats.splits] == [(None, None, [])] * 3
    assert stats.splits[0].words.p50 == 3.5
    assert len(stats.examples) == 6


def test_examples_cover_all_splits_and_different_images(folder: Path) -> None:
    examples = stats_of(folder).examples
    assert len({example.file_name for example in examples}) == len(examples) == 6
    assert [example.split for example in examples][:3] == ["train", "val", "test"]
    index_module._opened.clear()
    assert stats_of(folder).examples == examples
    assert np.allclose(examples[0].box_xyxy[2] - examples[0].box_xyxy[0], 40.5)


def test_a_missing_table_is_reported_with_the_fix(folder: Path) -> None:
    (folder / "objects.parquet").unlink()
    with pytest.raises(CliprpnError, match=r"objects\.parquet.*delete .*dataset\.json") as caught:
        stats_of(folder)
    assert caught.value.code == "data_invalid"


def test_a_sentence_without_its_image_is_reported(folder: Path) -> None:
    change(folder, "sentences", "image_id", {3: 77})
    with pytest.raises(CliprpnError, match=r"image of every sentence.* 1\b") as caught:
        stats_of(folder)
    assert caught.value.code == "data_invalid"


def test_a_duplicate_image_is_reported(folder: Path) -> None:
    path = folder / "images.parquet"
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table.slice(2, 1)]), path)
    check = {check.expected: check for check in stats_of(folder).table_checks}["image ids are unique"]
    assert (check.num_checked, check.num_wrong, check.examples) == (7, 1, ["2"])


def test_counts_are_compared_with_dataset_json(folder: Path) -> None:
    facts = json.loads((folder / "dataset.json").read_text())
    counts = [("train", 4, 8), ("val", 1, 2), ("test", 1, 3)]
    facts["splits"] = [
        {"split": split, "num_images": images, "num_refs": images, "num_sentences": sentences}
        for split, images, sentences in counts
    ]
    (folder / "dataset.json").write_text(json.dumps(facts))
    checks = {check.expected: check for check in stats_of(folder).table_checks}
    assert checks["counts agree with dataset.json"].examples == ["test"]


def change(folder: Path, table: str, column: str, values: dict[int, object]) -> None:
    """Replaces values in some rows of a table."""
    path = folder / f"{table}.parquet"
    whole = pq.read_table(path)
    rows = whole.to_pylist()
    for row, value in values.items():
        rows[row][column] = value
    pq.write_table(pa.Table.from_pylist(rows, schema=whole.schema), path)
