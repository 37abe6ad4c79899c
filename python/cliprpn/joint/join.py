"""Joins the training splits of several datasets to one, without the images of evaluation splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cliprpn.contract.generated import JoinDatasetsParams, JoinDatasetsResult
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.errors import CliprpnError
from cliprpn.joint.orientation import common_orientation
from cliprpn.joint.same_images import ImageNumbers, same_images
from cliprpn.joint.write import JointImage, JointRef, write_joint


@dataclass(frozen=True)
class _Part:
    """A dataset: its tables, and the numbers of its images."""

    index: DatasetIndex
    numbers: ImageNumbers

    def related(self, splits: Iterable[str]) -> set[int]:
        """The images of splits, by their numbers that related images have in common."""
        rows = [self.index.image_rows[self.index.split(split)] for split in splits]
        return {number for of_split in rows for number in self.numbers.related[of_split].tolist()}

    def check_known(self, splits: Iterable[str]) -> None:
        """
        Raises:
            CliprpnError: data_invalid, if an image of the splits cannot be compared with others.
        """
        for split in splits:
            rows = np.unique(self.index.image_rows[self.index.split(split)])
            unknown = rows[~self.numbers.is_known[rows]]
            if len(unknown) > 0:
                name = self.index.images["file_name"][int(unknown[0])].as_py()
                raise CliprpnError(
                    "data_invalid",
                    f"{self.index.images_dir}: train_on: expected the images of {split}, to leave them out of "
                    f"training; {len(unknown)} cannot be read, such as {name}; put them back, or prepare the dataset "
                    "again",
                )


def join_datasets(params: JoinDatasetsParams) -> JoinDatasetsResult:
    """Writes a dataset in RefCOCOg's layout: the train splits of `parts` and the val split of `val`.

    Images of the excluded splits are left out of train. An image that several parts have is one image, with the
    expressions of all of them.

    Raises:
        CliprpnError: data_invalid, if nothing is left to train on, parts have images in different frames, an image to
            leave out cannot be read, or a folder has another dataset by now; no_space.
    """
    folders = [*params.parts, params.val, *(each.dataset for each in params.excluded)]
    ids = {Path(folder.root): folder.id for folder in folders}
    indexes = [open_dataset(root, dataset_id) for root, dataset_id in ids.items()]
    numbers = same_images(indexes, Path(params.cache_dir))
    parts = {index.root: _Part(index, of_dataset) for index, of_dataset in zip(indexes, numbers, strict=True)}
    excluded, tested = set[int](), set[int]()
    for each in params.excluded:
        part = parts[Path(each.dataset.root)]
        part.check_known(each.splits)
        excluded |= part.related(each.splits)
        tested |= part.related(split for split in each.splits if split != "val")
    joint = _Joint()
    num_left_out, left_out = 0, set[int]()
    for folder in params.parts:
        part = parts[Path(folder.root)]
        rows = part.index.split("train")
        related = part.numbers.related[part.index.image_rows[rows]]
        is_out = np.isin(related, list(excluded))
        num_left_out += int(is_out.sum())
        left_out |= set(related[is_out].tolist())
        joint.add(part, rows[~is_out], "train", params.images_dir)
    num_train, num_train_images = len(joint.refs), len(joint.images)
    if num_train == 0:
        raise CliprpnError(
            "data_invalid",
            f"train_on: expected images to train on, found none: all {len(left_out)} are also evaluated on",
        )
    val = parts[Path(params.val.root)]
    joint.add(val, val.index.split("val"), "val", params.images_dir)
    if params.out_dir is not None:
        write_joint(Path(params.out_dir), joint.images, joint.refs)
    return JoinDatasetsResult(
        num_images=num_train_images,
        num_sentences=num_train,
        num_images_left_out=len(left_out),
        num_sentences_left_out=num_left_out,
        num_val_images_tested=len(val.related(["val"]) & tested),
        orientation=common_orientation(_used_files(joint.used)),
    )


class _Joint:
    """The images and referring expressions so far."""

    def __init__(self) -> None:
        self.images: dict[int, JointImage] = {}
        self.refs: list[JointRef] = []
        self.used: list[tuple[DatasetIndex, int]] = []

    def add(self, part: _Part, rows: np.ndarray, split: str, images_dir: str) -> None:
        """Adds the sentences in these rows, with their images and all objects of the images."""
        index = part.index
        columns = ["sent_id", "ref_id", "ann_id", "sentence", "stratum", "pair_id", "gt_box_xyxy", "category"]
        sentences = index.sentences.select(columns).take(rows).to_pylist()
        numbers = part.numbers.equal[index.image_rows[rows]].tolist()
        objects = self._add_images(part, index.image_rows[rows].tolist(), images_dir)
        for sentence, number in zip(sentences, numbers, strict=True):
            image = self.images[number]
            known = objects.get(sentence["ann_id"])
            category, box_xyxy = sentence["category"], sentence["gt_box_xyxy"]
            self.refs.append(
                JointRef(
                    key=(str(index.root), sentence["ref_id"]),
                    sent_id=sentence["sent_id"],
                    image=number,
                    object=image.add_object(category, box_xyxy) if known is None else known,
                    split=split,
                    sentence=sentence["sentence"],
                    stratum=sentence["stratum"],
                    pair=None if sentence["pair_id"] is None else (str(index.root), sentence["pair_id"]),
                )
            )

    def _add_images(self, part: _Part, image_rows: Iterable[int], images_dir: str) -> dict[int, Hashable]:
        """Returns the key of each object in its image, by its ann_id in the dataset."""
        index = part.index
        if index.images_dir is None:
            raise CliprpnError(
                "data_invalid", f"{index.root}: expected a dataset with images, found one without"
            )
        rows = list(dict.fromkeys(image_rows))
        table = index.images.take(pa.array(rows, pa.int64())).to_pylist()
        folder = index.images_dir.relative_to(images_dir)
        by_id: dict[int, JointImage] = {}
        for row, image in zip(rows, table, strict=True):
            number = int(part.numbers.equal[row])
            if number not in self.images:
                name = (folder / image["file_name"]).as_posix()
                self.images[number] = JointImage(name, image["width"], image["height"])
                self.used.append((index, row))
            by_id[image["image_id"]] = self.images[number]
        wanted = pc.is_in(index.objects["image_id"], pa.array(list(by_id), pa.int64()))
        keys: dict[int, Hashable] = {}
        num_equal = Counter[tuple[int, Hashable]]()
        for record in index.objects.filter(wanted).to_pylist():
            image, category, box_xyxy = by_id[record["image_id"]], record["category"], record["box_xyxy"]
            place = (record["image_id"], image.object_key(category, box_xyxy))
            keys[record["ann_id"]] = image.add_object(category, box_xyxy, num_equal[place])
            num_equal[place] += 1
        return keys


def _used_files(used: Iterable[tuple[DatasetIndex, int]]) -> list[tuple[Path, bool]]:
    """The files of images, and whether their boxes are in the upright frame."""
    upright: dict[Path, list[bool]] = {}
    names: dict[Path, list[str]] = {}
    files = []
    for index, row in used:
        if index.root not in upright:
            upright[index.root] = index.images["upright"].to_pylist()
            names[index.root] = index.images["file_name"].to_pylist()
        folder = index.images_dir or index.root
        files.append((folder / names[index.root][row], upright[index.root][row]))
    return files
