"""Images that datasets share by their content, by splits."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from helpers import draw, make_records, write_dataset
from PIL import Image
from prepared import prepare

from cliprpn.contract.generated import CompareDatasetsResult
from cliprpn.errors import CliprpnError
from cliprpn.figures.dataset_stats import image_hashes, shared_images

pytestmark = pytest.mark.usefixtures("no_open_datasets")


def compare_datasets(roots: list[Path]) -> CompareDatasetsResult:
    return shared_images.compare_datasets(roots, roots[0].parent / "cache")


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """Six images: 2 is val, 4 is test, the others are train."""
    return write_dataset(tmp_path / "first", *make_records(6))


@pytest.fixture
def second(tmp_path: Path, first: Path) -> Path:
    """Six images of other names, with the same splits.

    Image 0 is the file of image 2 of the first dataset, image 2 has the pixels of its image 0, and the others are new.
    """
    instances, refs = make_records(6)
    for image in instances["images"]:
        image["file_name"] = f"photo-{image['id']}.png"
    for ref in refs:
        ref["file_name"] = f"photo-{ref['image_id']}.png"
    root = write_dataset(tmp_path / "second", instances, refs)
    for image_id in range(6):
        draw(root / "images" / f"photo-{image_id}.png", 100 + image_id, None)
    shutil.copyfile(first / "images" / name(2), root / "images" / "photo-0.png")
    with Image.open(first / "images" / name(0)) as image:
        image.save(root / "images" / "photo-2.png", compress_level=0)
    return root


def name(image_id: int) -> str:
    return f"COCO_train2014_{image_id:012d}.png"


def shared(result: CompareDatasetsResult) -> dict[tuple[str, str], tuple[int, int, list[tuple[str, str]]]]:
    """What each pair of splits shares, if anything."""
    return {
        (pair.first_split, pair.second_split): (
            pair.num_same_file,
            pair.num_same_pixels,
            [(each.first, each.second) for each in pair.examples],
        )
        for pair in result.pairs
        if pair.num_same_file + pair.num_same_pixels > 0
    }


@pytest.mark.parametrize(("size", "pixels"), [(64, "squash-64"), (32, "files")])
def test_shared_images_are_counted_by_splits(
    tmp_path: Path, first: Path, second: Path, size: int, pixels: str
) -> None:
    roots = [prepare(first, tmp_path / "a"), prepare(second, tmp_path / "b", size)]
    result = compare_datasets(roots)
    assert result.pixels == pixels
    assert (result.num_images, result.num_missing_files, result.num_without_pixels) == (
        [6, 6],
        [0, 0],
        [0, 0],
    )
    assert len(result.pairs) == 9
    assert shared(result) == {
        ("val", "train"): (1, 0, [(name(2), "photo-0.png")]),
        ("train", "val"): (0, 1, [(name(0), "photo-2.png")]),
    }
    sizes = {(pair.first_split, pair.num_first, pair.num_second) for pair in result.pairs}
    assert ("train", 4, 4) in sizes
    assert ("val", 1, 4) in sizes


def test_images_without_files_are_compared_by_their_prepared_pixels(
    tmp_path: Path, first: Path, second: Path
) -> None:
    roots = [prepare(first, tmp_path / "a"), prepare(second, tmp_path / "b")]
    shutil.rmtree(second / "images")
    result = compare_datasets(roots)
    assert result.num_missing_files == [0, 6]
    assert shared(result) == {
        ("val", "train"): (0, 1, [(name(2), "photo-0.png")]),
        ("train", "val"): (0, 1, [(name(0), "photo-2.png")]),
    }


def test_missing_files_without_common_pixels_are_counted(tmp_path: Path, first: Path, second: Path) -> None:
    roots = [prepare(first, tmp_path / "a"), prepare(second, tmp_path / "b", 32)]
    (second / "images" / "photo-0.png").unlink()
    (second / "images" / "photo-1.png").write_bytes(b"no image")
    result = compare_datasets(roots)
    assert (result.num_missing_files, result.num_without_pixels) == ([0, 1], [0, 2])
    assert set(shared(result)) == {("train", "val")}


def test_every_pair_of_three_datasets_is_compared(tmp_path: Path, first: Path, second: Path) -> None:
    other = write_dataset(tmp_path / "third", *make_records(6))
    roots = [prepare(root, tmp_path / f"p{i}") for i, root in enumerate((first, second, other))]
    result = compare_datasets(roots)
    assert len(result.pairs) == 3 * 9
    same = [pair for pair in result.pairs if (pair.first, pair.second) == (0, 2)]
    assert {(p.first_split, p.second_split): p.num_same_file for p in same if p.num_same_file > 0} == {
        ("train", "train"): 4,
        ("val", "val"): 1,
        ("test", "test"): 1,
    }


def fail_to_read(*_: object) -> str:
    raise AssertionError("read again")


@pytest.mark.parametrize("size", [64, 32])
def test_only_new_images_are_read_again(
    tmp_path: Path, first: Path, second: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = [prepare(first, tmp_path / "a"), prepare(second, tmp_path / "b", size, dataset_id="b")]
    result = compare_datasets(roots)
    with monkeypatch.context() as patched:
        for function in ("_hash_file", "_hash_decoded", "hash_all_pixels"):
            patched.setattr(image_hashes, function, fail_to_read)
        assert compare_datasets(roots) == result
    photo = second / "images" / "photo-0.png"
    before = photo.stat()
    content = bytearray(photo.read_bytes())
    content[-5] ^= 1  # Of the checksum of the last chunk, which Pillow does not need.
    photo.write_bytes(content)
    os.utime(photo, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert shared(compare_datasets(roots))[("val", "train")] == (0, 1, [(name(2), "photo-0.png")])


def test_damaged_hashes_in_the_cache_are_computed_again(tmp_path: Path, first: Path, second: Path) -> None:
    roots = [prepare(first, tmp_path / "a"), prepare(second, tmp_path / "b", dataset_id="b")]
    result = compare_datasets(roots)
    files = [path for path in (tmp_path / "cache").rglob("*.parquet")]
    assert len(files) == 4
    for path in files:
        path.write_bytes(path.read_bytes()[:40])
    assert compare_datasets(roots) == result


def test_a_dataset_without_images_is_an_error(tmp_path: Path, first: Path) -> None:
    folder = prepare(first, tmp_path / "a")
    bare = prepare(write_dataset(tmp_path / "bare", *make_records(6)), tmp_path / "b")
    facts = bare / "dataset.json"
    facts.write_text(facts.read_text().replace(f'"{tmp_path / "bare" / "images"}"', "null"))
    with pytest.raises(CliprpnError, match="without") as error:
        compare_datasets([folder, bare])
    assert error.value.code == "data_invalid"
