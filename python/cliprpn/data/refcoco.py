"""Reads the original layout of RefCOCO, RefCOCO+ and RefCOCOg: instances.json and refs(<split_by>).p."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cliprpn.data.annotations import SPLITS, Annotations, ImageRecord, ObjectRecord, SentenceRecord
from cliprpn.data.checks import (
    Problems,
    good_records,
    is_box,
    is_integer,
    is_name,
    is_old_text,
    is_size,
    is_text,
    shown,
)
from cliprpn.data.plain_pickle import clean_text, load_plain
from cliprpn.errors import CliprpnError

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
        images=[_image(instances.images[image_id]) for image_id in used],
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


FIELDS = {
    "images": {
        "id": ("an integer", is_integer),
        "file_name": ("a name", is_name),
        "width": ("a whole number of pixels", is_size),
        "height": ("a whole number of pixels", is_size),
    },
    "annotations": {
        "id": ("an integer", is_integer),
        "image_id": ("an integer", is_integer),
        "category_id": ("an integer", is_integer),
        "bbox": ("four numbers, xywh", is_box),
    },
    "categories": {"id": ("an integer", is_integer), "name": ("text", is_text)},
}


@dataclass(frozen=True)
class Instances:
    """COCO's records by their id."""

    images: dict[int, dict[str, Any]]
    annotations: dict[int, dict[str, Any]]
    categories: dict[int, str]


def read_instances(path: Path, problems: Problems) -> Instances:
    """
    Raises:
        CliprpnError: data_invalid, when there is no such file, or it is not JSON, or not COCO's.
    """
    content = _read_json(path)
    if not isinstance(content, dict):
        raise CliprpnError("data_invalid", f"{path}: expected an object, found a {type(content).__name__}")
    by_id: dict[str, dict[int, dict[str, Any]]] = {}
    for key, fields in FIELDS.items():
        items = content.get(key)
        if not isinstance(items, list):
            raise CliprpnError("data_invalid", f"{path}: expected a list `{key}`, found none")
        by_id[key] = {}
        for item in good_records(items, fields, f"{path.name}: {key}", problems):
            if item["id"] in by_id[key]:
                problems.add(f"{path.name}: {key}: id {item['id']} stands more than once")
            by_id[key][item["id"]] = item
    return Instances(
        images=by_id["images"],
        annotations=by_id["annotations"],
        categories={key: category["name"] for key, category in by_id["categories"].items()},
    )


def _read_json(path: Path) -> Any:
    if not path.is_file():
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected COCO's annotations of the images, found no file; a data set has "
            "annotations/instances.json, annotations/refs(umd).p and images/",
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise CliprpnError(
            "data_invalid", f"{path}:{error.lineno}:{error.colno}: expected JSON: {error.msg}"
        ) from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise CliprpnError("data_invalid", f"{path}: expected JSON: {error}") from error


def read_refs(path: Path, problems: Problems) -> list[dict[str, Any]]:
    """Refs in the file's order: ref_id, ann_id, image_id, split and at least one good sentence each.

    Raises:
        CliprpnError: data_invalid, when there is no such file or it is not a list of plain values.
    """
    if not path.is_file():
        there = sorted(found.name for found in path.parent.glob("refs(*).p"))
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected the refs of this split_by, found {', '.join(there) or 'no refs file'} "
            "in the folder",
        )
    refs = load_plain(path)
    if not isinstance(refs, list):
        raise CliprpnError("data_invalid", f"{path}: expected a list of refs, found a {type(refs).__name__}")
    good = []
    for ref in good_records(refs, REF_FIELDS, path.name, problems):
        where = f"{path.name}: ref {ref['ref_id']}: sentences"
        sentences = list(good_records(ref["sentences"], SENTENCE_FIELDS, where, problems))
        good.append({**ref, "sentences": sentences})
    if not refs:
        problems.add(f"{path.name}: expected refs, found an empty list")
    return good


REF_FIELDS = {
    "ref_id": ("an integer", is_integer),
    "ann_id": ("an integer", is_integer),
    "image_id": ("an integer", is_integer),
    "split": ("train, val, test, testA or testB", lambda value: value in SPLITS),
    "sentences": ("a list with a sentence", lambda value: isinstance(value, list) and len(value) > 0),
}
SENTENCE_FIELDS = {"sent_id": ("an integer", is_integer), "sent": ("text", is_old_text)}
