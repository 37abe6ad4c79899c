"""Reads RefCOCOg's own layout: `annotations/instances.json`, `annotations/refs(umd).p`, `images/`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cliprpn.data.boxes import boxes_in_pictures
from cliprpn.data.instances import Instances, read_instances
from cliprpn.data.pictures import ImageRow, check_pictures
from cliprpn.data.problems import Problems
from cliprpn.data.records import is_integer, is_text, shown
from cliprpn.data.refs import read_refs
from cliprpn.data.unpickler import clean_text

Record = dict[str, Any]
BoxXyxy = tuple[float, float, float, float]


@dataclass(frozen=True)
class SentenceRow:
    """A referring expression with the box that it means (xyxy, pixels of the original picture)."""

    sent_id: int
    ref_id: int
    ann_id: int
    image_id: int
    split: str
    sentence: str
    gt_box_xyxy: BoxXyxy
    category: str
    num_same_category: int
    stratum: str | None
    pair_id: int | None


def read_refcocog(
    root: Path, split_by: str, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> tuple[list[ImageRow], list[SentenceRow]]:
    """Pictures that are referred to, in order of first mention, and all sentences in the file's order.

    A ref's `file_name` is ignored (it is the real name plus `_<ann_id>`): its picture is found by
    image_id in instances.json. Sentences may carry `stratum` and `pair_id`, as the demo's do.

    Args:
        on_progress: told how many pictures have been looked at, and of how many.

    Raises:
        CliprpnError: data_invalid, naming every problem, up to twenty.
    """
    problems = Problems(root)
    instances = read_instances(root / "annotations" / "instances.json", problems)
    refs = read_refs(root / "annotations" / f"refs({split_by}).p", problems)
    refs = [ref for ref in refs if _refers(ref, instances, problems)]
    boxes = _boxes(refs, instances, problems)
    rows = [
        _sentence_row(sentence, ref, box, instances, problems)
        for ref, box in zip(refs, boxes, strict=True)
        for sentence in ref["sentences"]
    ]
    for sent_id, count in Counter(row.sent_id for row in rows).items():
        if count > 1:
            problems.add(f"sent_id {sent_id} stands {count} times, expected once")
    used = dict.fromkeys(ref["image_id"] for ref in refs)
    images = [_image_row(instances.images[image_id]) for image_id in used]
    check_pictures(images, root / "images", problems, on_progress)
    problems.raise_if_any()
    return images, rows


def _refers(ref: Record, instances: Instances, problems: Problems) -> bool:
    """Whether the ref's object and picture are there and belong together."""
    where = f"ref {ref['ref_id']}"
    annotation = instances.annotations.get(ref["ann_id"])
    if annotation is None:
        problems.add(f"{where}: expected its ann_id {ref['ann_id']} in instances.json, found none")
    if ref["image_id"] not in instances.images:
        problems.add(f"{where}: expected its image_id {ref['image_id']} in instances.json, found none")
        return False
    if annotation is not None and annotation["image_id"] != ref["image_id"]:
        problems.add(
            f"{where}: expected its ann_id {ref['ann_id']} in picture {ref['image_id']}, "
            f"found it in picture {annotation['image_id']}"
        )
        return False
    return annotation is not None


def _boxes(refs: list[Record], instances: Instances, problems: Problems) -> list[BoxXyxy]:
    """The box of each ref's object."""
    images = [instances.images[ref["image_id"]] for ref in refs]
    xywh = [instances.annotations[ref["ann_id"]]["bbox"] for ref in refs]
    sizes = [(image["width"], image["height"]) for image in images]
    boxes, fit = boxes_in_pictures(
        torch.tensor(xywh, dtype=torch.float64).reshape(-1, 4),
        torch.tensor(sizes, dtype=torch.float64).reshape(-1, 2),
    )
    for row in (~fit).nonzero()[:, 0].tolist():
        width, height = sizes[row]
        problems.add(
            f"ref {refs[row]['ref_id']}: expected the box of ann_id {refs[row]['ann_id']} inside the "
            f"{width} x {height} picture {images[row]['id']} and not empty, found {list(xywh[row])} (xywh)"
        )
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in boxes.tolist()]


def _sentence_row(
    sentence: Record, ref: Record, box: BoxXyxy, instances: Instances, problems: Problems
) -> SentenceRow:
    annotation = instances.annotations[ref["ann_id"]]
    category_id = annotation["category_id"]
    where = f"ref {ref['ref_id']}: sent_id {sentence['sent_id']}"
    stratum, pair_id = sentence.get("stratum"), sentence.get("pair_id")
    if not (stratum is None or is_text(stratum)):
        problems.add(f"{where}: expected stratum to be text, found {shown(stratum)}")
    if not (pair_id is None or is_integer(pair_id)):
        problems.add(f"{where}: expected pair_id to be an integer, found {shown(pair_id)}")
    return SentenceRow(
        sent_id=sentence["sent_id"],
        ref_id=ref["ref_id"],
        ann_id=ref["ann_id"],
        image_id=ref["image_id"],
        split=ref["split"],
        sentence=clean_text(sentence["sent"]),
        gt_box_xyxy=box,
        category=instances.categories.get(category_id, str(category_id)),
        num_same_category=instances.num_in_picture[ref["image_id"], category_id],
        stratum=stratum,
        pair_id=pair_id,
    )


def _image_row(image: Record) -> ImageRow:
    return ImageRow(image["id"], image["file_name"], image["width"], image["height"])
