"""A training set of several datasets has no image of an evaluation split."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from helpers import draw, make_records, write_dataset
from PIL import Image
from prepared import prepare, source_of

from cliprpn.contract.generated import JoinDatasetsParams, JoinDatasetsResult
from cliprpn.data.annotations import Annotations
from cliprpn.data.sources import read_source
from cliprpn.errors import CliprpnError
from cliprpn.joint.join import join_datasets
from cliprpn.joint.orientation import common_orientation

pytestmark = pytest.mark.usefixtures("no_open_datasets")

ALL = ["val", "test"]


def dataset(
    where: Path, splits: str, number: int = 0, prefix: str = "COCO_train2014_", **changes: Any
) -> Path:
    """A prepared dataset with an image for each letter of `splits` (t, v or e: train, val, test), from `number` on.

    Images whose numbers are equal have the same content.
    """
    instances, refs = make_records(len(splits))
    for image in instances["images"]:
        image["file_name"] = f"{prefix}{number + image['id']:012d}.png"
    for ref, letter in zip(refs, splits, strict=True):
        ref["split"] = {"t": "train", "v": "val", "e": "test"}[letter]
        ref.update(changes)
    root = write_dataset(where / "raw", instances, refs)
    for image in instances["images"]:
        draw(root / "images" / image["file_name"], number + image["id"], None)
    return prepare(root, where / "prepared", dataset_id=where.name)


def join(
    parts: list[Path], val: Path, excluded: dict[Path, list[str]], out_dir: Path | None
) -> JoinDatasetsResult:
    return join_datasets(
        JoinDatasetsParams.model_validate(
            {
                "parts": [folder(part) for part in parts],
                "val": folder(val),
                "excluded": [
                    {"dataset": folder(root), "splits": splits} for root, splits in excluded.items()
                ],
                "images_dir": str(parts[0].parent.parent),
                "out_dir": None if out_dir is None else str(out_dir),
                "cache_dir": str(parts[0].parent.parent / "cache"),
            }
        )
    )


def folder(root: Path) -> dict[str, str]:
    return {"id": root.parent.name, "root": str(root)}


def read(out_dir: Path) -> Annotations:
    return read_source(source_of(out_dir, "own")).annotations


def images_of(annotations: Annotations, split: str) -> set[str]:
    ids = {row.image_id for row in annotations.sentences if row.split == split}
    return {image.file_name for image in annotations.images if image.image_id in ids}


def test_no_image_of_an_evaluation_split_is_trained_on(tmp_path: Path) -> None:
    # Numbers 0-5 and 3-8: image 3 is train of both, 4 is test of the first and train of the second, 5 is train and val.
    first = dataset(tmp_path / "first", "ttvtet")
    second = dataset(tmp_path / "second", "ttvtte", 3)
    excluded = {first: ALL, second: ALL}
    result = join([first, second], first, excluded, tmp_path / "joint")
    joint = read(tmp_path / "joint")
    assert images_of(joint, "val") == {name("first", 2)}
    assert images_of(joint, "train") == {
        *(name("first", number) for number in (0, 1, 3)),
        *(name("second", number) for number in (6, 7)),
    }
    # Image 3 has the expressions of both.
    assert [row.split for row in joint.sentences].count("train") == 2 * 6
    assert (result.num_images, result.num_sentences) == (5, 12)
    assert (result.num_images_left_out, result.num_sentences_left_out) == (2, 4)


def name(folder: str, number: int, prefix: str = "COCO_train2014_") -> str:
    return f"{folder}/raw/images/{prefix}{number:012d}.png"


def test_only_the_listed_splits_are_left_out(tmp_path: Path) -> None:
    first = dataset(tmp_path / "first", "ttvtet")
    second = dataset(tmp_path / "second", "ttvtte", 3)
    result = join([first, second], first, {first: ["val"]}, tmp_path / "joint")
    assert result.num_images_left_out == 0
    assert name("second", 4) in images_of(read(tmp_path / "joint"), "train")


@pytest.mark.parametrize("is_copy", [True, False])
def test_images_without_coco_numbers_are_compared_by_content(tmp_path: Path, is_copy: bool) -> None:
    first = dataset(tmp_path / "first", "ttvtet")
    mine = dataset(tmp_path / "mine", "eet", 100, prefix="photo-x")
    photos = tmp_path / "mine" / "raw" / "images"
    source = tmp_path / "first" / "raw" / "images" / Path(name("first", 3)).name
    copy_image(source, photos / "photo-x000000000100.png", is_copy)
    shutil.rmtree(tmp_path / "mine" / "prepared")
    mine = prepare(tmp_path / "mine" / "raw", tmp_path / "mine" / "prepared", dataset_id="mine")
    result = join([first], first, {first: ALL, mine: ["test"]}, tmp_path / "joint")
    assert result.num_images_left_out == 1
    assert images_of(read(tmp_path / "joint"), "train") == {name("first", number) for number in (0, 1, 5)}


def test_an_image_of_two_datasets_is_one_image_with_the_objects_of_both_once(tmp_path: Path) -> None:
    first = dataset(tmp_path / "first", "ttv")
    second = dataset(tmp_path / "second", "ttv")
    join([first, second], first, {}, tmp_path / "joint")
    joint = read(tmp_path / "joint")
    assert len(joint.images) == 3
    assert len(joint.objects) == 2 * 3
    train = [row for row in joint.sentences if row.split == "train"]
    assert len(train) == 2 * 2 * 2
    assert len({row.sent_id for row in joint.sentences}) == len(joint.sentences)
    assert len({row.ref_id for row in train}) == 4
    assert len({row.ann_id for row in train}) == 2


def test_boxes_sentences_and_the_ids_of_val_are_kept(tmp_path: Path) -> None:
    first = dataset(tmp_path / "first", "tvt")
    join([first], first, {first: ALL}, tmp_path / "joint")
    before = read_source(source_of(tmp_path / "first" / "raw")).annotations
    joint = read(tmp_path / "joint")

    def facts(annotations: Annotations, split: str) -> list[tuple[object, ...]]:
        return [
            (row.sentence, *annotations.objects[row.ann_id].box, annotations.objects[row.ann_id].category)
            for row in annotations.sentences
            if row.split == split
        ]

    assert facts(joint, "train") == facts(before, "train")
    assert facts(joint, "val") == facts(before, "val")
    assert [row.sent_id for row in joint.sentences if row.split == "val"] == [
        row.sent_id for row in before.sentences if row.split == "val"
    ]


def test_counting_writes_nothing_and_writing_again_gives_the_same_files(tmp_path: Path) -> None:
    first = dataset(tmp_path / "first", "ttvte")
    counted = join([first], first, {first: ALL}, None)
    assert join([first], first, {first: ALL}, tmp_path / "a") == counted
    join([first], first, {first: ALL}, tmp_path / "b")
    for file in ("instances.json", "refs(own).p"):
        contents = [(tmp_path / each / "annotations" / file).read_bytes() for each in ("a", "b")]
        assert contents[0] == contents[1]


def copy_image(source: Path, target: Path, is_copy: bool) -> None:
    """Gives a file the content of another one: its bytes, or only its pixels."""
    if is_copy:
        shutil.copyfile(source, target)
        return
    with Image.open(source) as image:
        image.save(target, compress_level=0)


@pytest.mark.parametrize("is_copy", [True, False])
def test_numbers_of_no_collection_are_not_trusted_to_be_different_images(
    tmp_path: Path, is_copy: bool
) -> None:
    first = dataset(tmp_path / "first", "ttvtet", prefix="")
    dataset(tmp_path / "mine", "eet", 100, prefix="")
    raw = tmp_path / "mine" / "raw"
    copy_image(tmp_path / "first/raw/images/000000000003.png", raw / "images" / "000000000100.png", is_copy)
    shutil.rmtree(tmp_path / "mine" / "prepared")
    mine = prepare(raw, tmp_path / "mine" / "prepared", dataset_id="mine")
    result = join([first], first, {first: ALL, mine: ["test"]}, tmp_path / "joint")
    assert result.num_images_left_out == 1
    assert images_of(read(tmp_path / "joint"), "train") == {name("first", n, "") for n in (0, 1, 5)}


@pytest.mark.parametrize("prefix", ["", "COCO_train2014_"])
def test_the_same_number_of_another_image_is_left_out_but_gets_no_boxes(tmp_path: Path, prefix: str) -> None:
    first = dataset(tmp_path / "first", "ttv", prefix=prefix)
    dataset(tmp_path / "second", "tte", prefix=prefix)
    images = tmp_path / "second" / "raw" / "images"
    for number in range(3):
        draw(images / f"{prefix}{number:012d}.png", 50 + number, None)
    shutil.rmtree(tmp_path / "second" / "prepared")
    second = prepare(images.parent, tmp_path / "second" / "prepared", dataset_id="second")
    joint = join([first, second], first, {first: ALL}, tmp_path / "joint")
    # Image 2 of the second dataset has the number of a val image, and is in its test split only.
    assert (joint.num_images, joint.num_images_left_out) == (4, 0)
    written = read(tmp_path / "joint")
    assert images_of(written, "train") == {
        name(each, n, prefix) for each in ("first", "second") for n in (0, 1)
    }
    assert len(written.objects) == 2 * 5
    with pytest.raises(CliprpnError, match="all 2 are also evaluated on"):
        join([second], first, {first: ["train", "val"]}, None)


def test_an_unreadable_image_of_an_evaluation_split_is_an_error(tmp_path: Path) -> None:
    first = dataset(tmp_path / "first", "ttv", prefix="a")
    mine = prepare(tmp_path / "first" / "raw", tmp_path / "mine" / "prepared", size=32, dataset_id="mine")
    (tmp_path / "first/raw/images/a000000000002.png").unlink()
    with pytest.raises(
        CliprpnError, match=r"expected the images of val.* 1 cannot be read, such as a0"
    ) as raised:
        join([mine], mine, {first: ["val"]}, None)
    assert raised.value.code == "data_invalid"


def test_a_dataset_that_was_replaced_is_an_error(tmp_path: Path) -> None:
    first = dataset(tmp_path / "first", "ttv")
    facts = first / "dataset.json"
    facts.write_text(facts.read_text().replace('"id": "first"', '"id": "other"'))
    with pytest.raises(CliprpnError, match="the dataset has changed") as raised:
        join([first], first, {}, None)
    assert raised.value.code == "data_invalid"


def test_images_of_val_in_a_test_split_are_counted(tmp_path: Path) -> None:
    first = dataset(tmp_path / "first", "ttvvt")
    second = dataset(tmp_path / "second", "eet", 3)
    assert join([first], first, {first: ALL}, None).num_val_images_tested == 0
    assert join([first], first, {first: ALL, second: ["test"]}, None).num_val_images_tested == 1
    assert join([first], first, {first: ALL, second: ["val"]}, None).num_val_images_tested == 0


def test_equal_objects_of_a_dataset_stay_as_many(tmp_path: Path) -> None:
    instances, refs = make_records(2)
    extra = {**instances["annotations"][0], "id": 1000}
    instances["annotations"].append(extra)
    refs[1]["split"] = "val"
    root = write_dataset(tmp_path / "one" / "raw", instances, refs)
    one = prepare(root, tmp_path / "one" / "prepared", dataset_id="one")
    two = prepare(root, tmp_path / "two" / "prepared", dataset_id="two")
    join([one, two], one, {}, tmp_path / "joint")
    assert len(read(tmp_path / "joint").objects) == 2 * 2 + 1


def test_nothing_left_to_train_on_is_an_error(tmp_path: Path) -> None:
    first = dataset(tmp_path / "first", "tv")
    second = dataset(tmp_path / "second", "ev")
    with pytest.raises(CliprpnError, match="all 1 are also evaluated on") as raised:
        join([first], first, {second: ALL}, None)
    assert raised.value.code == "data_invalid"


def test_rotated_images_must_have_the_same_frame_everywhere(tmp_path: Path) -> None:
    plain, rotated = tmp_path / "plain.png", tmp_path / "rotated.png"
    image = Image.new("RGB", (4, 2))
    image.save(plain)
    exif = Image.Exif()
    exif[0x0112] = 3
    image.save(rotated, exif=exif)
    assert common_orientation([(plain, False), (rotated, False)]) == "stored"
    assert common_orientation([(plain, False), (rotated, True)]) == "upright"
    with pytest.raises(CliprpnError, match="same frame"):
        common_orientation([(rotated, True), (plain, False), (rotated, False)])
