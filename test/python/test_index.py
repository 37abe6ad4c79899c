"""The index of a data set: read and checked once, then two tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers import HEIGHT, WIDTH, small_dataset

from cliprpn.data import index as index_module
from cliprpn.data.index import DatasetIndex, open_or_build_index
from cliprpn.errors import CliprpnError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_dataset(tmp_path / "data")


def opened(root: Path, cache: Path, dataset_id: str = "blocks") -> DatasetIndex:
    index_module._opened.clear()  # As a new process would.
    return open_or_build_index(root, "umd", dataset_id, cache)


def test_rows_join_sentences_with_their_pictures(root: Path, tmp_path: Path) -> None:
    index = opened(root, tmp_path)
    assert index.texts()[3] == "the large green thing"
    assert index.image_rows.tolist() == [row // 2 for row in range(24)]
    assert index.image_path(3) == root / "images" / "COCO_train2014_000000000003.png"
    assert index.gt_boxes[2].tolist() == [14, 11, 54.5, 41.25] and index.gt_boxes.dtype == np.float32
    assert index.image_sizes(np.array([0, 5])).tolist() == [[WIDTH, HEIGHT]] * 2
    assert index.split("val").tolist() == [4, 5, 16, 17]
    assert index.split("val", 3).tolist() == [4, 5, 16]
    assert index.split("test", 0).tolist() == []
    counts = {
        each["split"]: (each["num_images"], each["num_refs"], each["num_sentences"])
        for each in index.counts()
    }
    assert counts == {"train": (8, 8, 16), "val": (2, 2, 4), "test": (2, 2, 4)}


def test_a_later_process_reads_the_tables_only(root: Path, tmp_path: Path) -> None:
    first = opened(root, tmp_path)
    (root / "annotations" / "refs(umd).p").unlink()
    second = opened(root, tmp_path)
    assert second.sentences.equals(first.sentences) and second.images.equals(first.images)


def test_the_same_data_elsewhere_are_the_same_data(root: Path, tmp_path: Path) -> None:
    opened(root, tmp_path)
    moved = root.rename(tmp_path / "moved")
    assert opened(moved, tmp_path).image_path(0).is_file()


def test_a_picture_that_has_gone_since_is_named(root: Path, tmp_path: Path) -> None:
    opened(root, tmp_path)
    (root / "images" / "COCO_train2014_000000000003.png").unlink()
    with pytest.raises(CliprpnError, match="picture 3"):
        opened(root, tmp_path)


def test_data_that_are_wrong_leave_no_index(root: Path, tmp_path: Path) -> None:
    picture = root / "images" / "COCO_train2014_000000000003.png"
    picture.rename(tmp_path / "away.png")
    with pytest.raises(CliprpnError, match="picture 3"):
        opened(root, tmp_path)
    (tmp_path / "away.png").rename(picture)
    assert len(opened(root, tmp_path).texts()) == 24


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", None])
def test_a_broken_table_says_what_to_delete(root: Path, tmp_path: Path, content: bytes | None) -> None:
    opened(root, tmp_path)
    table = next(tmp_path.glob("datasets/blocks/images-*.parquet"))
    table.unlink() if content is None else table.write_bytes(content)
    with pytest.raises(CliprpnError, match="delete") as caught:
        opened(root, tmp_path)
    assert caught.value.code == "data_invalid" and str(table.parent) in caught.value.message
