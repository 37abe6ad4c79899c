"""Joins the training splits of several datasets to one, without the images of evaluation splits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from cliprpn.contract.generated import JoinDatasetsParams, JoinDatasetsResult
from cliprpn.data.index import DatasetIndex, open_dataset, read_facts
from cliprpn.errors import CliprpnError
from cliprpn.joint.orientation import common_orientation
from cliprpn.joint.same_images import same_images
from cliprpn.joint.write import JointImage, JointRef, write_joint


@dataclass(frozen=True)
class _Part:
    """A dataset: its tables, and the number of each of its images, equal for the same image of another dataset."""

    index: DatasetIndex
    numbers: np.ndarray

    def rows(self, split: str) -> np.ndarray:
        return self.index.split(split)

    def images_of(self, sentence_rows: np.ndarray) -> np.ndarray:
        """[N], numbers of the sentences' images."""
        return self.numbers[self.index.image_rows[sentence_rows]]


def join_datasets(params: JoinDatasetsParams) -> JoinDatasetsResult:
    """Writes a dataset in RefCOCOg's layout: the train splits of `parts` and the val split of `val`.

    Images of the excluded splits are left out of train. An image that several parts have is one image, with the
    expressions of all of them.

    Raises:
        CliprpnError: data_invalid, if nothing is left to train on, or parts have images in different frames.
    """
    evaluated = [each.root for each in params.excluded]
    roots = [Path(root) for root in dict.fromkeys([*params.parts, params.val, *evaluated])]
    indexes = {root: open_dataset(root, read_facts(root).id) for root in roots}
    numbers = same_images(roots, list(indexes.values()))
    parts = {
        root: _Part(indexes[root], np.array(of_dataset, dtype=np.int64))
        for root, of_dataset in zip(roots, numbers, strict=True)
    }
    excluded: set[int] = set()
    for each in params.excluded:
        part = parts[Path(each.root)]
        for split in each.splits:
            excluded |= set(part.images_of(part.rows(split)).tolist())
    joint = _Joint()
    num_left_out, left_out = 0, set[int]()
    for root in params.parts:
        part = parts[Path(root)]
        rows = part.rows("train")
        images = part.images_of(rows)
        is_out = np.isin(images, list(excluded))
        num_left_out += int(is_out.sum())
        left_out |= set(images[is_out].tolist())
        joint.add(part, rows[~is_out], "train", params.images_dir)
    num_train, num_train_images = len(joint.refs_of("train")), len(joint.images)
    if num_train == 0:
        raise CliprpnError(
            "data_invalid",
            f"train_on: expected images to train on, found none: all {len(left_out)} are also evaluated on",
        )
    val = parts[Path(params.val)]
    joint.add(val, val.rows("val"), "val", params.images_dir)
    if params.out_dir is not None:
        write_joint(Path(params.out_dir), joint.images, joint.refs)
    return JoinDatasetsResult(
        num_images=num_train_images,
        num_sentences=num_train,
        num_images_left_out=len(left_out),
        num_sentences_left_out=num_left_out,
        orientation=common_orientation(_used_files(joint.used)),
    )


class _Joint:
    """The images and referring expressions so far."""

    def __init__(self) -> None:
        self.images: dict[int, JointImage] = {}
        self.refs: list[JointRef] = []
        self.used: list[tuple[DatasetIndex, int]] = []

    def refs_of(self, split: str) -> list[JointRef]:
        return [ref for ref in self.refs if ref.split == split]

    def add(self, part: _Part, rows: np.ndarray, split: str, images_dir: str) -> None:
        """Adds the sentences in these rows, with their images and all objects of the images."""
        index = part.index
        columns = ["sent_id", "ref_id", "sentence", "stratum", "pair_id", "gt_box_xyxy", "category"]
        sentences = index.sentences.select(columns).take(rows).to_pylist()
        numbers = part.images_of(rows).tolist()
        self._add_images(part, index.image_rows[rows].tolist(), images_dir)
        for sentence, number in zip(sentences, numbers, strict=True):
            image = self.images[number]
            ann_id = image.add_object(sentence["category"] or None, sentence["gt_box_xyxy"])
            self.refs.append(
                JointRef(
                    key=(str(index.root), sentence["ref_id"]),
                    sent_id=sentence["sent_id"],
                    image=number,
                    object=ann_id,
                    split=split,
                    sentence=sentence["sentence"],
                    stratum=sentence["stratum"],
                    pair=None if sentence["pair_id"] is None else (str(index.root), sentence["pair_id"]),
                )
            )

    def _add_images(self, part: _Part, image_rows: Iterable[int], images_dir: str) -> None:
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
            number = int(part.numbers[row])
            if number not in self.images:
                name = (folder / image["file_name"]).as_posix()
                self.images[number] = JointImage(name, image["width"], image["height"])
                self.used.append((index, row))
            by_id[image["image_id"]] = self.images[number]
        for record in index.objects.to_pylist():
            if record["image_id"] in by_id:
                by_id[record["image_id"]].add_object(record["category"], record["box_xyxy"])


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
