"""A prepared dataset is opened from its tables alone, and only if its id is the expected one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import HEIGHT, WIDTH, small_dataset
from prepared import prepare

from cliprpn.data import index as index_module
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.errors import CliprpnError

pytestmark = pytest.mark.usefixtures("no_open_datasets")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in its original layout, `data`, and prepared, `prepared`."""
    folder = tmp_path_factory.mktemp("index")
    prepare(small_dataset(folder / "data"), folder / "prepared")
    return folder


@pytest.fixture
def root(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original / "prepared", tmp_path / "prepared"))


def opened(root: Path, dataset_id: str = "blocks") -> DatasetIndex:
    index_module._opened.clear()  # Like a new process.
    return open_dataset(root, dataset_id)


def error_message(root: Path, dataset_id: str = "blocks") -> str:
    with pytest.raises(CliprpnError) as caught:
        opened(root, dataset_id)
    assert caught.value.code == "data_invalid" and str(root) in caught.value.message
    return caught.value.message


def test_sentences_are_joined_with_their_images(original: Path, root: Path) -> None:
    index = opened(root)
    assert (index.root, index.images_dir, index.source_box_format) == (
        root,
        original / "data" / "images",
        "xywh",
    )
    assert index.texts()[3] == "the large green thing"
    assert index.image_rows.tolist() == [row // 2 for row in range(24)]
    assert index.images["file_name"][3].as_py() == "COCO_train2014_000000000003.png"
    assert index.gt_boxes[2].tolist() == [14, 11, 54.5, 41.25] and index.gt_boxes.dtype == np.float32
    assert index.image_sizes(np.array([0, 5])).tolist() == [[WIDTH, HEIGHT]] * 2
    assert index.split("val").tolist() == [4, 5, 16, 17]
    assert index.split("val", 3).tolist() == [4, 5, 16]
    assert index.split("test", 0).tolist() == []
    counts = {
        count["split"]: (count["num_images"], count["num_refs"], count["num_sentences"])
        for count in index.counts()
    }
    assert counts == {"train": (8, 8, 16), "val": (2, 2, 4), "test": (2, 2, 4)}


def test_a_dataset_is_opened_once_per_process_from_the_tables_alone(original: Path, root: Path) -> None:
    first = opened(root)
    (original / "data").rename(original / "away")
    try:
        second = opened(root)
    finally:
        (original / "away").rename(original / "data")
    assert second.sentences.equals(first.sentences) and second.images.equals(first.images)
    (root / "sentences.parquet").unlink()
    assert open_dataset(root, "blocks") is second


def test_a_prepared_dataset_can_be_moved(root: Path, tmp_path: Path) -> None:
    texts = opened(root).texts()
    assert opened(root.rename(tmp_path / "moved")).texts() == texts


def test_a_dataset_with_another_id_is_rejected(root: Path) -> None:
    opened(root)
    facts = json.loads((root / "dataset.json").read_text())
    (root / "dataset.json").write_text(json.dumps(facts | {"id": "others"}))
    message = error_message(root)
    assert "expected blocks, found others" in message
    assert opened(root, "others").dataset_id == "others"
    # The open dataset has another id, so it is not returned.
    with pytest.raises(CliprpnError, match="expected blocks, found others"):
        open_dataset(root, "blocks")


def change(**changes: Any) -> Callable[[Path], Any]:
    return lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (Path.unlink, "npx cliprpn prepare"),
        (lambda path: path.write_bytes(b""), "prepare it again"),
        (lambda path: path.write_bytes(b"\xff{"), "prepare it again"),
        (lambda path: path.write_text("[]"), "prepare it again"),
        (change(format_version=2), "format_version"),
        (change(surprise=1), "surprise"),
        (change(source={"layout": "tarot"}), "source"),
    ],
)
def test_a_folder_without_a_valid_dataset_json_is_rejected(
    root: Path, damage: Callable[[Path], Any], expected: str
) -> None:
    damage(root / "dataset.json")
    assert expected in error_message(root)


def test_a_dataset_without_images_opens(root: Path) -> None:
    change(images_dir=None)(root / "dataset.json")
    assert opened(root).images_dir is None


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", None])
@pytest.mark.parametrize("name", ["images", "sentences", "objects"])
def test_a_broken_table_error_says_what_to_delete(root: Path, name: str, content: bytes | None) -> None:
    table = root / f"{name}.parquet"
    table.unlink() if content is None else table.write_bytes(content)
    message = error_message(root)
    assert "delete" in message and table.name in message
