"""Reads the original layout of RefCOCO, RefCOCO+ and RefCOCOg: `instances.json` and `refs(umd).p` or its like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cliprpn.data.annotations import Annotations, ImageRecord, ObjectRecord, SentenceRecord
from cliprpn.data.instances import Instances, read_instances
from cliprpn.data.problems import Problems
from cliprpn.data.records import is_integer, is_text, shown
from cliprpn.data.refs import read_refs
from cliprpn.data.unpickler import clean_text

Record = dict[str, Any]


def read_refcoco(instances_file: Path, refs_file: Path, problems: Problems) -> Annotations:
    """Images that are referred to, in order of first mention, all their objects, and all sentences.

    A ref's `file_name` is ignored (it is the real name plus `_<ann_id>`): its image is found by
    image_id in instances.json. Sentences may carry `stratum` and `pair_id`, as the demo's do.

    Raises:
        CliprpnError: data_invalid, when a file is not there or is something else.
    """
    instances = read_instances(instances_file, problems)
    refs = [ref for ref in read_refs(refs_file, problems) if _refers(ref, instances, problems)]
    used = dict.fromkeys(ref["image_id"] for ref in refs)
    return Annotations(
        box_format="xywh",
        pictures=[_image(instances.images[image_id]) for image_id in used],
        objects={
            ann_id: _object(annotation, instances)
            for ann_id, annotation in instances.annotations.items()
            if annotation["image_id"] in used
        },
        sentences=[_sentence(sentence, ref, problems) for ref in refs for sentence in ref["sentences"]],
    )


def _refers(ref: Record, instances: Instances, problems: Problems) -> bool:
    """Whether the ref's object and image are there and belong together."""
    where = f"ref {ref['ref_id']}"
    annotation = instances.annotations.get(ref["ann_id"])
    if annotation is None:
        problems.add(f"{where}: expected its ann_id {ref['ann_id']} in instances.json, found none")
    if ref["image_id"] not in instances.images:
        problems.add(f"{where}: expected its image_id {ref['image_id']} in instances.json, found none")
        return False
    if annotation is not None and annotation["image_id"] != ref["image_id"]:
        problems.add(
            f"{where}: expected its ann_id {ref['ann_id']} in image {ref['image_id']}, "
            f"found it in image {annotation['image_id']}"
        )
        return False
    return annotation is not None


def _image(image: Record) -> ImageRecord:
    return ImageRecord(image["id"], image["file_name"], image["width"], image["height"])


def _object(annotation: Record, instances: Instances) -> ObjectRecord:
    category_id = annotation["category_id"]
    x, y, width, height = (float(side) for side in annotation["bbox"])
    return ObjectRecord(
        ann_id=annotation["id"],
        image_id=annotation["image_id"],
        category=instances.categories.get(category_id, str(category_id)),
        box=(x, y, width, height),
    )


def _sentence(sentence: Record, ref: Record, problems: Problems) -> SentenceRecord:
    where = f"ref {ref['ref_id']}: sent_id {sentence['sent_id']}"
    stratum, pair_id = sentence.get("stratum"), sentence.get("pair_id")
    if not (stratum is None or is_text(stratum)):
        problems.add(f"{where}: expected stratum to be text, found {shown(stratum)}")
    if not (pair_id is None or is_integer(pair_id)):
        problems.add(f"{where}: expected pair_id to be an integer, found {shown(pair_id)}")
    return SentenceRecord(
        sent_id=sentence["sent_id"],
        ref_id=ref["ref_id"],
        ann_id=ref["ann_id"],
        image_id=ref["image_id"],
        split=ref["split"],
        sentence=clean_text(sentence["sent"]),
        stratum=stratum,
        pair_id=pair_id,
    )
